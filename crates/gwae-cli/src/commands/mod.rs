//! One file per command.

mod clusters;
mod codes;
mod compare;
mod configuration;
mod data;
mod factor;
mod import;
mod init;
mod metrics;
mod model;
mod ood;
mod reconstruct;
mod report;
mod resume;
mod sample;
mod train;
mod training;
mod traverse;
mod verify;

use std::error::Error;
use std::process::ExitCode;

use crate::arguments::Command;

/// Runs a command.
///
/// # Errors
/// One line that says what failed; the exit status is then 1.
pub fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Resume(arguments) => resume::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Config(arguments) => configuration::run(&arguments),
        Command::Data(arguments) => data::run(&arguments.command),
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Reconstruct(arguments) => reconstruct::run(&arguments),
        Command::Traverse(arguments) => traverse::run(&arguments),
        Command::Ood(arguments) => ood::run(&arguments),
        Command::Clusters(arguments) => clusters::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Codes(arguments) => codes::run(&arguments),
        Command::Metrics(arguments) => metrics::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    }
}
