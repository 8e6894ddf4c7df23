//! Errors of configurations.

use std::path::PathBuf;

use gwae_datasets::config::DataConfigError;
use gwae_formats::atomic::FileError;
use gwae_models::ModelConfigError;

use crate::option_error::OptionError;

/// A configuration that cannot be used for a run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file does not hold a valid configuration.
    #[error("{place}: {problem}")]
    Content {
        /// The file, with line and column if known.
        place: String,
        /// The problem and its solution.
        problem: String,
    },
    /// An option of the training.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// A value outside its range.
    #[error("{field} = {value} is out of range: it must be {allowed}")]
    OutOfRange {
        /// The field, such as `training.batch_size`.
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values, and the solution.
        allowed: &'static str,
    },
    /// A field that another field requires or makes useless.
    #[error("{field}: {problem}")]
    Conflict {
        /// The field, such as `data.directory`.
        field: &'static str,
        /// The problem and its solution.
        problem: &'static str,
    },
    /// A folder has fewer images than a run needs.
    #[error(
        "data.directory = {}: too few images: {images}, and training.batch_size = {batch_size} with \
         data.validation_fraction = {validation_fraction} needs at least {least}; add images, or change \
         these",
        directory.display()
    )]
    TooFewImages {
        /// The folder.
        directory: PathBuf,
        /// Number of its images.
        images: usize,
        /// Images in a batch.
        batch_size: usize,
        /// Share of the images that is held out.
        validation_fraction: f64,
        /// Smallest number of images for these settings.
        least: usize,
    },
    /// The data.
    #[error(transparent)]
    Data(#[from] DataConfigError),
    /// The architecture.
    #[error(transparent)]
    Model(#[from] ModelConfigError),
}
