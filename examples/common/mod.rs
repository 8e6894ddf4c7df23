//! What the examples have in common: values of a configuration on the command line, and the exit
//! status.

use std::process::ExitCode;

use clap::Args;
use gwae::train::config_file::Setting;
use gwae::train::interrupt::StopFlag;

/// Values of a configuration by their keys.
#[derive(Args)]
pub struct SettingsArgument {
    /// Any value of the configuration by its key, such as training.learning_rate=1e-3; can be given
    /// several times. `gwae config` lists the keys.
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "resume")]
    pub settings: Vec<Setting>,
}

/// The exit status of a program that was stopped: 130 by Ctrl-C, 143 by SIGTERM.
pub fn stopped(stop: &StopFlag) -> ExitCode {
    stop.exit_status().map_or(ExitCode::SUCCESS, ExitCode::from)
}
