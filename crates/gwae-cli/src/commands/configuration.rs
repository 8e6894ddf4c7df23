//! Configurations from files, standard input and runs.

use std::error::Error;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use gwae_official::configuration::{LoadOptions, load_config, parse_config};
use gwae_train::config_file::read_text_from;
use gwae_train::run_directory::RunDirectory;
use gwae_train::{ConfigError, RunConfig};

use crate::arguments::Config;
use crate::terminal::{note, print};

/// Stands for standard input on the command line.
const STANDARD_INPUT: &str = "-";

/// Whether the configuration comes from standard input.
pub(super) fn is_standard_input(source: &Path) -> bool {
    source == Path::new(STANDARD_INPUT)
}

/// The configuration of a file or of standard input.
pub(super) fn load(source: &Path, options: &LoadOptions) -> Result<RunConfig, ConfigError> {
    let mut tell = |line: &str| note(line);
    if source.is_dir() {
        let what = match RunDirectory::is_begun(source) {
            true => "is a run: `gwae resume` goes on with it",
            false => "is a directory",
        };
        let problem = format!("{what}; here the name of a configuration file is needed");
        return Err(ConfigError::in_file(source, None, problem));
    }
    if !is_standard_input(source) {
        return load_config(source, options, &mut tell);
    }
    let name = Path::new("standard input");
    let text = read_text_from(name, io::stdin().lock())?;
    parse_config(name, &text, None, options, &mut tell)
}

/// `gwae config`.
pub(super) fn run(arguments: &Config) -> Result<ExitCode, Box<dyn Error>> {
    let (source, settings) = (&arguments.source, &arguments.settings.settings);
    let is_run = source.is_dir();
    let config = match is_run {
        true => RunDirectory::open(source)?
            .config()
            .with_settings(settings)?,
        false => {
            let options = LoadOptions {
                settings: settings.clone(),
                ..LoadOptions::default()
            };
            load(source, &options)?
        }
    };
    print(config.to_commented_toml()?.trim_end());
    // The data of a run may be on another machine.
    if !is_run {
        config.validate()?;
    }
    Ok(ExitCode::SUCCESS)
}
