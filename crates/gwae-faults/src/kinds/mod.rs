//! The kinds of faults, one file each.

mod damaged_files;
mod failing_writes;
mod hostile_inputs;
mod kills;
mod kills_at_calls;
mod moved_runs;
pub mod mutations;
mod readings;

use std::ops::Range;
use std::path::Path;

use crate::campaign::{Campaign, Tried};

/// Runs cases in a directory; returns their numbers and results.
type Run = fn(&Campaign, Range<u64>, &Path) -> Vec<(u64, Tried)>;

/// A kind of fault.
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// Cases of the short form.
    pub short: u64,
    /// Cases of the full form.
    pub full: u64,
    /// Cases that share one process.
    pub group: u64,
    /// Whether it lets system calls fail.
    pub needs_strace: bool,
    /// Runs the cases of one group in an empty directory.
    pub run: Run,
}

/// All kinds, in the order in which they run.
pub const ALL: &[Kind] = &[
    Kind {
        short: 6,
        full: 600,
        run: |c, n, d| each(c, n, d, kills::case),
        ..kind(kills::NAME)
    },
    Kind {
        short: 6,
        full: 400,
        needs_strace: true,
        run: |c, n, d| each(c, n, d, kills_at_calls::case),
        ..kind(kills_at_calls::NAME)
    },
    Kind {
        short: 8,
        full: 1_000,
        needs_strace: true,
        run: |c, n, d| each(c, n, d, failing_writes::case),
        ..kind(failing_writes::NAME)
    },
    Kind {
        short: 12,
        full: 1_000,
        run: |c, n, d| each(c, n, d, damaged_files::case),
        ..kind(damaged_files::NAME)
    },
    Kind {
        short: hostile_inputs::COUNT,
        full: hostile_inputs::COUNT,
        run: |c, n, d| each(c, n, d, hostile_inputs::case),
        ..kind(hostile_inputs::NAME)
    },
    Kind {
        short: 10,
        full: 500,
        group: 10,
        run: readings::cases,
        ..kind(readings::NAME)
    },
    Kind {
        short: 4,
        full: 100,
        run: |c, n, d| each(c, n, d, moved_runs::case),
        ..kind(moved_runs::NAME)
    },
    Kind {
        short: 4_000,
        full: 50_000,
        group: 500,
        run: mutations::cases,
        ..kind(mutations::NAME)
    },
];

const fn kind(name: &'static str) -> Kind {
    Kind {
        name,
        short: 1,
        full: 1,
        group: 1,
        needs_strace: false,
        run: |_, _, _| Vec::new(),
    }
}

fn each(
    campaign: &Campaign,
    cases: Range<u64>,
    directory: &Path,
    case: impl Fn(&Campaign, u64, &Path) -> Result<(), String>,
) -> Vec<(u64, Tried)> {
    cases
        .map(|number| (number, case(campaign, number, directory).into()))
        .collect()
}
