//! `gwae resume`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::session::{self, SessionOptions};

use super::training::conclude;
use crate::arguments::Resume;

pub(super) fn run(arguments: &Resume) -> Result<ExitCode, Box<dyn Error>> {
    let from = arguments.checkpoint;
    let options = SessionOptions::of_program(arguments.devices.list())?;
    let stop = options.stop.clone();
    let changes = (&arguments.changes).into();
    let summary = session::resume(&arguments.run, from, &changes, options)?;
    Ok(conclude(&summary, &stop))
}
