//! What can go wrong with a cache file.

use std::io;

/// A cache file that cannot be made or used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct RawCacheError {
    /// The file, as given.
    pub file: String,
    /// What is wrong with it.
    pub problem: RawCacheProblem,
}

/// What is wrong with a cache file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RawCacheProblem {
    /// The file cannot be opened, read, written or renamed.
    #[error("cannot {action} it: {error}; check the directory, its permissions and the disk")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        #[source]
        error: io::Error,
    },

    /// The disk is full. What was written stays, and the next try goes on from there.
    #[error(
        "the disk is full (or the quota used up) after {images_done} of {images} images; the whole \
         file takes {bytes} bytes; free some space and try again (it goes on from there), \
         or choose another directory"
    )]
    DiskFull {
        /// Images that are written and will not be converted again.
        images_done: usize,
        /// Images of the whole file.
        images: usize,
        /// Bytes of the whole file.
        bytes: u64,
    },

    /// Another process writes this file.
    #[error("another process is converting it at this moment; wait until it has finished")]
    Busy,

    /// A file of this name is there, but no cache.
    #[error("is not a cache of images; move it away, or choose another directory")]
    NotACache,

    /// The file is a cache that was not finished, or is damaged.
    #[error("{reason}; delete it, it will be made anew")]
    Damaged {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// What was read back is not what was written, twice.
    #[error(
        "images {start} to {end} read back differently from how they were written; \
         check the disk and its file system"
    )]
    ReadBack {
        /// First image of the block.
        start: usize,
        /// One after the last.
        end: usize,
    },

    /// An image beyond the last one.
    #[error("image {index} is out of range, it has {images}")]
    OutOfRange {
        /// The index asked for.
        index: usize,
        /// Images there are.
        images: usize,
    },
}

impl RawCacheProblem {
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { action, error }
    }
}
