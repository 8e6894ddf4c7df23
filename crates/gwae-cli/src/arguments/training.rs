//! Arguments of `gwae train` and `gwae resume`.

use std::path::PathBuf;

use clap::Args;
use gwae_datasets::config::DatasetName;
use gwae_priors::PriorConfig;
use gwae_train::{DeviceList, session};

use gwae_train::checkpoint::Which;

use super::{DeviceArgument, FormName, names};

/// Where to train.
#[derive(Clone, Debug, Args)]
pub struct TrainingDevices {
    /// A single device.
    #[command(flatten)]
    pub device: DeviceArgument,
    /// Share every batch among several devices of one backend, such as cuda:0,cuda:1; the first one
    /// updates the model
    #[arg(long, value_name = "LIST", conflicts_with = "device")]
    pub devices: Option<DeviceList>,
}

impl TrainingDevices {
    /// All devices, one or several.
    pub fn list(&self) -> DeviceList {
        let several = self.devices.clone();
        several.unwrap_or_else(|| self.device.device.into())
    }
}

/// Arguments of `gwae train`.
#[derive(Debug, Args)]
#[command(after_help = train_help())]
pub struct Train {
    /// Configuration: a TOML file, or one of the authors' YAML settings files
    pub config: PathBuf,
    /// Directory of the run, new or empty; without it, runs/ and the name of the configuration
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub devices: TrainingDevices,
    /// What takes the place of the configuration's values.
    #[command(flatten)]
    pub overrides: Overrides,
}

fn train_help() -> String {
    format!(
        "\
Examples:
  gwae train config.toml --out runs/digits
  gwae train settings/gwae.yaml --data ~/datasets
  gwae train config.toml --dataset shapes3d --steps 5000
  gwae train config.toml --devices cuda:0,cuda:1 --log-every 50

A TOML file has the tables [model], [model.prior], [training] and [data]; what it leaves out has the
value of the authors' CelebA settings. kind in [model] is the model to train: {kinds}. For example:

  [model]
  image_size = 32
  channels = 1
  prior = {{ family = \"gaussian_mixture\", components = 10 }}
  [training]
  steps = 5000
  [data]
  dataset = \"digits\"

`gwae data list` names the datasets and `gwae data get` downloads them. [data] also takes directory,
validation_fraction, limit (images of each part at most, for quick runs), crop, fit, unreadable, cache,
polarity = \"inverted\" and patch_shuffle.

--devices cuda:0,cuda:1 divides every batch evenly: each device computes the gradient of its share, and
the mean of the gradients updates the model. Losses that compare the images of a batch, as the
Gromov-Wasserstein loss does, then compare those of one share.

Ctrl-C finishes the step, saves and returns; `gwae resume` goes on from there.",
        kinds = names::model_kinds()
    )
}

/// Values in place of the configuration's.
#[derive(Debug, Args)]
#[command(next_help_heading = "In place of the configuration's")]
pub struct Overrides {
    /// Stop after this many steps in all, in place of the configuration's steps and epochs; a run that
    /// no longer gets better still stops by the configuration's patience
    #[arg(long)]
    pub steps: Option<u64>,
    /// Stop after this many passes over the training images, in place of the configuration's steps and
    /// epochs
    #[arg(long)]
    pub epochs: Option<u64>,
    /// Seed of everything random
    #[arg(long)]
    pub seed: Option<u64>,
    /// Family of the latent prior, with its default settings
    #[arg(long, value_name = "FAMILY", help = format!("Family of the latent prior: {}", names::prior_families()))]
    pub prior: Option<PriorConfig>,
    /// Latent dimension
    #[arg(long, value_name = "L")]
    pub latent_dim: Option<usize>,
    /// Images per step
    #[arg(long, value_name = "B")]
    pub batch_size: Option<usize>,
    /// What encoder and decoder compute in during a step: single, bf16 or f16, where the device can;
    /// the parameters and everything else stay in single precision
    #[arg(long, value_name = "TYPE")]
    pub precision: Option<gwae_train::Precision>,
    /// Read the losses from the device, check and log them only every N steps
    #[arg(long, value_name = "N")]
    pub log_every: Option<u64>,
    /// Dataset
    #[arg(long, help = format!("Dataset, as `gwae data list` describes it: {}", names::datasets()))]
    pub dataset: Option<DatasetName>,
    /// Directory of the dataset's files, or the one that `gwae data get` was given; shapes3d and dsprites
    /// are rendered without it
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// Form of a gaussian_mixture or causal prior: as the paper describes it (the default), or as
    /// the authors' program computes it
    #[arg(long, value_name = "FORM")]
    pub form: Option<FormName>,
}

/// Arguments of `gwae resume`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae resume runs/digits
  gwae resume runs/digits --steps 20000    train on beyond the first limit
  gwae resume runs/digits --checkpoint best --learning-rate 5e-5

On the CPU, a run that was stopped and resumed equals the uninterrupted one bit for bit. What is
changed here is kept for later sessions, but for the devices: a run goes on with any number of them.")]
pub struct Resume {
    /// Directory of the run
    pub run: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub devices: TrainingDevices,
    /// Which checkpoint to go on from: last (the newest), best (by validation), or the step of one that
    /// is kept; with an older one, the checkpoints and the log of the steps after it are given up (copy
    /// the run first to keep them)
    #[arg(long, value_name = "WHICH", default_value = "last")]
    pub checkpoint: Which,
    /// What changes.
    #[command(flatten)]
    pub changes: Changes,
}

/// What a resumed run does otherwise than before.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Changes")]
pub struct Changes {
    /// New number of steps in all, in place of the steps and epochs so far; a run that stopped by its
    /// patience needs a new --patience, too
    #[arg(long)]
    pub steps: Option<u64>,
    /// New number of passes over the training images in all, in place of the steps and epochs so far
    #[arg(long)]
    pub epochs: Option<u64>,
    /// New number of validations without a lower loss before the run stops; 0 for never
    #[arg(long, value_name = "N")]
    pub patience: Option<u64>,
    /// New learning rate of encoder, decoder and prior
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
    /// New learning rate of the critic
    #[arg(long, value_name = "RATE")]
    pub critic_learning_rate: Option<f64>,
    /// New number of steps from one reading of the losses to the next
    #[arg(long, value_name = "N")]
    pub log_every: Option<u64>,
}

impl From<&Changes> for session::Changes {
    fn from(changes: &Changes) -> Self {
        Self {
            steps: changes.steps,
            epochs: changes.epochs,
            patience: changes.patience,
            learning_rate: changes.learning_rate,
            critic_learning_rate: changes.critic_learning_rate,
            log_every: changes.log_every,
        }
    }
}
