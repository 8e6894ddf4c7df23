//! The command line.

mod configuration;
mod data;
mod detection;
mod metrics;
mod names;
mod official;
mod output;
mod pictures;
mod training;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use gwae_datasets::config::DatasetName;
use gwae_train::DeviceSpec;
use gwae_train::checkpoint::Which;
use gwae_train::trained_model::ImageRequest;

pub use configuration::{Config, Init};
pub use data::{Check, Data, DataCommand, Get, List, Show};
pub use detection::{Clusters, Ood};
pub use metrics::Metrics;
pub use official::{FormName, Import, Precision, Verify};
pub use output::{Codes, Compare, PartName, Report};
pub use pictures::{Dimensions, Reconstruct, Sample, Traverse};
pub use training::{Changes, Overrides, Resume, SettingsArgument, Train, TrainingDevices};

/// Gromov-Wasserstein autoencoders: train, look at, import and verify.
#[derive(Debug, Parser)]
#[command(
    name = "gwae",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  gwae init > config.toml                             write a configuration to begin with
  gwae train config.toml --out runs/digits            train a model
  gwae resume runs/digits --steps 20000               go on where it stopped
  gwae data list                                      which datasets there are
  gwae import checkpoint_best.pth --out runs/celeba   take over a model of the authors' program
  gwae sample runs/celeba -n 64 --seed 1              draw images from its prior
  gwae ood runs/digits                                which images are no digits?
  gwae clusters runs/digits                           which images lie together?
  gwae report runs/digits                             everything about a run on one page
  gwae codes runs/digits --out codes.npz              its codes for other tools
  gwae verify trajectory.json                         compare this program with the authors'

Exit status:
  0     done
  1     an error, in one line on standard error
  2     a command line that is not understood
  130   stopped by Ctrl-C (SIGINT); a training is saved, and `gwae resume` goes on
  143   the same by SIGTERM

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
    /// Print a commented configuration to begin with
    Init(Init),
    /// Print the configuration of a run or file, every key with its value and a comment
    Config(Config),
    /// List, download, check and show datasets
    Data(Data),
    /// Draw images from the prior of a trained model
    Sample(Sample),
    /// Draw images, and below each one its reconstruction by a trained model
    Reconstruct(Reconstruct),
    /// Draw what each latent dimension of a trained model changes in an image
    Traverse(Traverse),
    /// Measure how well a trained model tells foreign images from images like its training data
    Ood(Ood),
    /// Divide images into groups by their codes, and draw the groups
    Clusters(Clusters),
    /// Write one HTML page with everything that a run shows
    Report(Report),
    /// Write one HTML page with several runs side by side
    Compare(Compare),
    /// Write the codes of a dataset's images as a NumPy archive, for other tools
    Codes(Codes),
    /// Measure scores or codes of any program: detection, disentanglement, distances
    Metrics(Metrics),
    /// Make a run from a checkpoint (.pth) of the authors' PyTorch program
    Import(Import),
    /// Check that this program computes the same numbers as the authors' program
    Verify(Verify),
}

/// Where to compute.
#[derive(Clone, Copy, Debug, Args)]
pub struct DeviceArgument {
    /// Where to compute: cpu, wgpu, vulkan, metal, cuda or rocm. A number chooses among several: cuda:0
    /// is the first. All but cpu need a program that was built with the Cargo feature of that name
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: DeviceSpec,
}

/// A trained model.
#[derive(Clone, Debug, Args)]
pub struct ModelArguments {
    /// Directory of the run. `gwae train` and `gwae import` make such directories
    pub run: PathBuf,
    /// Which checkpoint: best (by validation), last (the newest), or the step of one that the run kept,
    /// such as 500. Without it: best, or last if no validation has been done
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<Which>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// Images to show to a model.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Images")]
pub struct ImageArguments {
    /// Take images of this dataset: those of its test part, or all if it has none. Without it: the
    /// images that the run held out
    #[arg(long, value_name = "DATASET")]
    pub dataset: Option<DatasetName>,
    /// Directory of the dataset's files, or the one that `gwae data get` was given. Without --dataset:
    /// where the files of the run's own dataset are now
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
}

impl From<&ImageArguments> for ImageRequest {
    fn from(arguments: &ImageArguments) -> Self {
        Self {
            dataset: arguments.dataset,
            directory: arguments.data.clone(),
        }
    }
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
    fn tolerances_are_positive() {
        assert_eq!(parse_positive("1e-3"), Ok(1e-3));
        for wrong in ["0", "-1", "nan", "inf", "x"] {
            assert!(parse_positive(wrong).is_err(), "{wrong}");
        }
    }
}
