//! The end of `gwae train` and `gwae resume`.

use gwae_train::session::{RunSummary, StopReason};

use crate::terminal::print;

/// Prints the result of a session, and the command to continue.
pub(super) fn print_summary(summary: &RunSummary) {
    print(summary);
    let more = match summary.reason {
        StopReason::Interrupted | StopReason::Stopped => "",
        StopReason::Finished => " with more --steps",
        StopReason::Converged => " with more --patience",
    };
    let directory = summary.directory.display();
    print(format!("go on: gwae resume {directory}{more}"));
}
