//! `gwae resume`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::session::{self, SessionOptions};

use super::training::print_summary;
use crate::arguments::Resume;

pub(super) fn run(arguments: &Resume) -> Result<ExitCode, Box<dyn Error>> {
    let from = arguments.checkpoint;
    let options = SessionOptions::of_program(arguments.devices.list())?;
    print_summary(&session::resume(
        &arguments.run,
        from,
        &(&arguments.changes).into(),
        options,
    )?);
    Ok(ExitCode::SUCCESS)
}
