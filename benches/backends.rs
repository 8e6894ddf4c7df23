//! The same work on every backend of this build that finds a device, compared with the CPU.
//!
//! The official settings: 64 images of 64×64×3, 64 latent dimensions, neural prior, merged
//! condition, 5 critic steps; `--small` for software drivers. The timed region waits for the
//! device. Untimed runs before it let backends compile and tune their kernels. Run with
//! `cargo bench --bench backends --features wgpu`, options after `--`.

mod common;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use burn::tensor::Device;
use clap::Parser;
use common::Timing;
use common::work::{FullStep, Parts};
use gwae::core::random::SeededGenerator;
use gwae::models::{BackboneConfig, GwaeConfig};
use gwae::train::device::DeviceBackend;
use gwae::train::{DeviceSpec, TrainingConfig};

/// Times the same work on several backends.
#[derive(Parser)]
struct Arguments {
    /// Devices to compare, such as cpu,wgpu (default: one of each backend of this build).
    #[arg(long, value_delimiter = ',')]
    device: Vec<DeviceSpec>,
    /// Sizes that a software driver finishes: batch 8, 32 pixels, a quarter of the width, 1 critic
    /// step. The options below change each of them.
    #[arg(long)]
    small: bool,
    /// Images per batch [default: 64].
    #[arg(long)]
    batch_size: Option<usize>,
    /// Height and width of the images in pixels: 32, 64 or 128 [default: 64].
    #[arg(long)]
    image_size: Option<usize>,
    /// Multiplies every channel count of encoder and decoder [default: 1].
    #[arg(long)]
    width: Option<f64>,
    /// Critic steps per main step [default: 5].
    #[arg(long)]
    critic_steps: Option<usize>,
    /// Untimed runs of everything, in which kernels are compiled and tuned.
    #[arg(long, default_value_t = 3)]
    warm_up: usize,
    /// Timed runs of everything.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Write all figures to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    machine: common::Machine,
}

impl Arguments {
    fn configs(&self) -> (GwaeConfig, TrainingConfig) {
        let or = |given: Option<usize>, small, official| {
            given.unwrap_or(if self.small { small } else { official })
        };
        let width = if self.small { 0.25 } else { 1.0 };
        let config = GwaeConfig {
            backbone: BackboneConfig {
                image_size: or(self.image_size, 32, 64),
                width: self.width.unwrap_or(width),
                ..BackboneConfig::default()
            },
            ..GwaeConfig::default()
        };
        let training = TrainingConfig {
            batch_size: or(self.batch_size, 8, 64),
            critic_steps: or(self.critic_steps, 1, 5),
            ..TrainingConfig::default()
        };
        (config, training)
    }

    fn devices(&self) -> Vec<DeviceSpec> {
        if !self.device.is_empty() {
            return self.device.clone();
        }
        let backends = DeviceBackend::ALL.into_iter();
        let backends = backends.filter(|backend| backend.is_compiled_in());
        let spec = |backend| DeviceSpec {
            backend,
            index: None,
        };
        backends.map(spec).collect()
    }
}

/// A name in the table, and the measured part of the step. `None` measures the whole step.
type Work = (&'static str, Option<fn(&Parts)>);

const WORKS: [Work; 5] = [
    ("GW loss, forward + backward", Some(Parts::gw_loss)),
    ("encoder, forward + backward", Some(Parts::encoder)),
    ("decoder, forward + backward", Some(Parts::decoder)),
    (
        "critic with gradient penalty, forward + backward",
        Some(Parts::critic_with_penalty),
    ),
    ("full training step", None),
];

/// The timings of a device, in the order of [`WORKS`].
struct Column {
    device: DeviceSpec,
    timings: Vec<Option<Timing>>,
}

fn main() {
    let arguments = Arguments::parse();
    arguments.machine.use_threads();
    let (config, training) = arguments.configs();
    let mut columns: Vec<Column> = Vec::new();
    for spec in arguments.devices() {
        match spec.open() {
            Ok(device) => {
                eprintln!("measuring {spec}");
                let timings = measure(&config, &training, &device.autodiff(), &arguments);
                columns.push(Column {
                    device: spec,
                    timings,
                });
            }
            Err(error) => eprintln!("left out: {error}"),
        }
    }
    if columns.is_empty() {
        common::fail("no device to measure on");
    }
    println!(
        "batch {}, {size}×{size}×{}, width {}, {} critic steps, median (best) of {} runs after {}, \
         {} threads on the CPU\n",
        training.batch_size,
        config.backbone.channels,
        config.backbone.width,
        training.critic_steps,
        arguments.repeats.max(1),
        arguments.warm_up,
        common::threads(),
        size = config.backbone.image_size,
    );
    print(&columns);
    if let Some(path) = &arguments.json {
        let text = json(&columns, &config, &training);
        if let Err(error) = fs::write(path, text) {
            common::fail(&format!("--json {}: {error}", path.display()));
        }
    }
}

/// Times every work on a device. If a work makes the backend panic, for lack of memory for example,
/// the backend has printed the reason, and the next work follows.
fn measure(
    config: &GwaeConfig,
    training: &TrainingConfig,
    device: &Device,
    arguments: &Arguments,
) -> Vec<Option<Timing>> {
    let (warm_up, repeats) = (arguments.warm_up, arguments.repeats);
    WORKS
        .iter()
        .map(|(_, part)| {
            let run = || {
                let mut step = FullStep::new(config, training, device);
                let Some(part) = part else {
                    return common::time(warm_up, repeats, || {
                        step.run();
                    });
                };
                let (model, images) = step.into_model();
                let parts = Parts::new(&model, images, &mut SeededGenerator::new(0, 1));
                common::synchronise(device);
                common::time(warm_up, repeats, || {
                    part(&parts);
                    common::synchronise(device);
                })
            };
            catch_unwind(AssertUnwindSafe(run)).ok()
        })
        .collect()
}

/// A Markdown table; the ratios are of medians.
fn print(columns: &[Column]) {
    let reference = columns
        .iter()
        .find(|column| column.device.backend == DeviceBackend::Cpu);
    let mut header = vec!["work".to_owned()];
    for column in columns {
        header.push(column.device.to_string());
        if reference.is_some_and(|cpu| cpu.device != column.device) {
            header.push(format!("cpu ÷ {}", column.device));
        }
    }
    let mut rows = vec![header];
    for (index, (name, _)) in WORKS.iter().enumerate() {
        let mut row = vec![(*name).to_owned()];
        for column in columns {
            let timing = column.timings[index].as_ref();
            row.push(timing.map_or_else(
                || "failed".into(),
                |timing| format!("{:.1} ms ({:.1})", timing.median * 1e3, timing.best * 1e3),
            ));
            if let Some(cpu) = reference.filter(|cpu| cpu.device != column.device) {
                let cpu = cpu.timings[index].as_ref();
                let ratio = cpu.zip(timing).map(|(cpu, own)| cpu.median / own.median);
                row.push(ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}")));
            }
        }
        rows.push(row);
    }
    common::print_table(&rows);
}

fn json(columns: &[Column], config: &GwaeConfig, training: &TrainingConfig) -> String {
    let mut figures = Vec::new();
    for column in columns {
        for ((name, _), timing) in WORKS.iter().zip(&column.timings) {
            let Some(timing) = timing else { continue };
            figures.push(timing.beside(serde_json::json!({
                "work": name,
                "device": column.device.to_string(),
                "batch_size": training.batch_size,
                "image_size": config.backbone.image_size,
                "width": config.backbone.width,
                "critic_steps": training.critic_steps,
                "threads": common::threads(),
            })));
        }
    }
    format!("{:#}\n", serde_json::Value::Array(figures))
}
