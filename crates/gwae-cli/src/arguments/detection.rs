//! Arguments of `gwae ood` and `gwae clusters`.

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

Every score is meant to be higher for foreign images. `relative_error`, in bold, is the one to trust:
the error of the reconstruction divided by the norm of the image. `potential` is the published score
of a GWAE, D(f(z), z); its sign away from the data depends on chance. `..._two_sided` does not depend
on the sign: it is the distance from the median on training images. `mean_brightness` needs no model: a
useful score beats it.

AUROC is the share of pairs, one image of each kind, that the score orders rightly: 0.5 is chance.")]
pub struct Ood {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Images like those of the training. Without it: those that the run held out, which are its test
    /// part or, if the dataset has none, its validation part
    #[arg(long, value_name = "NAME[=DIR]")]
    pub in_distribution: Option<DataConfig>,
    /// Images of another kind. Can be given several times. Without it: letters, invented characters,
    /// noise, and the in-distribution images with shuffled patches
    #[arg(long, value_name = "NAME[=DIR]")]
    pub out_of_distribution: Vec<DataConfig>,
    /// Directory where the run's own images are now, if they moved. They must be the same images
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// Score at most N images of each set
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub images: u32,
    /// Seed of the choice of images
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Directory for tables, curves, histograms and scores (.npy); it must be new or empty. Without it: a
    /// new one in the run
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

For every model: k-means on the codes, the Calinski-Harabasz index of 2 to 12 clusters (a larger index
means that they are better apart), and the codes in the plane (embedding.png).

For a mixture, which is a GWAE with a gaussian_mixture prior or a DAGMM: how evenly the prior and the
images use the components, and draws of each component (cluster_samples/component_k.png). An image
belongs to the component under which it is most probable.

For images with labels: how well both divisions agree with the labels. No model was shown a label.
clusters.json has all figures.")]
pub struct Clusters {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Take at most N images
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(3..=1_000_000))]
    pub images: u32,
    /// Number of k-means clusters. Without it: as many as there are labels; without labels as many as the
    /// model has components; without components as many as the Calinski-Harabasz index prefers
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clusters: Option<u32>,
    /// Factor of the dataset whose values are the labels. Without it: the first factor
    #[arg(long, value_name = "FACTOR")]
    pub label: Option<String>,
    /// Seed of everything random: the choice of images, k-means, the draws, the picture
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Directory for figures and pictures; it must be new or empty. Without it: a new one in the run
    #[arg(long, value_name = "DIRECTORY")]
    pub out: Option<PathBuf>,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
}
