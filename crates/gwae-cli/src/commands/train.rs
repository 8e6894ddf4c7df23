//! `gwae train`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gwae_official::configuration::{LoadOptions, load_config};
use gwae_priors::PriorConfig;
use gwae_train::RunConfig;
use gwae_train::session::{self, SessionOptions};

use super::training::print_summary;
use crate::arguments::{Overrides, Train};

pub(super) fn run(arguments: &Train) -> Result<ExitCode, Box<dyn Error>> {
    let config = configuration(&arguments.config, &arguments.overrides)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_directory(&arguments.config));
    print_summary(&session::start(
        &config,
        &out,
        SessionOptions::of_program(arguments.devices.list())?,
    )?);
    Ok(ExitCode::SUCCESS)
}

/// The configuration file, with values from the command line instead of its own.
fn configuration(file: &Path, overrides: &Overrides) -> Result<RunConfig, Box<dyn Error>> {
    let load = LoadOptions {
        dataset: overrides.dataset,
        ..LoadOptions::default()
    };
    let mut config = load_config(file, &load)?;
    let training = &mut config.training;
    if overrides.steps.is_some() || overrides.epochs.is_some() {
        (training.steps, training.epochs) = (overrides.steps, overrides.epochs);
    }
    training.seed = overrides.seed.unwrap_or(training.seed);
    training.batch_size = overrides.batch_size.unwrap_or(training.batch_size);
    training.precision = overrides.precision.unwrap_or(training.precision);
    training.log_every = overrides.log_every.unwrap_or(training.log_every);
    if let Some(latent_dim) = overrides.latent_dim {
        config.model.set_latent_dim(latent_dim);
    }
    if let Some(chosen) = &overrides.prior {
        let prior = prior_of(&mut config, "--prior")?;
        if chosen.family() != prior.family() {
            *prior = chosen.clone();
        }
    }
    if let Some(chosen) = overrides.form {
        let prior = prior_of(&mut config, "--form")?;
        let family = prior.family();
        let form = prior.form_mut().ok_or_else(|| {
            format!("--form: the {family} prior has only one form; only gaussian_mixture and causal have two")
        })?;
        *form = chosen.into();
    }
    if let Some(directory) = &overrides.data {
        config.data.directory = Some(directory.clone());
    }
    config.validate()?;
    Ok(config)
}

/// The prior of a GWAE, which `option` changes.
fn prior_of<'a>(config: &'a mut RunConfig, option: &str) -> Result<&'a mut PriorConfig, String> {
    let kind = config.model.kind();
    match config.model.gwae_mut() {
        Some(model) => Ok(&mut model.prior),
        None => Err(format!(
            "{option}: a model of kind {kind} has no choice of priors"
        )),
    }
}

/// `runs/` and the file's name without its extension.
fn default_directory(config: &Path) -> PathBuf {
    let name = config.file_stem().unwrap_or("run".as_ref());
    Path::new("runs").join(name)
}
