//! Arguments of `gwae train` and `gwae resume`.

use std::path::PathBuf;

use clap::Args;
use gwae_datasets::config::DatasetName;
use gwae_priors::PriorConfig;
use gwae_train::config_file::Setting;
use gwae_train::{DeviceList, session};

use gwae_train::checkpoint::Which;

use super::{DeviceArgument, FormName, names};

/// Where to train.
#[derive(Clone, Debug, Args)]
pub struct TrainingDevices {
    /// A single device.
    #[command(flatten)]
    pub device: DeviceArgument,
    /// Share every batch among several devices of one backend, such as cuda:0,cuda:1. The first one
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
    /// Configuration: a TOML file, one of the authors' YAML settings files, or - for standard input
    pub config: PathBuf,
    /// Directory of the run; it must be new or empty. Without it: runs/ and the name of the
    /// configuration file
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
  gwae train config.toml --set training.learning_rate=1e-3 --set model.prior.components=5
  gwae train config.toml --devices cuda:0,cuda:1 --log-every 50
  gwae init --set training.steps=500 | gwae train - --out runs/first

`gwae init` writes a configuration to begin with, and `gwae config` shows every key with its value. A
TOML file has the tables [model], [model.prior], [training] and [data]; what it leaves out has the
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

Ctrl-C finishes the step, saves and returns; `gwae resume` goes on from there. The exit status is then
130, after SIGTERM 143; 0 when the training is finished.",
        kinds = names::model_kinds()
    )
}

/// Values in place of the configuration's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Values in place of the configuration's")]
pub struct Overrides {
    /// Stop after N steps. This replaces steps and epochs of the configuration, but not its patience
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after N passes over the training images. This replaces steps and epochs of the
    /// configuration, but not its patience
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
    /// Seed of everything random. The same seed gives the same run
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Family of the latent prior, with its default settings
    #[arg(long, value_name = "FAMILY", help = format!("Family of the latent prior: {}", names::prior_families()))]
    pub prior: Option<PriorConfig>,
    /// Latent dimension: how many numbers describe an image
    #[arg(long, value_name = "L")]
    pub latent_dim: Option<usize>,
    /// Images per step
    #[arg(long, value_name = "B")]
    pub batch_size: Option<usize>,
    /// Floating-point type of encoder and decoder during a step: single, bf16 or f16. Not every device
    /// has all of them. Parameters and everything else stay in single precision
    #[arg(long, value_name = "TYPE")]
    pub precision: Option<gwae_train::Precision>,
    /// Read, check and log the losses every N steps
    #[arg(long, value_name = "N")]
    pub log_every: Option<u64>,
    /// Dataset
    #[arg(long, help = format!("Dataset, as `gwae data list` describes it: {}", names::datasets()))]
    pub dataset: Option<DatasetName>,
    /// Directory of the dataset's files, or the one that `gwae data get` was given. Without it, shapes3d
    /// and dsprites are rendered
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// Form of a gaussian_mixture or causal prior: corrected (as the paper describes it, the default) or
    /// official (as the authors' program computes it)
    #[arg(long, value_name = "FORM")]
    pub form: Option<FormName>,
    /// Any other value.
    #[command(flatten)]
    pub settings: SettingsArgument,
}

/// Values of a configuration by their keys.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgument {
    /// Any value of the configuration by its key, such as training.learning_rate=1e-3 or
    /// model.prior.components=5. Can be given several times. `gwae config` lists the keys
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<Setting>,
}

/// Arguments of `gwae resume`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae resume runs/digits
  gwae resume runs/digits --steps 20000    train on beyond the first limit
  gwae resume runs/digits --checkpoint best --learning-rate 5e-5
  gwae resume runs/celeba --data /mnt/new/celeba    the data are in another place now

On the CPU, a run that was stopped and resumed equals one that was never stopped, bit for bit. Later
sessions keep the changes, but not the devices: a run goes on with any number of them.

Ctrl-C finishes the step and saves; the exit status is then 130, after SIGTERM 143.")]
pub struct Resume {
    /// Directory of the run
    pub run: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub devices: TrainingDevices,
    /// Which checkpoint to go on from: last (the newest), best (by validation), or the step of one that
    /// the run kept. Going on from an older one removes the checkpoints and the log after it; copy the run
    /// first to keep them
    #[arg(long, value_name = "WHICH", default_value = "last")]
    pub checkpoint: Which,
    /// What changes.
    #[command(flatten)]
    pub changes: Changes,
}

/// What a resumed run does otherwise than before.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Changes")]
pub struct Changes {
    /// Train on to N steps in all, at least as many as are done. This replaces the old steps and epochs.
    /// A run that stopped by its patience needs a new --patience, too
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Train on to N passes over the training images in all. This replaces the old steps and epochs
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
    /// Stop after N validations in a row without a lower loss; 0: never
    #[arg(long, value_name = "N")]
    pub patience: Option<u64>,
    /// New learning rate of encoder, decoder and prior
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
    /// New learning rate of the critic
    #[arg(long, value_name = "RATE")]
    pub critic_learning_rate: Option<f64>,
    /// Read, check and log the losses every N steps
    #[arg(long, value_name = "N")]
    pub log_every: Option<u64>,
    /// Directory where the dataset's files are now, if they moved. They must be the same files
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// Go on although the data are not those that the run began with. The images are divided anew, and
    /// run.json keeps when this was, after which step, and both fingerprints
    #[arg(long)]
    pub accept_data_change: bool,
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
            data_directory: changes.data.clone(),
            accept_data_change: changes.accept_data_change,
        }
    }
}
