//! The command line.

mod data;
mod detection;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gwae_priors::{Form, PriorConfig};
use gwae_train::checkpoint::Which;
use gwae_train::{DatasetName, DeviceList, DeviceSpec};

pub use data::{Check, Data, DataCommand, Get, List, Show};
pub use detection::{Metrics, Ood};

/// Gromov-Wasserstein autoencoders: train, look at, import and verify.
#[derive(Debug, Parser)]
#[command(
    name = "gwae",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  gwae train config.toml --out runs/digits            train a model
  gwae resume runs/digits --steps 20000               go on where it stopped
  gwae data list                                      which datasets there are
  gwae import checkpoint_best.pth --out runs/celeba   take over a model of the authors' program
  gwae sample runs/celeba -n 64 --seed 1              draw images from its prior
  gwae ood runs/digits                                which images are no digits?
  gwae verify tests/golden/*.json                     compare this program with the authors'

`gwae COMMAND --help` explains each command."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model
    Train(Train),
    /// Go on with a run from its last checkpoint
    Resume(Resume),
    /// List, download, verify and look at datasets
    Data(Data),
    /// Draw images from the prior of a trained model
    Sample(Sample),
    /// Show images above what a trained model makes of them
    Reconstruct(Reconstruct),
    /// Show what each latent dimension of a trained model changes
    Traverse(Traverse),
    /// Tell images of the training data from others by a trained model's own scores
    Ood(Ood),
    /// Measure how well scores of any program tell two kinds of items apart
    Metrics(Metrics),
    /// Take over a checkpoint (.pth) of the authors' PyTorch program
    Import(Import),
    /// Compare this program with numbers that the authors' program computed
    Verify(Verify),
}

/// Where to compute.
#[derive(Clone, Copy, Debug, Args)]
pub struct DeviceArgument {
    /// cpu, wgpu, vulkan, metal, cuda or rocm, with :N for the N-th one; each but cpu needs the
    /// Cargo feature of its name
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: DeviceSpec,
}

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
    /// All of them, one or several.
    pub fn list(&self) -> DeviceList {
        let several = self.devices.clone();
        several.unwrap_or_else(|| self.device.device.into())
    }
}

/// Arguments of `gwae train`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae train config.toml --out runs/digits
  gwae train settings/gwae.yaml --data ~/datasets
  gwae train config.toml --dataset shapes3d --steps 5000
  gwae train config.toml --devices cuda:0,cuda:1 --log-every 50

A TOML file has the tables [model], [model.prior], [training] and [data]; what it leaves out has the
value of the authors' CelebA settings. kind = \"vae\" or \"dagmm\" in [model] trains that baseline. For example:

  [model]
  image_size = 32
  channels = 1
  prior = { family = \"gaussian_mixture\", components = 10 }
  [training]
  steps = 5000
  [data]
  dataset = \"digits\"

`gwae data list` names the datasets and `gwae data get` downloads them. [data] also takes directory,
validation_fraction, limit (so many images of each part, for quick runs), crop, cache, polarity =
\"inverted\" and patch_shuffle.

--devices cuda:0,cuda:1 divides every batch evenly: each device computes the gradient of its share, and
the mean of the gradients updates the model. Losses that compare the images of a batch, as the
Gromov-Wasserstein loss does, then compare those of one share.

Ctrl-C finishes the step, saves and returns; `gwae resume` goes on from there.")]
pub struct Train {
    /// Configuration: a TOML file, or one of the authors' YAML settings files
    pub config: PathBuf,
    /// Directory of the run, new or empty; without it, runs/ and the name of the configuration
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub devices: TrainingDevices,
    /// Stop after this many steps in all; takes the place of every limit of the configuration
    #[arg(long, help_heading = "In place of the configuration's")]
    pub steps: Option<u64>,
    /// Stop after this many passes over the training images; takes the place of every limit of the
    /// configuration
    #[arg(long, help_heading = "In place of the configuration's")]
    pub epochs: Option<u64>,
    /// Seed of everything random
    #[arg(long, help_heading = "In place of the configuration's")]
    pub seed: Option<u64>,
    /// Family of the latent prior: neural, factorized_neural, gaussian_mixture, factorized_normal,
    /// factorized_uniform, spherical, vector_quantized or causal
    #[arg(
        long,
        value_name = "FAMILY",
        help_heading = "In place of the configuration's"
    )]
    pub prior: Option<PriorConfig>,
    /// Latent dimension
    #[arg(
        long,
        value_name = "L",
        help_heading = "In place of the configuration's"
    )]
    pub latent_dim: Option<usize>,
    /// Images per step
    #[arg(
        long,
        value_name = "B",
        help_heading = "In place of the configuration's"
    )]
    pub batch_size: Option<usize>,
    /// What encoder and decoder compute in during a step: single, bf16 or f16, where the device can;
    /// the parameters and everything else stay in single precision
    #[arg(
        long,
        value_name = "TYPE",
        help_heading = "In place of the configuration's"
    )]
    pub precision: Option<gwae_train::Precision>,
    /// Read the losses from the device, check and log them every so many steps only
    #[arg(
        long,
        value_name = "N",
        help_heading = "In place of the configuration's"
    )]
    pub log_every: Option<u64>,
    /// Dataset: digits (embedded), mnist, fashion_mnist, kmnist, omniglot, shapes3d and dsprites
    /// (rendered, or with --data from their files), celeba, folder (any images), or
    /// invented_characters, letters and noise (rendered)
    #[arg(long, help_heading = "In place of the configuration's")]
    pub dataset: Option<DatasetName>,
    /// Directory of the dataset's files, or the one that `gwae data get` was given
    #[arg(
        long,
        value_name = "DIRECTORY",
        help_heading = "In place of the configuration's"
    )]
    pub data: Option<PathBuf>,
    /// Form of a gaussian_mixture or causal prior: as the paper describes it (the default), or as
    /// the authors' program computes it
    #[arg(
        long,
        value_name = "FORM",
        help_heading = "In place of the configuration's"
    )]
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
    /// Which checkpoint to go on from: the newest, or the one with the lowest validation loss
    #[arg(long, value_name = "WHICH", default_value = "last")]
    pub checkpoint: CheckpointName,
    /// New number of steps in all; takes the place of every limit so far
    #[arg(long, help_heading = "Changes")]
    pub steps: Option<u64>,
    /// New number of passes over the training images in all; takes the place of every limit so far
    #[arg(long, help_heading = "Changes")]
    pub epochs: Option<u64>,
    /// New number of validations without a lower loss before the run stops; 0 for never
    #[arg(long, value_name = "N", help_heading = "Changes")]
    pub patience: Option<u64>,
    /// New learning rate of encoder, decoder and prior
    #[arg(long, value_name = "RATE", help_heading = "Changes")]
    pub learning_rate: Option<f64>,
    /// New learning rate of the critic
    #[arg(long, value_name = "RATE", help_heading = "Changes")]
    pub critic_learning_rate: Option<f64>,
    /// New number of steps from one reading of the losses to the next
    #[arg(long, value_name = "N", help_heading = "Changes")]
    pub log_every: Option<u64>,
}

/// A trained model.
#[derive(Clone, Debug, Args)]
pub struct ModelArguments {
    /// Directory of the run, as training and `gwae import` make it
    pub run: PathBuf,
    /// Which checkpoint: the one with the lowest validation loss or the newest; without it the
    /// best where there is one
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointName>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// Which checkpoint of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckpointName {
    /// The newest.
    Last,
    /// The one with the lowest validation loss.
    Best,
}

impl From<CheckpointName> for Which {
    fn from(name: CheckpointName) -> Self {
        match name {
            CheckpointName::Last => Self::Last,
            CheckpointName::Best => Self::Best,
        }
    }
}

/// Arguments of `gwae sample`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae sample runs/digits                         64 images into the run directory
  gwae sample runs/digits -n 100 --seed 7 --out samples.png

The same seed draws the same codes on every device.")]
pub struct Sample {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// How many images
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub number: u32,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// PNG file to write; without it, a file in the run directory that tells step and seed
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
}

/// Images to show to a model.
#[derive(Clone, Debug, Args)]
pub struct ImageArguments {
    /// Dataset to take test images from; without it, the one of the run
    #[arg(long, value_name = "DATASET", help_heading = "Images")]
    pub dataset: Option<DatasetName>,
    /// Directory of the dataset's files, or the one that `gwae data get` was given
    #[arg(long, value_name = "DIRECTORY", help_heading = "Images")]
    pub data: Option<PathBuf>,
}

/// Arguments of `gwae reconstruct`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae reconstruct runs/digits                     16 images of the run's test part
  gwae reconstruct runs/celeba --dataset mnist --data ~/mnist --images 32

The picture has the images in the upper row of each pair and the decoded means of their codes below.")]
pub struct Reconstruct {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// How many images
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub images: u32,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
    /// PNG file to write; without it, a file in the run directory
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
}

/// Arguments of `gwae traverse`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae traverse runs/digits                            the ten dimensions that change most
  gwae traverse runs/digits --dimensions 0,3,8-11 --range 3 --columns 13
  gwae traverse runs/digits --image 5                  starting from the code of test image 5

Every row varies one dimension from -RANGE to +RANGE standard deviations of the prior around the
prior's mean; the other dimensions stay those of the starting code.")]
pub struct Traverse {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Latent dimensions, counted from 0, such as 0,3,8-11; without it, the ten that change the
    /// image most
    #[arg(long, value_name = "LIST", value_parser = parse_dimensions)]
    pub dimensions: Option<Dimensions>,
    /// How far, in standard deviations of the prior
    #[arg(long, value_name = "RANGE", default_value_t = 2.0, value_parser = parse_positive)]
    pub range: f64,
    /// Images per row
    #[arg(long, value_name = "N", default_value_t = 9,
          value_parser = clap::value_parser!(u32).range(2..=101))]
    pub columns: u32,
    /// Start from the code of this test image, counted from 0; without it, from a draw of the prior
    #[arg(long, value_name = "INDEX")]
    pub image: Option<u32>,
    /// Seed of the starting draw
    #[arg(long, default_value_t = 0, conflicts_with = "image")]
    pub seed: u64,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
    /// PNG file to write; without it, a file in the run directory
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
}

/// Arguments of `gwae import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae import runs/celeba_gwae/checkpoint_best.pth --out runs/celeba
  gwae sample runs/celeba

The hyper-parameters come from --config, else from the checkpoint's options, else from the names and
shapes of its parameters (which do not tell learned_similarity and mixed_potential: they are then
assumed to be off).

The authors' samplers of the Gaussian mixture and the causal prior have slips. The weights were
trained with them, so --form official, which keeps them, is the default here.

An imported model is there to be used: the checkpoint says nothing of its training data, so `gwae
resume` cannot go on with it.")]
pub struct Import {
    /// Checkpoint that the authors' program wrote
    #[arg(value_name = "CHECKPOINT.pth")]
    pub source: PathBuf,
    /// Run directory to make; it must be new or empty
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Settings (TOML, or the authors' YAML) to use in place of the checkpoint's own
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which form of a prior whose official sampler has a slip; in a TOML file given with
    /// --config the file says it
    #[arg(long, value_name = "FORM", default_value = "official")]
    pub form: FormName,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// Which form of a prior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    /// What the paper describes.
    Corrected,
    /// What the authors' program computes.
    Official,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Corrected => Self::Corrected,
            FormName::Official => Self::Official,
        }
    }
}

/// Arguments of `gwae verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae verify tests/golden/np_merged.json tests/golden/gmp_merged.json
  gwae verify --checkpoint official_np_z64.pth --expect official_np_z64.json
  gwae verify --device wgpu --tolerance 1e-2 tests/golden/*.json

A trajectory file holds the losses of a few training steps. Its batch, noise and first weights follow
from names, so the same steps are trained here and compared. A difference is relative to the expected
value, or to 0.001 where that is smaller.

The exit status is 0 when every loss (of a checkpoint: every quantity) is within the tolerance, else 1.
Parameter norms and the evaluation pass are shown, and marked where they exceed it, but do not decide.

RMSprop divides a gradient by its own size, so where a gradient is all but zero, rounding decides which
way a whole step goes, and single precision alone can drive two correct programs apart by more than the
tolerance. The CPU therefore computes in double precision unless --precision single asks for what
training uses. bf16 and f16 show what training.precision costs; nobody should expect agreement.")]
pub struct Verify {
    /// Trajectory files
    #[arg(value_name = "TRAJECTORY.json", required_unless_present = "checkpoint")]
    pub trajectories: Vec<PathBuf>,
    /// Checkpoint (.pth) of the authors' program to import and compare
    #[arg(long, value_name = "X.pth", requires = "expect")]
    pub checkpoint: Option<PathBuf>,
    /// What the authors' program computes from that checkpoint
    #[arg(long, value_name = "X.json", requires = "checkpoint")]
    pub expect: Option<PathBuf>,
    /// Floating-point type; without it, double on the CPU and single elsewhere
    #[arg(long, value_name = "TYPE")]
    pub precision: Option<Precision>,
    /// Largest relative difference that counts as agreement
    #[arg(long, value_name = "T", default_value_t = 1e-3, value_parser = parse_positive)]
    pub tolerance: f64,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// Floating-point type to compute in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// 32 bits, what training uses.
    Single,
    /// 64 bits, on the CPU only.
    Double,
    /// Encoder and decoder in bfloat16, as with training.precision.
    Bf16,
    /// Encoder and decoder in half precision, as with training.precision.
    F16,
}

/// Latent dimensions in the order that they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimensions(pub Vec<usize>);

fn parse_dimensions(text: &str) -> Result<Dimensions, String> {
    let number = |text: &str| -> Result<usize, String> {
        let text = text.trim();
        let value = text.parse::<u16>();
        value.map(usize::from).map_err(|_| {
            format!("`{text}` is no dimension: write numbers and ranges, as in 0,3,8-11")
        })
    };
    let mut dimensions = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => dimensions.push(number(part)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(format!("{first}-{last} runs backwards"));
                }
                dimensions.extend(first..=last);
            }
        }
    }
    Ok(Dimensions(dimensions))
}

fn parse_positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if number.is_finite() && number > 0.0 {
        Ok(number)
    } else {
        Err("it must be a positive number".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn dimensions_are_numbers_and_ranges() {
        let parsed = parse_dimensions("7,0, 3-5").unwrap();
        assert_eq!(parsed, Dimensions(vec![7, 0, 3, 4, 5]));
        for wrong in ["", "x", "5-3", "1,,2", "-1", "1-", "70000"] {
            assert!(parse_dimensions(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tolerances_are_positive() {
        assert_eq!(parse_positive("1e-3"), Ok(1e-3));
        for wrong in ["0", "-1", "nan", "inf", "x"] {
            assert!(parse_positive(wrong).is_err(), "{wrong}");
        }
    }
}
