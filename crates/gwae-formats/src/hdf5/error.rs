//! The errors of an HDF5 file.

use std::io;

use crate::one_line::one_line;

/// The error for an HDF5 file that cannot be used.
#[derive(Debug, thiserror::Error)]
// The messages quote names and texts from the file.
#[error("{file}: {}", one_line(problem))]
pub struct Hdf5Error {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: Hdf5Problem,
}

/// A problem of an HDF5 file. Offsets and lengths count bytes from its start, or from the end of its user block.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Hdf5Problem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The file does not start like HDF5.
    #[error(
        "has no HDF5 signature at its start or after a user block (offset 0, 512, 1024, 2048, …); check that it is \
         the right file"
    )]
    NotHdf5,

    /// The file is shorter than it says.
    #[error("ends after {found} bytes, but its header declares {declared}; download it again")]
    Truncated {
        /// Number of bytes in the file.
        found: u64,
        /// Number of bytes that the file declares.
        declared: u64,
    },

    /// A structure would be beyond the end of the file.
    #[error(
        "{what} at offset {offset} reaches beyond the end of the file ({length} bytes of it, \
         the file has {file_length}); the file is damaged, download it again"
    )]
    OutOfFile {
        /// The structure.
        what: String,
        /// Offset of its start.
        offset: u64,
        /// Its length in bytes.
        length: u64,
        /// Length of the file in bytes.
        file_length: u64,
    },

    /// A structure does not follow the format.
    #[error("{what} at offset {offset}: {reason}; the file is damaged, download it again")]
    Damaged {
        /// The structure.
        what: String,
        /// Offset of its start.
        offset: u64,
        /// The problem.
        reason: String,
    },

    /// The file uses a feature that this reader does not support.
    #[error(
        "{what}: {feature} cannot be read here; rewrite the file with h5py's defaults \
         (contiguous, or chunked with gzip and shuffle)"
    )]
    Unsupported {
        /// The structure.
        what: String,
        /// The feature.
        feature: String,
    },

    /// The root group has no object with this name.
    #[error(
        "holds no dataset `{name}`, only: {}; check that it is the right file",
        if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
    )]
    NoDataset {
        /// The name asked for.
        name: String,
        /// The names in the file.
        known: Vec<String>,
    },

    /// A soft link leads to nothing.
    #[error(
        "`{name}` is a soft link to `{target}`, which {reason}; check that it is the right file"
    )]
    DeadLink {
        /// The name asked for.
        name: String,
        /// The path in the last link that was followed.
        target: String,
        /// Why it leads to nothing.
        reason: &'static str,
    },

    /// Part of a dataset was never written, and the file does not say what stands there instead, or it is more than
    /// any real file leaves out.
    #[error(
        "dataset {dataset}: {missing} of its {expected} pieces were never written; \
         the program that made the file was interrupted, make or download it again"
    )]
    Unwritten {
        /// Name of the dataset.
        dataset: String,
        /// Number of pieces that are missing.
        missing: u64,
        /// Number of pieces (chunks) of the dataset.
        expected: u64,
    },

    /// The elements have another type than expected.
    #[error(
        "dataset {dataset}: holds {found} instead of {expected}; check that it is the right file"
    )]
    ElementType {
        /// Name of the dataset.
        dataset: String,
        /// Type of its elements.
        found: &'static str,
        /// The expected type.
        expected: &'static str,
    },

    /// Rows beyond the end of a dataset.
    #[error("dataset {dataset}: rows {start} to {end} are out of range, it has {rows}")]
    RowsOutOfRange {
        /// Name of the dataset.
        dataset: String,
        /// First row asked for.
        start: u64,
        /// One after the last row asked for.
        end: u64,
        /// Number of rows of the dataset.
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

/// The result of every step of the reader. The public functions add the file's name with
/// [`Hdf5Error`].
pub(super) type Result<T> = std::result::Result<T, Hdf5Problem>;
