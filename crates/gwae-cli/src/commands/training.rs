//! What `gwae train` and `gwae resume` share.

use std::error::Error;

use gwae_train::interrupt::catch_signals;
use gwae_train::progress::standard_display;
use gwae_train::run_directory::command_line;
use gwae_train::session::{RunSummary, SessionOptions, StopReason};

use crate::arguments::TrainingDevices;
use crate::terminal::print;

/// Without a terminal, every so many-th step is a line.
const STEPS_PER_LINE: u64 = 100;

/// Options of a session that Ctrl-C stops cleanly.
pub(super) fn options(devices: &TrainingDevices) -> Result<SessionOptions, Box<dyn Error>> {
    Ok(SessionOptions {
        devices: devices.list(),
        display: standard_display(STEPS_PER_LINE),
        stop: catch_signals()?,
        command_line: command_line(),
        probe: None,
    })
}

/// Prints what a session came to, and how to go on.
pub(super) fn print_summary(summary: &RunSummary) {
    print(summary);
    let more = match summary.reason {
        StopReason::Interrupted => "",
        StopReason::Finished => " with more --steps",
        StopReason::Converged => " with more --patience",
    };
    let directory = summary.directory.display();
    print(format!("go on: gwae resume {directory}{more}"));
}
