//! Seconds, memory and parts of one full training step.
//!
//! A full step is one main step and its critic steps at the official settings: 64 images of
//! 64×64×3, 64 latent dimensions, neural prior, merged condition, 5 critic steps. Run with
//! `cargo bench --bench training_step`, options after `--`.
//!
//! Each part is timed separately from the full steps, as often as in a step and with the gradients
//! that the step needs. This estimates where the time of a step goes; the sum of the parts differs
//! slightly from the whole.

mod common;

use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use clap::Parser;
use common::Timing;
use common::work::{self, FullStep, Parts};
use gwae::core::random::SeededGenerator;
use gwae::models::{BackboneConfig, Gwae, GwaeConfig};
use gwae::train::TrainingConfig;
use gwae::train::optimizer::rms_prop::RmsProp;

/// Times the full training step of a GWAE.
#[derive(Parser)]
struct Arguments {
    /// Full steps that are timed.
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Full steps before that, which are not timed.
    #[arg(long, default_value_t = 2)]
    warm_up: usize,
    /// Times that each part is timed; 0 leaves the parts out.
    #[arg(long, default_value_t = 5)]
    parts: usize,
    /// Images per step.
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// Height and width of the images in pixels: 32, 64 or 128.
    #[arg(long, default_value_t = 64)]
    image_size: usize,
    /// Critic steps per main step.
    #[arg(long, default_value_t = 5)]
    critic_steps: usize,
    /// Print one line of JSON instead of the table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: common::Place,
}

fn main() {
    let arguments = Arguments::parse();
    let config = GwaeConfig {
        backbone: BackboneConfig {
            image_size: arguments.image_size,
            ..BackboneConfig::default()
        },
        ..GwaeConfig::default()
    };
    let training = TrainingConfig {
        batch_size: arguments.batch_size,
        critic_steps: arguments.critic_steps,
        ..TrainingConfig::default()
    };
    let device = arguments.place.open().autodiff();
    let mut full = FullStep::new(&config, &training, &device);
    let mut total = f64::NAN;
    let step = common::time(arguments.warm_up, arguments.steps, || total = full.run());
    assert!(total.is_finite(), "the loss is a number");
    let peak = common::peak_memory();
    let (model, images) = full.into_model();
    let parameters = work::parameters(&model);

    let mut timed = Vec::new();
    if arguments.parts > 0 {
        let mut noise = SeededGenerator::new(training.seed, 1);
        let parts = Parts::new(&model, images, &mut noise);
        timed = time_parts(&parts, arguments.critic_steps, arguments.parts);
    }
    report(&arguments, parameters, &step, peak, &timed);
}

/// A part of the step, with the total time of its occurrences in one step.
struct Part {
    name: &'static str,
    what: String,
    seconds: f64,
}

/// Each part as often as in a step, with the gradients that the step needs.
fn time_parts(parts: &Parts, critic_steps: usize, repeats: usize) -> Vec<Part> {
    let device = parts.device();
    let time = |run: &dyn Fn()| {
        let timing = common::time(1, repeats, || {
            run();
            common::synchronise(&device);
        });
        timing.best
    };
    let n = critic_steps as f64;
    let part = |name, what: String, seconds| Part {
        name,
        what,
        seconds,
    };
    vec![
        part(
            "encoder",
            "forward + backward, and a plain forward".into(),
            time(&|| parts.encoder()) + time(&|| parts.encode()),
        ),
        part(
            "decoder",
            format!("2 × forward + backward, and {n} plain forwards"),
            2.0 * time(&|| parts.decoder()) + n * time(&|| parts.decode()),
        ),
        part(
            "GW loss",
            "forward + backward".into(),
            time(&|| parts.gw_loss()),
        ),
        part(
            "critic",
            format!("2 × forward + backward to inputs, {n} × 2 × forward + backward to weights"),
            time(&|| parts.critic_to_inputs()) + n * time(&|| parts.critic_to_weights()),
        ),
        part(
            "gradient penalty",
            format!("{n} × forward + backward"),
            n * time(&|| parts.gradient_penalty()),
        ),
        part(
            "optimiser",
            format!("1 main and {n} critic updates"),
            optimiser(parts.model().clone(), critic_steps, repeats, &device),
        ),
        part(
            "prior",
            format!("{} × draw, forward + backward", n + 1.0),
            (n + 1.0) * time(&|| parts.prior()),
        ),
    ]
}

/// Only the updates, from gradients as large as the parameters.
fn optimiser(mut main: Gwae, critic_steps: usize, repeats: usize, device: &Device) -> f64 {
    let critic = main.critic.take().expect("the default has one");
    updates(main, repeats, device) + critic_steps as f64 * updates(critic, repeats, device)
}

/// Best time of one RMSprop update of `module`.
fn updates<M: Module + 'static>(module: M, repeats: usize, device: &Device) -> f64 {
    let mut optimizer = RmsProp::init();
    let mut module = Some(module.fork(device));
    let seconds = (0..=repeats).map(|_| {
        let owned = module.take().expect("put back after each update");
        let mut gradients = Gradients(GradientsParams::new());
        owned.visit(&mut gradients);
        let start = Instant::now();
        module = Some(optimizer.step(1e-9, owned, gradients.0));
        common::synchronise(device);
        start.elapsed().as_secs_f64()
    });
    // The first update builds the optimiser's state.
    Timing::of(seconds.skip(1).collect()).best
}

/// Collects a gradient for every parameter.
struct Gradients(GradientsParams);

impl ModuleVisitor for Gradients {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if parameter.is_require_grad() {
            let gradient = parameter.val().without_autodiff() * 0.5 + 1.0;
            self.0.register(parameter.id, gradient);
        }
    }
}

fn report(
    arguments: &Arguments,
    parameters: usize,
    step: &Timing,
    peak: Option<u64>,
    parts: &[Part],
) {
    let covered: f64 = parts.iter().map(|part| part.seconds).sum();
    if arguments.json {
        let parts: serde_json::Map<_, _> = parts
            .iter()
            .map(|part| (part.name.to_owned(), part.seconds.into()))
            .collect();
        let line = step.beside(serde_json::json!({
            "implementation": "gwae",
            "device": arguments.place.device.to_string(),
            "batch_size": arguments.batch_size,
            "image_size": arguments.image_size,
            "critic_steps": arguments.critic_steps,
            "parameters": parameters,
            "threads": common::threads(),
            "peak_bytes": peak,
            "parts_seconds": parts,
        }));
        println!("{line}");
        return;
    }
    println!(
        "full step: best {:.3} s, median {:.3} s of {} (batch {}, {} pixels wide, {} critic steps, {}, {} threads)",
        step.best,
        step.median,
        arguments.steps,
        arguments.batch_size,
        arguments.image_size,
        arguments.critic_steps,
        arguments.place.device,
        common::threads(),
    );
    println!(
        "peak resident memory after the full steps: {}",
        common::megabytes(peak)
    );
    if parts.is_empty() {
        return;
    }
    println!("\nparts, each timed apart (best of {}):", arguments.parts);
    for part in parts {
        let share = 100.0 * part.seconds / step.best;
        println!(
            "  {:<17} {:>7.1} ms {share:>5.1} %  {}",
            part.name,
            part.seconds * 1e3,
            part.what
        );
    }
    println!(
        "  {:<17} {:>7.1} ms {:>5.1} %  the full step less these",
        "rest",
        (step.best - covered) * 1e3,
        100.0 * (step.best - covered) / step.best
    );
}
