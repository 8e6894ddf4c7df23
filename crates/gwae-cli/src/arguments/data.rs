//! The command line of `gwae data`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gwae_datasets::config::DatasetName;

use super::names;

/// Default directory of datasets.
const DIRECTORY: &str = "data";

/// Default of the least rate of a download, in bytes per second.
const LEAST_RATE: u64 = 1_000;

/// Arguments of `gwae data`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  gwae data list                                 what exists, from where, how large, on which terms
  gwae data get omniglot --dir ~/datasets        download into ~/datasets/omniglot, and verify
  gwae data check omniglot --dir ~/datasets      verify again
  gwae data show omniglot --data ~/datasets --out sheet.png
  gwae train config.toml --dataset omniglot --data ~/datasets

`gwae data list` says which of them this program has in it or renders: these need no download."
)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub command: DataCommand,
}

/// The commands of `gwae data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the datasets: contents, origin, size, licence, and whether they are there
    List(List),
    /// Download a dataset and verify it
    Get(Get),
    /// Verify the files of a dataset against their published checksums, and the copies made of them
    Check(Check),
    /// Draw some images of a dataset with their labels
    Show(Show),
}

/// Arguments of `gwae data list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae data list
  gwae data list --dir ~/datasets

A dataset is there if the directory, or its subdirectory of the dataset's name, has its files with
their published sizes; `gwae data check` compares checksums too.")]
pub struct List {
    /// Directory to look for them in
    #[arg(long, value_name = "DIRECTORY", default_value = DIRECTORY)]
    pub dir: PathBuf,
}

/// Arguments of `gwae data get`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae data get mnist                            into data/mnist
  gwae data get shapes3d --dir ~/datasets        into ~/datasets/shapes3d
  gwae data get mnist --url https://example.org/mnist/
  GWAE_MIRROR=https://example.org/data gwae data get mnist    from .../data/mnist/FILE

A download that was interrupted goes on where it stopped when the command is run again, if the server can send
the rest of a file. One that fails otherwise leaves nothing behind. A file gets its name
only when its checksum is right. Files that are there and right are left alone; wrong ones are an error
unless --replace is given, which keeps them as FILE.wrong.

CelebA's terms forbid automatic downloads: for it the steps to do by hand are printed, and the exit
status is 1 until its files are there.")]
pub struct Get {
    /// Dataset, as `gwae data list` names it
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Directory for datasets. Each gets a subdirectory of its name
    #[arg(long, value_name = "DIRECTORY", default_value = DIRECTORY)]
    pub dir: PathBuf,
    /// Address to download from, in place of the published one: that of the file or, if it ends with /,
    /// of the directory with all files
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Download again the files that are there but wrong. The wrong ones are kept as FILE.wrong
    #[arg(long)]
    pub replace: bool,
    /// Give an address up that sends fewer bytes per second than this for a minute, five times in a row; 0 waits for
    /// any server
    #[arg(long, value_name = "BYTES", default_value_t = LEAST_RATE)]
    pub least_rate: u64,
}

/// Arguments of `gwae data check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae data check mnist
  gwae data check shapes3d --dir ~/datasets
  gwae data check folder --data ~/pictures       read every image, and name those that cannot be read

The exit status is 0 when all files are there and none is wrong, else 1. Files for which no checksum is
published are compared by size and marked as unverified. Copies that are faster to read (3dshapes.h5.gwae-cache,
CelebA's .images) are checked item by item. Delete a damaged copy: it is made again when it is needed.")]
pub struct Check {
    /// Dataset, as `gwae data list` names it
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Directory of the dataset, or the one that has it in a subdirectory of its name [default: data];
    /// for folder, the folder or archive itself, without a default
    #[arg(long, visible_alias = "data", value_name = "DIRECTORY")]
    pub dir: Option<PathBuf>,
    /// Directory of the copies, if they are not beside the files (data.cache of a configuration)
    #[arg(long, value_name = "DIRECTORY")]
    pub cache: Option<PathBuf>,
}

impl Check {
    /// The given directory, or the default one.
    pub fn directory(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(DIRECTORY))
    }
}

/// Arguments of `gwae data show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae data show digits --out digits.png
  gwae data show shapes3d --vary orientation --out orientation.png
  gwae data show shapes3d --size 256 --number 6 --out large.png
  gwae data show celeba --data ~/datasets --vary Smiling --out smiling.png
  gwae data show folder --data ~/pictures --out pictures.png
  gwae data show letters --vary letter --out letters.png

Below each image are the values of its factors. With --vary every column is a value of that factor. In
a row of shapes3d and dsprites everything else stays as it is, and is named on the left; other datasets
have no such images, and every column shows different ones.")]
pub struct Show {
    /// Dataset
    #[arg(value_name = "NAME", help = format!("Dataset: {}", names::datasets()))]
    pub name: DatasetName,
    /// Directory of its files, or the one that `gwae data get` was given. Without it, shapes3d and
    /// dsprites are rendered. Datasets in the program need none
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// PNG file to write
    #[arg(long, value_name = "FILE.png")]
    pub out: PathBuf,
    /// Factor to show, such as shape or class: one column per value
    #[arg(long, value_name = "FACTOR")]
    pub vary: Option<String>,
    /// How many images, or with --vary how many rows [default: 24, with --vary 4]
    #[arg(long, short = 'n', value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub number: Option<u32>,
    /// Side of the images in pixels [default: 96 if rendered, else the dataset's own, at most 128]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub size: Option<u32>,
    /// Seed of the choice of images
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
