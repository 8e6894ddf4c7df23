//! `gwae resume`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::session::{self, NewLimits};

use super::training::options;
use crate::arguments::Resume;
use crate::terminal::print;

pub(super) fn run(arguments: &Resume) -> Result<ExitCode, Box<dyn Error>> {
    let limits = NewLimits {
        steps: arguments.steps,
        epochs: arguments.epochs,
    };
    let summary = session::resume(&arguments.run, limits, options(arguments.device)?)?;
    print(summary.to_string());
    Ok(ExitCode::SUCCESS)
}
