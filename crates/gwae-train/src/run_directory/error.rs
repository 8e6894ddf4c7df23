//! Errors of run directories.

use std::path::PathBuf;

use crate::config::ConfigError;
use gwae_datasets::config::DataConfigError;
use gwae_formats::atomic::FileError;

/// A run directory that cannot be created or used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The configuration cannot be written or read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A new run would overwrite existing files.
    #[error("{} exists and is not empty: resume the run in it, or choose another directory with --out", .0.display())]
    NotEmpty(PathBuf),
    /// The path is a file, not a directory.
    #[error("{} is a file: choose another directory with --out", .0.display())]
    IsFile(PathBuf),
    /// The path does not lead to a run.
    #[error("{explanation}")]
    NoRun {
        /// The path.
        path: PathBuf,
        /// What it is, and what to do.
        explanation: String,
    },
    /// A file of the run is damaged.
    #[error("{} is damaged ({problem}): restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The data differ from those at the start of the run.
    #[error(
        "the {dataset} data are not those that {} was trained on (fingerprint {found} instead of {expected}): restore them or name their place with --data, start a new run, or go on with these by `gwae resume` and --accept-data-change",
        path.display()
    )]
    OtherData {
        /// The run directory.
        path: PathBuf,
        /// Name of the dataset.
        dataset: String,
        /// Fingerprint at the start of the run.
        expected: String,
        /// Fingerprint now.
        found: String,
    },
    /// The directory of the data is not where the run's configuration says.
    #[error("{error}; {} says so: if the data moved, give their new place with --data DIRECTORY", config.display())]
    DataMissing {
        /// What is missing.
        error: DataConfigError,
        /// The configuration of the run.
        config: PathBuf,
    },
    /// An imported model has no training data.
    #[error("{} was imported from {imported_from}, so there are no training data to go on with: start a new run with `gwae train`", path.display())]
    Imported {
        /// The run directory.
        path: PathBuf,
        /// The file that the model comes from.
        imported_from: String,
    },
    /// The path no longer leads to the run that is open for writing.
    #[error(
        "{} no longer holds this run: it was removed, renamed or replaced, so nothing more is saved; if it was renamed, resume it under its new name",
        .0.display()
    )]
    Gone(PathBuf),
    /// Another process is using the directory.
    #[error("{} is in use by another process: wait until it ends, or choose another directory", .0.display())]
    InUse(PathBuf),
}
