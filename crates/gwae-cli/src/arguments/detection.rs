//! Arguments of `gwae ood`, `gwae clusters` and `gwae metrics`.

use std::path::PathBuf;

use clap::Args;
use gwae_datasets::config::DataConfig;

use super::{ImageArguments, ModelArguments};

/// Arguments of `gwae ood`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae ood runs/digits                                  the sets that need no download
  gwae ood runs/digits --out-of-distribution omniglot+inverted=~/datasets
  gwae ood runs/mnist --in-distribution mnist=~/datasets --out-of-distribution fashion_mnist=~/datasets \\
      --out-of-distribution digits+shuffled

A set is the name of a dataset, +inverted (black and white exchanged) and +shuffled (patches of each
image change places) as wanted, and =DIRECTORY if it has files. Its official test part is taken, or all
of it if it has no such part.

Every score is higher for images that are further from the training data. `potential` is the published
score of a GWAE, D(f(z), z); its sign away from the data depends on chance, which `…_two_sided` (the
distance from the median on training images) does not. `mean_brightness` needs no model: it is what a
score has to beat.")]
pub struct Ood {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Images like those of the training; without it, those that the run held out: its test part, or
    /// if the dataset has none its validation part
    #[arg(long, value_name = "NAME[=DIR]")]
    pub in_distribution: Option<DataConfig>,
    /// Images of another kind; can be given several times; without it, letters, invented
    /// characters, the in-distribution images with shuffled patches and noise, but for what the model
    /// was trained on
    #[arg(long, value_name = "NAME[=DIR]")]
    pub out_of_distribution: Vec<DataConfig>,
    /// Images of each set, at most
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub images: u32,
    /// Seed of the choice of images
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Directory for tables, curves, histograms and scores (.npy), new or empty; without it, one in the
    /// run directory
    #[arg(long, value_name = "DIRECTORY")]
    pub out: Option<PathBuf>,
}

/// Arguments of `gwae clusters`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae clusters runs/mixture                            1000 images that the run held out
  gwae clusters runs/digits --clusters 10               k-means on the codes of any model
  gwae clusters runs/shapes --label shape --images 3000
  gwae clusters runs/digits --dataset mnist --data ~/datasets

If the latent distribution is a mixture (a GWAE with prior = { family = \"gaussian_mixture\" }, or a DAGMM): how
evenly the components are used in the prior and by the images, each assigned to the component under which it
is most probable, and draws of each component (cluster_samples/component_k.png). For every model: k-means on
the codes, the Calinski-Harabasz index of 2 to 12 clusters (the larger, the better they are apart), and the
codes in the plane (embedding.png). For images with labels, which no model was shown: how well both
divisions agree with them. clusters.json has all figures.")]
pub struct Clusters {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Images, at most
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(3..=1_000_000))]
    pub images: u32,
    /// Clusters of k-means; without it as many as the model has components, and without components as
    /// many as the Calinski-Harabasz index prefers
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clusters: Option<u32>,
    /// Factor of the dataset whose values are the labels; without it the first one
    #[arg(long, value_name = "FACTOR")]
    pub label: Option<String>,
    /// Seed of everything random: which images, k-means, draws, the picture
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
    /// Directory for figures and pictures, new or empty; without it, one in the run directory
    #[arg(long, value_name = "DIRECTORY")]
    pub out: Option<PathBuf>,
}

/// Arguments of `gwae metrics`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae metrics --scores-in digits.npy --scores-out letters.npy
  gwae metrics --scores-in a.npy --scores-out b.npy --json result.json

The files hold one number per image, as numpy.save writes an array of any plain number type; integers
that a double cannot hold exactly are refused. Higher means further from the training data. Ties count
half.")]
pub struct Metrics {
    /// Scores of in-distribution items
    #[arg(long, value_name = "FILE.npy")]
    pub scores_in: PathBuf,
    /// Scores of out-of-distribution items
    #[arg(long, value_name = "FILE.npy")]
    pub scores_out: PathBuf,
    /// Write the result as JSON too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Resamples of the confidence interval
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub resamples: u32,
    /// Seed of the resamples
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
