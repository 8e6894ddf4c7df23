//! What a download or a check tells while it runs.

use std::time::Duration;

/// Something worth showing. How to show it, and any rate, is the receiver's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataEvent<'a> {
    /// Work on a file has come this far. Sent at the start, about once a MiB, and at the end.
    Bytes {
        /// Name of the file.
        file: &'a str,
        /// What is being done with it.
        stage: DataStage,
        /// Bytes done. Falls back if a download has to start over.
        done: u64,
        /// Bytes in total, if known.
        total: Option<u64>,
    },
    /// A download failed for now and goes on after a pause.
    Retry {
        /// Name of the file.
        file: &'a str,
        /// How often it failed in a row without bringing anything.
        failures: u32,
        /// Failures after which it is given up.
        attempts: u32,
        /// The pause.
        wait: Duration,
        /// What happened.
        reason: &'a str,
    },
    /// The bytes that were there cannot be continued; the download starts at zero.
    StartOver {
        /// Name of the file.
        file: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// An address is given up, the next one is tried.
    NextAddress {
        /// Name of the file.
        file: &'a str,
        /// What happened with the address.
        reason: &'a str,
    },
}

/// What is being done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataStage {
    /// Its bytes arrive.
    Downloading,
    /// Its checksum is computed.
    Verifying,
}
