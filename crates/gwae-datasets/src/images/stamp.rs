//! The state of a file, as far as the system tells it without reading the file.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Tells states of a file apart without reading it. Programs can set the modification time, but not
/// the change time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Size in bytes.
    bytes: u64,
    /// Modification time in nanoseconds since 1970; 0 if the system does not know it.
    modified: i64,
    /// Time of the last change of content or metadata (on Unix), or of the creation.
    changed: i64,
    /// Number of the file in its file system; 0 if the system does not number files.
    number: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let (changed, number) = {
            use std::os::unix::fs::MetadataExt;
            let seconds = metadata.ctime().saturating_mul(1_000_000_000);
            (
                seconds.saturating_add(metadata.ctime_nsec()),
                metadata.ino(),
            )
        };
        #[cfg(not(unix))]
        let (changed, number) = (metadata.created().map_or(0, nanoseconds), 0);
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().map_or(0, nanoseconds),
            changed,
            number,
        }
    }

    /// Whether the file changed so shortly before `now` that another change may have the same times.
    pub(super) fn is_recent(&self, now: SystemTime) -> bool {
        /// The coarsest clock of a common file system (FAT) has two seconds.
        const CLOCK: u64 = 2_000_000_000;
        let now = nanoseconds(now);
        // Times far in the future come from programs, not from the clock.
        [self.modified, self.changed]
            .iter()
            .any(|time| time.abs_diff(now) < CLOCK)
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let count = |nanoseconds: u128| i64::try_from(nanoseconds).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => count(after.as_nanos()),
        Err(before) => -count(before.duration().as_nanos()),
    }
}
