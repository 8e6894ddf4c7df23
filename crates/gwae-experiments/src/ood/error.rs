//! Errors of images, scores and reports.

use std::path::PathBuf;

use gwae_datasets::DatasetError;
use gwae_datasets::config::DataConfigError;
use gwae_formats::atomic::FileError;
use gwae_formats::npy::NpyError;
use gwae_metrics::MetricError;
use gwae_report::ReportError;

/// Images that cannot be scored, or scores that cannot be compared, analysed or reported.
#[derive(Debug, thiserror::Error)]
pub enum OodError {
    /// The request for a set of images.
    #[error(transparent)]
    Config(#[from] DataConfigError),
    /// The files or images of a set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Scores, codes or labels.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The scores of one set.
    #[error("scores of {set}: {cause}")]
    Scores {
        /// The set and the score.
        set: String,
        /// The problem.
        cause: MetricError,
    },
    /// The run was trained on all its images.
    #[error(
        "the run held no images out, so there are none that are like the training data and new: name \
         some as in-distribution"
    )]
    NoneHeldOut,
    /// The images of the run are missing.
    #[error("{0}: name images like those of its training as in-distribution")]
    NoOwnImages(String),
    /// The directory does not hold the images of the run.
    #[error(
        "{} does not hold the images that the model was trained on: {reason}; for other images of \
         this kind use --in-distribution",
        directory.display()
    )]
    OtherImages {
        /// The directory.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Too few images for clusters.
    #[error("clusters of {0} images: there must be at least 3")]
    TooFewImages(usize),
    /// More clusters than images.
    #[error("{clusters} clusters of {images} images: there must be from 1 to {images}")]
    ClusterCount {
        /// Requested number of clusters.
        clusters: usize,
        /// Number of images.
        images: usize,
    },
    /// The labels belong to other images.
    #[error(
        "clusters of {images} images with {labels} labels: there must be a label for each image"
    )]
    LabelCount {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// The scores as arrays.
    #[error(transparent)]
    Arrays(#[from] NpyError),
    /// A picture.
    #[error(transparent)]
    Picture(#[from] ReportError),
    /// Any other file.
    #[error(transparent)]
    File(#[from] FileError),
}
