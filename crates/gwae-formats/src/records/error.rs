//! The errors of a file of records.

use std::io;
use std::path::Path;

/// The error for a file of records that cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct RecordsError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: RecordsProblem,
}

/// A problem of a file of records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsProblem {
    /// The file cannot be opened, read, written or renamed.
    #[error("cannot {action} it: {error}; check the directory, its permissions and the disk")]
    Io {
        /// The operation.
        action: &'static str,
        /// The error of the system.
        #[source]
        error: io::Error,
    },

    /// The disk is full. The written part stays, and the next attempt continues there.
    #[error(
        "the disk is full (or the quota used up) after {done} of {records} items; the whole file takes {bytes} \
         bytes; free some space and try again (it goes on from there), or choose another directory"
    )]
    DiskFull {
        /// Number of records that will not be made again.
        done: u64,
        /// Number of records of the whole file.
        records: u64,
        /// Size of the whole file in bytes.
        bytes: u64,
    },

    /// Another program's file has this name.
    #[error("is not a copy that gwae made; move it away, or choose another directory")]
    Foreign,

    /// The file was made by an earlier version of this crate.
    #[error(
        "is in the format of an earlier version; delete it, it is made again when it is needed"
    )]
    Earlier,

    /// The head of the file is damaged, or the file is cut short.
    #[error("is damaged: {reason}; delete it, it is made again when it is needed")]
    Damaged {
        /// The problem.
        reason: &'static str,
    },

    /// A record differs from what was written.
    #[error("item {index} is damaged; delete the file, it is made again when it is needed")]
    DamagedRecord {
        /// Index of the record.
        index: u64,
    },

    /// An index beyond the last record.
    #[error("item {index} is out of range, it has {records}")]
    OutOfRange {
        /// The index.
        index: u64,
        /// Number of records.
        records: u64,
    },
}

impl RecordsProblem {
    /// For `map_err`: an error of the system.
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { action, error }
    }

    /// Adds the path of the file.
    pub(super) fn of(self, path: &Path) -> RecordsError {
        RecordsError {
            file: path.display().to_string(),
            problem: self,
        }
    }
}
