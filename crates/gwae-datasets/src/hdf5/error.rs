//! What can be wrong with an HDF5 file.

use std::io;

use crate::one_line::one_line;

/// An HDF5 file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
// Problems quote names and texts from the file.
#[error("{file}: {}", one_line(problem))]
pub struct Hdf5Error {
    /// The file, as given.
    pub file: String,
    /// What is wrong with it.
    pub problem: Hdf5Problem,
}

/// What is wrong with an HDF5 file. Offsets count bytes from its start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Hdf5Problem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The file does not start as HDF5 does.
    #[error("does not start with the HDF5 signature (offset 0); check that it is the right file")]
    NotHdf5,

    /// The file is shorter than it says.
    #[error("ends after {found} bytes, but its header declares {declared}; download it again")]
    Truncated {
        /// Bytes there are.
        found: u64,
        /// Bytes declared.
        declared: u64,
    },

    /// Something would lie beyond the end of the file.
    #[error(
        "{what} at offset {offset} reaches beyond the end of the file ({length} bytes of it, \
         the file has {file_length}); the file is damaged, download it again"
    )]
    OutOfFile {
        /// What should be there.
        what: String,
        /// Where it starts.
        offset: u64,
        /// Its length in bytes.
        length: u64,
        /// Length of the file in bytes.
        file_length: u64,
    },

    /// Something is not what the format allows.
    #[error("{what} at offset {offset}: {reason}; the file is damaged, download it again")]
    Damaged {
        /// Which structure.
        what: String,
        /// Where it starts.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },

    /// A feature of the format that this reader leaves out.
    #[error(
        "{what}: {feature} cannot be read here; rewrite the file with h5py's defaults \
         (contiguous, or chunked with gzip and shuffle)"
    )]
    Unsupported {
        /// Which structure.
        what: String,
        /// What it would take.
        feature: String,
    },

    /// The root group has no object of that name.
    #[error(
        "holds no dataset `{name}`, only: {}; check that it is the right file",
        if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
    )]
    NoDataset {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },

    /// Part of a dataset was never written.
    #[error(
        "dataset {dataset}: {missing} of its {expected} pieces were never written; \
         the program that made the file was interrupted, make or download it again"
    )]
    Unwritten {
        /// Name of the dataset.
        dataset: String,
        /// Pieces that are not there.
        missing: u64,
        /// Pieces (chunks) that the dataset is made of.
        expected: u64,
    },

    /// Elements of another type than the one asked for.
    #[error(
        "dataset {dataset}: holds {found} instead of {expected}; check that it is the right file"
    )]
    ElementType {
        /// Name of the dataset.
        dataset: String,
        /// Type of its elements.
        found: &'static str,
        /// Type asked for.
        expected: &'static str,
    },

    /// Rows beyond the end of a dataset.
    #[error("dataset {dataset}: rows {start} to {end} are out of range, it has {rows}")]
    RowsOutOfRange {
        /// Name of the dataset.
        dataset: String,
        /// First row asked for.
        start: u64,
        /// One after the last.
        end: u64,
        /// Rows there are.
        rows: u64,
    },
}

impl Hdf5Problem {
    pub(super) fn damaged(what: &str, offset: u64, reason: impl Into<String>) -> Self {
        Self::Damaged {
            what: what.to_owned(),
            offset,
            reason: reason.into(),
        }
    }

    pub(super) fn unsupported(what: &str, feature: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.to_owned(),
            feature: feature.into(),
        }
    }
}

/// What every step of the reader returns; [`Hdf5Error`] adds the file's name at the door.
pub(super) type Result<T> = std::result::Result<T, Hdf5Problem>;
