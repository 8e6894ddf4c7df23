//! Arguments of `gwae metrics`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `gwae metrics`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae metrics --scores-in digits.npy --scores-out letters.npy
  gwae metrics --scores-in a.npy --scores-out b.npy --json result.json
  gwae metrics --codes codes.npz --json scores.json           an archive of `gwae codes`
  gwae metrics --codes z.npy --factors y.npy --only dci,infomec
  gwae metrics --list

Scores: each file holds one number per item, as numpy.save writes an array. A higher number means
further from the training data. Equal numbers count half. Integers that a double cannot hold exactly
are refused.

Codes and factors: one row per item, of any program, as .npy, .npz, .safetensors or .csv. FILE#NAME
chooses an array of a file with several. docs/metrics.md explains every metric and its constants.")]
pub struct Metrics {
    /// Scores of in-distribution items
    #[arg(long, value_name = "FILE.npy", requires = "scores_out")]
    pub scores_in: Option<PathBuf>,
    /// Scores of out-of-distribution items
    #[arg(long, value_name = "FILE.npy", requires = "scores_in")]
    pub scores_out: Option<PathBuf>,
    /// Codes, such as means of posteriors, one row per item
    #[arg(long, value_name = "FILE", required_unless_present_any = ["scores_in", "list"],
          conflicts_with = "scores_in")]
    pub codes: Option<PathBuf>,
    /// Factors of the same items, one column per factor. Without it: those in the file of --codes
    #[arg(long, value_name = "FILE", requires = "codes")]
    pub factors: Option<PathBuf>,
    /// One draw from each posterior; every metric is then measured on means and on samples
    #[arg(long, value_name = "FILE", requires = "codes")]
    pub samples: Option<PathBuf>,
    /// Logarithms of the variances of the posteriors, for the metric rmig
    #[arg(long, value_name = "FILE", requires = "codes")]
    pub logvars: Option<PathBuf>,
    /// The images of the items, for metrics of distances
    #[arg(long, value_name = "FILE", requires = "codes")]
    pub images: Option<PathBuf>,
    /// Only these metrics, with commas between them, such as dci/gbt,mig or whole groups, such as dci
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "codes")]
    pub only: Vec<String>,
    /// Columns of factors without an order, counted from 0, such as the shape (4) of 3D Shapes. Each
    /// becomes one column per value
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        requires = "codes"
    )]
    pub one_hot: Vec<usize>,
    /// Take the items in the order of the file. Without it the seed shuffles them
    #[arg(long, requires = "codes")]
    pub keep_order: bool,
    /// Compute standard errors of slow metrics as well; this takes about ten times as long
    #[arg(long, requires = "codes")]
    pub all_standard_errors: bool,
    /// List the metrics of codes
    #[arg(long)]
    pub list: bool,
    /// Also write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Number of resamples for the confidence interval of scores
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub resamples: u32,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
