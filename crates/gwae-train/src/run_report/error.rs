//! Why a run has no report.

use gwae_formats::atomic::FileError;
use gwae_report::ReportError;

use crate::metrics_log::MetricsLogError;
use crate::run_directory::RunDirectoryError;

/// Why a run has no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunReportError {
    /// The directory is not that of a run.
    #[error(transparent)]
    Run(#[from] RunDirectoryError),
    /// The log is damaged.
    #[error(transparent)]
    Log(#[from] MetricsLogError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A comparison of no run, or of too many.
    #[error("{runs} runs cannot be compared on one page: name 1 to {most}")]
    NumberOfRuns {
        /// Number of runs.
        runs: usize,
        /// Most runs on one page.
        most: usize,
    },
    /// The page cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}
