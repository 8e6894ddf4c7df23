//! Events of a download or a check.

use std::path::Path;
use std::time::Duration;

/// Something that happened and that a user may want to see. The receiver decides how to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataEvent<'a> {
    /// Progress on a file. Sent at the start, about once per MiB, and at the end.
    Bytes {
        /// Name of the file.
        file: &'a str,
        /// The current work on the file.
        stage: DataStage,
        /// Number of bytes done. It goes back if a download has to start again.
        done: u64,
        /// Total number of bytes, if known.
        total: Option<u64>,
    },
    /// A download failed and will be tried again after a pause.
    Retry {
        /// Name of the file.
        file: &'a str,
        /// Number of failures in a row without progress.
        failures: u32,
        /// Number of failures after which the download stops.
        attempts: u32,
        /// Length of the pause.
        wait: Duration,
        /// The error.
        reason: &'a str,
    },
    /// The existing bytes cannot be continued, so the download starts at zero.
    StartOver {
        /// Name of the file.
        file: &'a str,
        /// The reason.
        reason: &'a str,
    },
    /// An address did not work, so the next one is tried.
    NextAddress {
        /// Name of the file.
        file: &'a str,
        /// The error of the address.
        reason: &'a str,
    },
    /// A download failed. What has arrived is kept, and another one goes on from there.
    Kept {
        /// The path of the unfinished file.
        path: &'a Path,
        /// Number of bytes in it.
        bytes: u64,
    },
}

/// The work on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataStage {
    /// The file is being downloaded.
    Downloading,
    /// The checksum is being computed.
    Verifying,
}
