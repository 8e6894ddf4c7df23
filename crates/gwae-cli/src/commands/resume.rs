//! `gwae resume`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::session::{self, Changes};

use super::training::{options, print_summary};
use crate::arguments::Resume;

pub(super) fn run(arguments: &Resume) -> Result<ExitCode, Box<dyn Error>> {
    let changes = Changes {
        steps: arguments.steps,
        epochs: arguments.epochs,
        patience: arguments.patience,
        learning_rate: arguments.learning_rate,
        critic_learning_rate: arguments.critic_learning_rate,
        log_every: arguments.log_every,
    };
    let from = arguments.checkpoint.into();
    let options = options(&arguments.devices)?;
    print_summary(&session::resume(&arguments.run, from, &changes, options)?);
    Ok(ExitCode::SUCCESS)
}
