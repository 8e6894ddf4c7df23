//! Trains a GWAE with a Gaussian mixture prior, a variational autoencoder and a deep autoencoding
//! Gaussian mixture model on digits, and asks each of them which other images are none.
//!
//! ```text
//! cargo run --release --example ood_mnist_omniglot
//! ```

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gwae::datasets::config::DataConfig;
use gwae::experiments::ood::{
    Experiment, ExperimentOptions, ExperimentOutcome, HEADLINE, MEAN_BRIGHTNESS, built_in_sets,
    scores_matrix,
};
use gwae::formats::shell::quoted;
use gwae::models::CriticActivation;
use gwae::train::config_file::Setting;
use gwae::train::interrupt::{StopFlag, catch_signals};
use gwae::train::progress::{PreparationBar, standard_display};
use gwae::train::run_directory::{command_line, free_directory};
use gwae::train::{
    ConfigError, DeviceList, DeviceSpec, ModelConfig, RunConfig, compute_on_this_thread,
};

/// Which images are no digits? Trains three models on digits, with nothing to download, and compares
/// their own scores on letters, invented characters, digits with shuffled patches and noise.
///
/// Leaves tables (Markdown and CSV), ROC curves, histograms of the scores, the area under the curve in
/// the course of the training, samples of every mixture component, and the codes in the plane.
///
/// Ctrl-C finishes the step, saves and returns; --resume goes on from there.
#[derive(Parser)]
#[command(
    name = "ood_mnist_omniglot",
    after_help = "Examples:
  cargo run --release --example ood_mnist_omniglot
  cargo run --release --example ood_mnist_omniglot -- --omniglot ~/datasets/omniglot --seeds 3
  cargo run --release --example ood_mnist_omniglot -- --models gwae --ood kmnist=~/datasets
  cargo run --release --example ood_mnist_omniglot -- --set gwae.model.prior.components=20
  cargo run --release --example ood_mnist_omniglot -- --resume runs/ood
  cargo run --release --features cuda --example ood_mnist_omniglot -- --preset paper --device cuda"
)]
struct Arguments {
    /// quick: grey images of 32×32 pixels; takes minutes on two CPU cores. paper: 64×64 pixels in three
    /// channels with the authors' networks, learning rates and critic; for GPUs
    #[arg(long, value_enum, default_value = "quick", conflicts_with = "resume")]
    preset: Preset,

    /// Omniglot, as a directory or one of its archives. It is tested as published (black on white) and
    /// inverted (white on black, like the digits)
    #[arg(long, value_name = "DIR_OR_ZIP", conflicts_with = "resume")]
    omniglot: Option<PathBuf>,

    /// More images to test on: the name of a dataset, then +inverted or +shuffled as wanted, then =DIR if
    /// it has files, such as fashion_mnist=datasets. Can be given several times
    #[arg(long = "ood", value_name = "NAME[=DIR]", conflicts_with = "resume")]
    sets: Vec<DataConfig>,

    /// The models to train
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "gwae,vae,dagmm",
        conflicts_with = "resume"
    )]
    models: Vec<Kind>,

    /// Training steps of the GWAE [default: 2400, with the paper preset 20000]. The other models take
    /// proportionally many, so that all train for about the same time
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,

    /// Train every model with N seeds
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100),
          conflicts_with = "resume")]
    seeds: u64,

    /// The first seed of everything random
    #[arg(long, default_value_t = 0, conflicts_with = "resume")]
    seed: u64,

    /// Score at most N images of each set
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..),
          conflicts_with = "resume")]
    images: u32,

    /// Where to compute: cpu, wgpu, vulkan, metal, cuda or rocm. A number chooses among several:
    /// cuda:0 is the first. All but cpu need the Cargo feature of that name
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,

    /// Share every batch among several devices of one backend, such as cuda:0,cuda:1. The first one
    /// updates the model
    #[arg(long, value_name = "LIST", conflicts_with = "device")]
    devices: Option<DeviceList>,

    #[command(flatten)]
    set: common::SettingsArgument,

    /// Directory of the results; it must be new or empty [default: runs/ood, then runs/ood-2, …]
    #[arg(long, conflicts_with = "resume")]
    out: Option<PathBuf>,

    /// Go on with the experiment in this directory. Finished models are not trained again; the others go
    /// on from their last checkpoint. Only the device may differ
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    Quick,
    Paper,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Gwae,
    Vae,
    Dagmm,
}

/// Steps of the GWAE in the paper preset.
const PAPER_STEPS: u64 = 20_000;

/// The settings of a model, changed as the command line says.
fn configuration(kind: Kind, arguments: &Arguments) -> Result<(String, RunConfig), ConfigError> {
    let (name, file, text) = match kind {
        Kind::Gwae => (
            "GWAE",
            "gwae.toml",
            include_str!("../configs/ood/gwae.toml"),
        ),
        Kind::Vae => ("VAE", "vae.toml", include_str!("../configs/ood/vae.toml")),
        Kind::Dagmm => (
            "DAGMM",
            "dagmm.toml",
            include_str!("../configs/ood/dagmm.toml"),
        ),
    };
    let gwae_steps = {
        let text = include_str!("../configs/ood/gwae.toml");
        RunConfig::parse_toml(Path::new("gwae.toml"), text)?
            .training
            .steps
    };
    let gwae_steps = gwae_steps.expect("the settings have a number of steps");
    let mut config = RunConfig::parse_toml(Path::new(file), text)?;
    if let Preset::Paper = arguments.preset {
        paper(&mut config);
    }
    let default = match arguments.preset {
        Preset::Quick => gwae_steps,
        Preset::Paper => PAPER_STEPS,
    };
    let training = &mut config.training;
    let wanted = arguments.steps.unwrap_or(default);
    let own = training.steps.unwrap_or(gwae_steps);
    let steps = wanted.saturating_mul(own).div_ceil(gwae_steps);
    training.steps = Some(steps);
    training.validate_every = Some(steps.div_ceil(8));
    let config = config.with_settings(&settings_of(&config, &arguments.set.settings))?;
    Ok((name.to_owned(), config))
}

/// The settings for every model, and those that are for this one, such as `gwae.training.seed=1`.
fn settings_of(config: &RunConfig, all: &[Setting]) -> Vec<Setting> {
    let kinds: Vec<_> = ModelConfig::kinds()
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    let of_one = |setting: &Setting| kinds.iter().any(|kind| setting.without(kind).is_some());
    let of_all = all.iter().filter(|setting| !of_one(setting)).cloned();
    let own = all
        .iter()
        .filter_map(|setting| setting.without(config.model.kind()));
    of_all.chain(own).collect()
}

/// The authors' sizes, learning rates and critic.
fn paper(config: &mut RunConfig) {
    if let Some(backbone) = config.model.backbone_mut() {
        backbone.image_size = 64;
        backbone.channels = 3;
        backbone.width = 1.0;
    }
    let training = &mut config.training;
    training.learning_rate = 1e-4;
    training.warmup_steps = 0;
    if let Some(model) = config.model.gwae_mut() {
        model.critic_activation = CriticActivation::LeakyRelu;
        training.critic_learning_rate = 1e-4;
        training.critic_steps = 5;
        training.merged_weight = 1.0;
        training.average_decay = 0.999;
    }
}

/// The sets that need no download, Omniglot where it is given, and those that were asked for.
fn sets(arguments: &Arguments) -> Result<Vec<DataConfig>, ConfigError> {
    let mut sets = Vec::new();
    if let Some(place) = &arguments.omniglot {
        for name in ["omniglot+inverted", "omniglot"] {
            let mut set: DataConfig = name.parse()?;
            set.directory = Some(place.clone());
            sets.push(set);
        }
    }
    sets.extend(built_in_sets(&DataConfig::default()));
    sets.extend(arguments.sets.iter().cloned());
    Ok(sets)
}

/// The headline, and what needs no model.
fn is_headline(_: &str, score: &str) -> bool {
    [HEADLINE, MEAN_BRIGHTNESS].contains(&score)
}

/// The published score of each model, and what needs no model.
fn is_published(model: &str, score: &str) -> bool {
    let published = match model {
        "GWAE" => "potential",
        "VAE" => "prior_negative_log_likelihood",
        _ => "energy",
    };
    [published, MEAN_BRIGHTNESS].contains(&score)
}

/// The scores that are drawn as curves.
fn is_drawn(model: &str, score: &str) -> bool {
    is_headline(model, score)
        || is_published(model, score)
        || [model, score] == ["GWAE", "potential_two_sided"]
}

fn devices(arguments: &Arguments) -> DeviceList {
    let several = arguments.devices.clone();
    several.unwrap_or_else(|| arguments.device.into())
}

/// The experiment that the command line describes, or the one that is stored where it says.
fn experiment(arguments: &Arguments) -> Result<Experiment, Box<dyn std::error::Error>> {
    if let Some(directory) = &arguments.resume {
        let (devices, record) = (devices(arguments), command_line());
        return Ok(Experiment::stored(directory, devices, is_drawn, record)?);
    }
    let models = arguments.models.iter();
    let models = models.map(|kind| configuration(*kind, arguments));
    let directory = arguments.out.clone();
    Ok(Experiment {
        directory: directory.unwrap_or_else(|| free_directory(Path::new("runs/ood"))),
        devices: devices(arguments),
        models: models.collect::<Result<_, _>>()?,
        sets: sets(arguments)?,
        images: arguments.images as usize,
        seeds: (0..arguments.seeds)
            .map(|k| arguments.seed.saturating_add(k))
            .collect(),
        drawn: is_drawn,
        command_line: command_line(),
    })
}

fn run(
    arguments: &Arguments,
    experiment: &Experiment,
    stop: StopFlag,
) -> Result<ExperimentOutcome, Box<dyn std::error::Error>> {
    let mut bar = PreparationBar::new();
    let mut options = ExperimentOptions {
        display: &mut |_| standard_display(200),
        preparation: &mut |done| bar.update(&done),
        message: &mut |text| println!("{text}"),
        stop,
    };
    Ok(match arguments.resume {
        Some(_) => experiment.resume(&mut options)?,
        None => experiment.run(&mut options)?,
    })
}

fn print(outcome: &ExperimentOutcome) {
    let matrix = |shown| scores_matrix(outcome, shown);
    if outcome.models.is_empty() {
        println!("interrupted before a model was finished");
        return;
    }
    println!("{outcome}\n\nEvery score:\n{}", matrix(&|_, _| true));
    println!("The published scores:\n{}", matrix(&is_published));
    println!("The one to trust:\n{}", matrix(&is_headline));
    if outcome.interrupted {
        println!("interrupted: the tables have the models that were finished");
    }
}

/// The command that goes on with what was begun.
fn go_on(arguments: &Arguments, directory: &Path) -> String {
    let (main, device) = match (&arguments.devices, arguments.device) {
        (Some(devices), _) => (devices.main(), format!(" --devices {devices}")),
        (None, device) if device == DeviceSpec::default() => (device, String::new()),
        (None, device) => (device, format!(" --device {device}")),
    };
    let name = main.to_string();
    let features = match name.split(':').next() {
        Some(backend) if main != DeviceSpec::default() => format!(" --features {backend}"),
        _ => String::new(),
    };
    let directory = quoted(directory);
    format!(
        "go on: cargo run --release{features} --example ood_mnist_omniglot -- --resume {directory}{device}"
    )
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    compute_on_this_thread(None);
    let prepared = experiment(&arguments).and_then(|experiment| Ok((experiment, catch_signals()?)));
    let (experiment, stop) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let directory = &experiment.directory;
    match run(&arguments, &experiment, stop.clone()) {
        Ok(outcome) => {
            print(&outcome);
            println!("everything is in {}", directory.display());
            if outcome.interrupted {
                println!("{}", go_on(&arguments, directory));
                return common::stopped(&stop);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            if Experiment::is_stored(directory) {
                eprintln!("{}", go_on(&arguments, directory));
            }
            ExitCode::FAILURE
        }
    }
}
