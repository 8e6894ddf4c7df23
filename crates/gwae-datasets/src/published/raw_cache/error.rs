//! The errors of a cache file.

use crate::error::behind;
use std::io;

/// The error for a cache file that cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct RawCacheError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: RawCacheProblem,
}

behind!(Files, RawCacheError);

/// A problem of a cache file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RawCacheProblem {
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
        "the disk is full (or the quota used up) after {images_done} of {images} images; the whole \
         file takes {bytes} bytes; free some space and try again (it goes on from there), \
         or choose another directory"
    )]
    DiskFull {
        /// Number of images that are written and will not be converted again.
        images_done: usize,
        /// Number of images of the whole file.
        images: usize,
        /// Size of the whole file in bytes.
        bytes: u64,
    },

    /// Another process is writing this file.
    #[error("another process is converting it at this moment; wait until it has finished")]
    Busy,

    /// A file with this name exists, but it is not a cache.
    #[error("is not a cache of images; move it away, or choose another directory")]
    NotACache,

    /// The cache is unfinished or damaged.
    #[error("{reason}; delete it, it will be made anew")]
    Damaged {
        /// The problem.
        reason: &'static str,
    },

    /// The data read back differs from the data written, twice.
    #[error(
        "images {start} to {end} read back differently from how they were written; \
         check the disk and its file system"
    )]
    ReadBack {
        /// First image of the block.
        start: usize,
        /// One after the last image of the block.
        end: usize,
    },

    /// An index beyond the last image.
    #[error("image {index} is out of range, it has {images}")]
    OutOfRange {
        /// The index.
        index: usize,
        /// Number of images.
        images: usize,
    },
}

impl RawCacheProblem {
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { action, error }
    }
}

pub(super) type Result<T> = std::result::Result<T, RawCacheProblem>;
