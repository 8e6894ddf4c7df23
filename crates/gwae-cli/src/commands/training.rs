//! The end of `gwae train` and `gwae resume`.

use std::process::ExitCode;

use gwae_formats::shell::quoted;
use gwae_train::interrupt::StopFlag;
use gwae_train::run_directory::RunDirectory;
use gwae_train::session::{RunSummary, StopReason};

use crate::terminal::print;

/// Prints the result of a session, and the command to continue. Returns the exit status: that of the
/// signal if one stopped the training.
pub(super) fn conclude(summary: &RunSummary, stop: &StopFlag) -> ExitCode {
    print(summary);
    let more = match summary.reason {
        StopReason::Interrupted | StopReason::Stopped => String::new(),
        StopReason::Finished => format!(" --steps {}", summary.step.saturating_mul(2)),
        StopReason::Converged => format!(" --patience {}", 2 * patience(summary)),
    };
    let directory = quoted(&summary.directory);
    print(format!("go on: gwae resume {directory}{more}"));
    match (summary.reason, stop.exit_status()) {
        (StopReason::Interrupted, Some(status)) => ExitCode::from(status),
        _ => ExitCode::SUCCESS,
    }
}

/// The patience that the run had.
fn patience(summary: &RunSummary) -> u64 {
    let run = RunDirectory::open(&summary.directory);
    let patience = run.ok().and_then(|run| run.config().training.patience);
    patience.unwrap_or(10).min(u64::MAX / 2)
}
