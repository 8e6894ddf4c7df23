//! Arguments of the commands that write what other programs read: pages and codes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gwae_train::trained_model::CodedPart;

use super::{ImageArguments, ModelArguments};

/// Arguments of `gwae report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gwae report runs/digits        writes runs/digits/report.html

The page has the losses, the pictures that the run has, how the run was made, and its configuration. It
needs no other file, so it can be sent or published as it is. Every training writes it at its end.")]
pub struct Report {
    /// Directory of the run
    pub run: PathBuf,
    /// File to write. Without it: report.html in the run
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
}

/// Arguments of `gwae compare`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gwae compare runs/a runs/b runs/c --out comparison.html

The page has the settings in which the runs differ, their losses side by side, their curves over each
other, and their samples. Runs that differ only in training.seed form a group with mean and standard
error.")]
pub struct Compare {
    /// Directories of the runs, at most 20
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// File to write
    #[arg(long, value_name = "FILE.html", default_value = "comparison.html")]
    pub out: PathBuf,
}

/// Arguments of `gwae codes`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae codes runs/digits --out codes.npz            the images that the run held out
  gwae codes runs/shapes --part all -n 10000 --out codes.npz

In Python: codes = numpy.load(\"codes.npz\"). It holds, for N images with L latent dimensions and F factors:
  means    [N, L]  the codes: means of the posteriors
  logvars  [N, L]  logarithms of the variances of the posteriors
  samples  [N, L]  one draw from each posterior
  factors  [N, F]  what the dataset knows of each image, such as its class
  indices  [N]     where each image stands in the dataset")]
pub struct Codes {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Which images
    #[arg(long, value_enum, default_value_t = PartName::Unseen)]
    pub part: PartName,
    /// Largest number of images. Without it: all of that part
    #[arg(short = 'n', long = "number", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub number: Option<u32>,
    /// Seed of the draws from the posteriors
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
    /// NumPy archive to write. Without it: a new file in the run
    #[arg(long, value_name = "FILE.npz")]
    pub out: Option<PathBuf>,
}

/// A part of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PartName {
    /// Images that the model was not trained on
    Unseen,
    /// Every image
    All,
}

impl From<PartName> for CodedPart {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Unseen => Self::Unseen,
            PartName::All => Self::All,
        }
    }
}
