//! The errors of a dataset's configuration.

use std::path::PathBuf;

use gwae_formats::atomic::FileError;

use super::dataset_name::{DatasetName, UnknownDataset};

/// The error for a configuration that cannot open a dataset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataConfigError {
    /// The dataset does not exist.
    #[error(transparent)]
    UnknownDataset(#[from] UnknownDataset),

    /// The change of a dataset does not exist.
    #[error("`+{0}` is not known; a dataset's name can be followed by +inverted or +shuffled")]
    UnknownChange(String),

    /// A path is relative and the working directory is unknown.
    #[error(transparent)]
    File(#[from] FileError),

    /// A value is outside its range.
    #[error("{field} = {value} is out of range: it must be {allowed}")]
    OutOfRange {
        /// The field, such as `data.limit`.
        field: &'static str,
        /// Its value.
        value: String,
        /// The valid values, and how to correct it.
        allowed: &'static str,
    },

    /// Another field makes this field useless.
    #[error("{field}: {problem}")]
    Conflict {
        /// The field, such as `data.directory`.
        field: &'static str,
        /// The conflict, and how to correct it.
        problem: &'static str,
    },

    /// No directory is given for a dataset that needs files.
    #[error(
        "data.directory: missing: {dataset} needs the directory that holds {files}{}",
        how_to_get(*.dataset)
    )]
    NoDirectory {
        /// The dataset.
        dataset: DatasetName,
        /// The files that the directory must hold.
        files: &'static str,
    },

    /// The directory does not exist.
    #[error(
        "data.directory = {} is not there: {dataset} needs the directory that holds {files}{}",
        directory.display(),
        how_to_get(*.dataset)
    )]
    DirectoryMissing {
        /// The dataset.
        dataset: DatasetName,
        /// Its directory.
        directory: PathBuf,
        /// The files that the directory must hold.
        files: &'static str,
    },
}

/// How to get the files of a dataset; it ends a message.
fn how_to_get(dataset: DatasetName) -> String {
    dataset.manifest().map_or(String::new(), |name| {
        format!("; `gwae data get {name} --dir DIRECTORY` gets them")
    })
}
