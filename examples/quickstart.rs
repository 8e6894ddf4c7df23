//! Trains a Gromov-Wasserstein autoencoder on ten thousand real digits, embedded in the program.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use gwae::formats::shell::quoted;
use gwae::priors::PriorConfig;
use gwae::train::checkpoint::Which;
use gwae::train::interrupt::StopFlag;
use gwae::train::run_directory::free_directory;
use gwae::train::session::{self, Changes, RunSummary, SessionOptions, StopReason, TrainError};
use gwae::train::{ConfigError, DeviceList, DeviceSpec, RunConfig, compute_on_this_thread};

/// Train a Gromov-Wasserstein autoencoder on real digits, with nothing to download.
///
/// Leaves a run directory with the resolved configuration, all losses, checkpoints and pictures:
/// reconstructions of held-out digits, samples of the learned prior, a latent traversal and the
/// loss curves.
#[derive(Parser)]
#[command(
    name = "quickstart",
    after_help = "Examples:
  cargo run --release --example quickstart
  cargo run --release --example quickstart -- --prior gaussian_mixture --steps 1000 --out runs/mixture
  cargo run --release --example quickstart -- --set training.learning_rate=5e-4
  cargo run --release --example quickstart -- --resume runs/quickstart --steps 6000
  cargo run --release --features wgpu --example quickstart -- --device wgpu"
)]
struct Arguments {
    /// Where to compute: cpu, wgpu, vulkan, metal, cuda or rocm. A number chooses among several:
    /// cuda:0 is the first. All but cpu need the Cargo feature of that name.
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,

    /// Share every batch among several devices of one backend, such as cuda:0,cuda:1. The first one
    /// updates the model.
    #[arg(long, value_name = "LIST", conflicts_with = "device")]
    devices: Option<DeviceList>,

    /// Training steps in all [default: 2500]. One step updates the autoencoder once and then its
    /// critic.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,

    /// Seed of everything random [default: 0]. The same seed gives the same run.
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    seed: Option<u64>,

    /// Family of the latent prior: neural, factorized_neural, gaussian_mixture,
    /// factorized_normal, factorized_uniform, spherical, vector_quantized or causal [default: neural].
    #[arg(long, value_name = "FAMILY", conflicts_with = "resume")]
    prior: Option<PriorConfig>,

    /// Latent dimension: how many numbers describe a digit [default: 16].
    #[arg(long, value_name = "L", conflicts_with = "resume")]
    latent_dim: Option<usize>,

    /// Images per step [default: 64]. The losses compare all pairs of a batch.
    #[arg(long, value_name = "B", conflicts_with = "resume")]
    batch_size: Option<usize>,

    /// Directory of the run; it must be new or empty [default: runs/quickstart, then runs/quickstart-2, …].
    #[arg(long, conflicts_with = "resume")]
    out: Option<PathBuf>,

    /// Go on with the run in this directory from its last checkpoint.
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,

    #[command(flatten)]
    set: common::SettingsArgument,
}

/// Settings that give recognisable digits within minutes on two CPU cores, changed as the command
/// line says.
fn configuration(arguments: &Arguments) -> Result<RunConfig, ConfigError> {
    let name = Path::new("configs/digits.toml");
    let mut config = RunConfig::parse_toml(name, include_str!("../configs/digits.toml"))?;
    if let (Some(prior), Some(model)) = (&arguments.prior, config.model.gwae_mut()) {
        model.prior = prior.clone();
    }
    if let Some(latent_dim) = arguments.latent_dim {
        config.model.set_latent_dim(latent_dim);
    }
    let training = &mut config.training;
    training.steps = arguments.steps.or(training.steps);
    training.batch_size = arguments.batch_size.unwrap_or(training.batch_size);
    training.seed = arguments.seed.unwrap_or(training.seed);
    config.with_settings(&arguments.set.settings)
}

fn devices(arguments: &Arguments) -> DeviceList {
    let several = arguments.devices.clone();
    several.unwrap_or_else(|| arguments.device.into())
}

fn run(arguments: &Arguments) -> Result<(RunSummary, StopFlag), Box<dyn std::error::Error>> {
    let options = SessionOptions::of_program(devices(arguments))?;
    let stop = options.stop.clone();
    let summary: Result<_, TrainError> = match &arguments.resume {
        Some(path) => {
            let changes = Changes {
                steps: arguments.steps,
                ..Changes::default()
            };
            session::resume(path, Which::Last, &changes, options)
        }
        None => {
            let path = arguments.out.clone();
            let path = path.unwrap_or_else(|| free_directory(Path::new("runs/quickstart")));
            session::start(&configuration(arguments)?, &path, options)
        }
    };
    Ok((summary?, stop))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    compute_on_this_thread(None);
    match run(&arguments) {
        Ok((summary, stop)) => {
            println!("{summary}");
            // An interrupted run still has its own limit.
            let more = match summary.reason {
                StopReason::Interrupted => String::new(),
                _ => format!(" --steps {}", summary.step.next_multiple_of(2500) + 2500),
            };
            println!(
                "go on: cargo run --release --example quickstart -- --resume {}{more}",
                quoted(&summary.directory)
            );
            match summary.reason {
                StopReason::Interrupted => common::stopped(&stop),
                _ => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
