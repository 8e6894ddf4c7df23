//! The `gwae` program.

use std::process::ExitCode;

use clap::Parser;
use gwae_cli::arguments::Arguments;
use gwae_cli::{commands, terminal};

fn main() -> ExitCode {
    terminal::explain_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return terminal::usage(&error),
    };
    if let Err(error) = gwae_train::interrupt::catch_file_size_limit() {
        terminal::note(error);
    }
    if let Some(notice) = gwae_train::notice_about_threads() {
        terminal::note(notice);
    }
    gwae_train::compute_on_this_thread(None);
    match commands::run(arguments.command) {
        Ok(_) if !terminal::is_complete() => ExitCode::FAILURE,
        Ok(code) => code,
        Err(error) => {
            terminal::error(error);
            ExitCode::FAILURE
        }
    }
}
