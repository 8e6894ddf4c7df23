//! `gwae train`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gwae_priors::PriorConfig;
use gwae_train::session;
use gwae_train::{LoadOptions, RunConfig};

use super::training::{options, print_summary};
use crate::arguments::Train;

pub(super) fn run(arguments: &Train) -> Result<ExitCode, Box<dyn Error>> {
    let config = configuration(arguments)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_directory(&arguments.config));
    print_summary(&session::start(
        &config,
        &out,
        options(&arguments.devices)?,
    )?);
    Ok(ExitCode::SUCCESS)
}

/// The configuration file with the command line's values in place of its own.
fn configuration(arguments: &Train) -> Result<RunConfig, Box<dyn Error>> {
    let load = LoadOptions {
        dataset: arguments.dataset,
        ..LoadOptions::default()
    };
    let mut config = RunConfig::load_with(&arguments.config, &load)?;
    let training = &mut config.training;
    if arguments.steps.is_some() || arguments.epochs.is_some() {
        (training.steps, training.epochs) = (arguments.steps, arguments.epochs);
    }
    training.seed = arguments.seed.unwrap_or(training.seed);
    training.batch_size = arguments.batch_size.unwrap_or(training.batch_size);
    training.precision = arguments.precision.unwrap_or(training.precision);
    training.log_every = arguments.log_every.unwrap_or(training.log_every);
    if let Some(latent_dim) = arguments.latent_dim {
        config.model.set_latent_dim(latent_dim);
    }
    if let Some(chosen) = &arguments.prior {
        let prior = prior_of(&mut config, "--prior")?;
        if chosen.family() != prior.family() {
            *prior = chosen.clone();
        }
    }
    if let Some(chosen) = arguments.form {
        let prior = prior_of(&mut config, "--form")?;
        let family = prior.family();
        let form = prior.form_mut().ok_or_else(|| {
            format!("--form: the {family} prior has only one form; only gaussian_mixture and causal have two")
        })?;
        *form = chosen.into();
    }
    if let Some(directory) = &arguments.data {
        config.data.directory = Some(directory.clone());
    }
    config.validate()?;
    Ok(config)
}

/// The prior of a GWAE, for `option` to change.
fn prior_of<'a>(config: &'a mut RunConfig, option: &str) -> Result<&'a mut PriorConfig, String> {
    let kind = config.model.kind();
    match config.model.gwae_mut() {
        Some(model) => Ok(&mut model.prior),
        None => Err(format!(
            "{option}: a model of kind {kind} has no choice of priors"
        )),
    }
}

/// `runs/` and the file's name without its ending.
fn default_directory(config: &Path) -> PathBuf {
    let name = config.file_stem().unwrap_or("run".as_ref());
    Path::new("runs").join(name)
}
