//! Seconds, memory and parts of one full training step.
//!
//! A full step is one main step and its critic steps at the official settings: 64 images of
//! 64×64×3, 64 latent dimensions, neural prior, merged condition, 5 critic steps. Run with
//! `cargo bench --bench training_step`, options after `--`.
//!
//! The parts are timed apart from the full steps, each as often and with the gradients that the
//! step needs: an estimate of where its time goes, whose sum differs a little from the whole.

mod common;

use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer, RmsPropConfig};
use burn::tensor::{Device, Tensor};
use clap::Parser;
use common::Timing;
use gwae::core::noise::{HostGenerator, NoiseSource, normal_tensor, uniform_tensor};
use gwae::core::{Mode, estimated_gw_loss, gradient_penalty};
use gwae::models::{Gwae, GwaeConfig};
use gwae::priors::Prior;
use gwae::train::algorithm::GwaeTrainer;
use gwae::train::{DeviceSpec, TrainingConfig};

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
    /// Critic steps per main step.
    #[arg(long, default_value_t = 5)]
    critic_steps: usize,
    /// Where to compute: cpu, or a device whose feature is compiled in.
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,
    /// Threads of the CPU backend (default: as many as there are cores, or RAYON_NUM_THREADS).
    #[arg(long)]
    threads: Option<usize>,
    /// Print one line of JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// What `cargo bench` passes to every benchmark; ignored.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    common::limit_threads(arguments.threads);
    let config = GwaeConfig::default();
    let training = TrainingConfig {
        batch_size: arguments.batch_size,
        critic_steps: arguments.critic_steps,
        ..TrainingConfig::default()
    };
    if let Err(error) = training.validate(config.merged_condition) {
        common::fail(&error.to_string());
    }

    let device = common::open(arguments.device).autodiff();
    let mut noise = HostGenerator::new(training.seed, 0);
    let model = Gwae::new(&config, &mut noise, &device).expect("the configuration is valid");
    let shape = [
        arguments.batch_size,
        config.channels,
        config.image_size,
        config.image_size,
    ];
    let images: Tensor<4> = uniform_tensor(&mut noise, shape, &device);

    let mut trainer = Some(GwaeTrainer::new(model, &config, &training));
    let mut total = f64::NAN;
    let step = common::time(arguments.warm_up, arguments.steps, || {
        let (next, losses) = trainer
            .take()
            .expect("put back after each step")
            .step(images.clone(), &mut noise);
        total = losses.read().total;
        trainer = Some(next);
        common::synchronise(&device);
    });
    assert!(total.is_finite(), "the loss is a number");
    let peak = common::peak_memory();
    let model = trainer.expect("put back after each step").model;

    let parts = if arguments.parts > 0 {
        Parts::new(&model, images, arguments.critic_steps, &mut noise).time(arguments.parts)
    } else {
        Vec::new()
    };
    report(&arguments, step, peak, &parts);
}

/// A part of the step with the time of all its occurrences in one step.
struct Part {
    name: &'static str,
    what: String,
    seconds: f64,
}

/// Inputs that the parts are timed on.
struct Parts {
    model: Gwae,
    images: Tensor<4>,
    codes: Tensor<2>,
    epsilon: Tensor<2>,
    critic_steps: usize,
}

impl Parts {
    fn new(
        model: &Gwae,
        images: Tensor<4>,
        critic_steps: usize,
        noise: &mut dyn NoiseSource,
    ) -> Self {
        let shape = [images.dims()[0], model.latent_dim()];
        let device = images.device();
        Self {
            model: model.clone(),
            images,
            codes: normal_tensor(noise, shape, &device),
            epsilon: normal_tensor(noise, shape, &device),
            critic_steps,
        }
    }

    fn time(&self, repeats: usize) -> Vec<Part> {
        let device = self.images.device();
        let time = |run: &dyn Fn()| {
            common::time(1, repeats, || {
                run();
                common::synchronise(&device);
            })
            .best
        };
        let critic_steps = self.critic_steps as f64;
        let plain = self.model.valid();
        let (plain_images, plain_codes) = (
            self.images.clone().without_autodiff(),
            self.codes.clone().without_autodiff(),
        );

        let encoder_main = time(&|| {
            let posterior = self.model.encoder.forward(self.images.clone(), Mode::Train);
            (posterior.mean + posterior.logvar).sum().backward();
        });
        let encoder_critic = time(&|| {
            plain.encode(plain_images.clone());
        });
        let decoder_main = time(&|| {
            for codes in [&self.codes, &self.epsilon] {
                let codes = codes.clone().require_grad();
                let decoded = self.model.decoder.forward(codes, Mode::Train);
                (decoded * self.images.clone()).sum().backward();
            }
        });
        let decoder_critic = time(&|| {
            plain.decode(plain_codes.clone());
        });
        let gw = time(&|| {
            let images = self.images.clone().require_grad();
            let codes = self.codes.clone().require_grad();
            let log_coefficient = self.model.log_distance_coefficient.val();
            estimated_gw_loss(images.flatten(1, 3), codes, log_coefficient).backward();
        });
        let critic = self.model.critic.as_ref().expect("the default has one");
        let critic_main = time(&|| {
            for codes in [&self.codes, &self.epsilon] {
                let (images, codes) = (self.images.clone(), codes.clone());
                let normalised = critic.normalise(Mode::Train).detach();
                normalised
                    .potential(images.require_grad(), codes.require_grad())
                    .sum()
                    .backward();
            }
        });
        let critic_critic = time(&|| {
            for codes in [&self.codes, &self.epsilon] {
                let normalised = critic.normalise(Mode::Train);
                let potential = normalised.potential(self.images.clone(), codes.clone());
                potential.sum().backward();
            }
        });
        let penalty = time(&|| {
            let normalised = critic.normalise(Mode::Train);
            let (image, code) = normalised.input_gradient(self.images.clone(), self.codes.clone());
            gradient_penalty(image, code).backward();
        });
        let prior = time(&|| {
            let mut noise = HostGenerator::new(1, 0);
            let batch = self.images.dims()[0];
            self.model
                .prior
                .sample(batch, Mode::Train, &mut noise, &device)
                .sum()
                .backward();
        });

        let n = self.critic_steps;
        let part = |name, what: String, seconds| Part {
            name,
            what,
            seconds,
        };
        vec![
            part(
                "encoder",
                "forward + backward, and a plain forward".into(),
                encoder_main + encoder_critic,
            ),
            part(
                "decoder",
                format!("2 × forward + backward, and {n} plain forwards"),
                decoder_main + critic_steps * decoder_critic,
            ),
            part("GW loss", "forward + backward".into(), gw),
            part(
                "critic",
                format!(
                    "2 × forward + backward to inputs, {n} × 2 × forward + backward to weights"
                ),
                critic_main + critic_steps * critic_critic,
            ),
            part(
                "gradient penalty",
                format!("{n} × forward + backward"),
                critic_steps * penalty,
            ),
            part(
                "optimiser",
                format!("1 main and {n} critic updates"),
                self.optimiser(repeats),
            ),
            part(
                "prior",
                format!("{} × draw, forward + backward", n + 1),
                (critic_steps + 1.0) * prior,
            ),
        ]
    }

    /// The updates alone, from gradients as large as the parameters.
    fn optimiser(&self, repeats: usize) -> f64 {
        let mut main = self.model.clone();
        let critic = main.critic.take().expect("the default has one");
        let device = self.images.device();
        updates(main, repeats, &device)
            + self.critic_steps as f64 * updates(critic, repeats, &device)
    }
}

/// Best time of one RMSprop update of `module`.
fn updates<M: Module + 'static>(module: M, repeats: usize, device: &Device) -> f64 {
    let mut optimizer: ModuleOptimizer = RmsPropConfig::new()
        .with_momentum(0.0)
        .with_epsilon(1e-8)
        .init();
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

fn report(arguments: &Arguments, step: Timing, peak: Option<u64>, parts: &[Part]) {
    let covered: f64 = parts.iter().map(|part| part.seconds).sum();
    if arguments.json {
        let parts: serde_json::Map<_, _> = parts
            .iter()
            .map(|part| (part.name.to_owned(), part.seconds.into()))
            .collect();
        let line = serde_json::json!({
            "implementation": "gwae",
            "device": arguments.device.to_string(),
            "batch_size": arguments.batch_size,
            "critic_steps": arguments.critic_steps,
            "threads": common::threads(),
            "seconds_best": step.best,
            "seconds_median": step.median,
            "peak_bytes": peak,
            "parts_seconds": parts,
        });
        println!("{line}");
        return;
    }
    println!(
        "full step: best {:.3} s, median {:.3} s of {} (batch {}, {} critic steps, {}, {} threads)",
        step.best,
        step.median,
        arguments.steps,
        arguments.batch_size,
        arguments.critic_steps,
        arguments.device,
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
