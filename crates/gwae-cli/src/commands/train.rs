//! `gwae train`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gwae_formats::home::with_home;
use gwae_official::configuration::LoadOptions;
use gwae_priors::PriorConfig;
use gwae_train::RunConfig;
use gwae_train::session::{self, SessionOptions};

use super::configuration;
use super::training::conclude;
use crate::arguments::{Overrides, Train};

pub(super) fn run(arguments: &Train) -> Result<ExitCode, Box<dyn Error>> {
    let config = changed_configuration(&arguments.config, &arguments.overrides)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_directory(&arguments.config));
    let options = SessionOptions::of_program(arguments.devices.list())?;
    let stop = options.stop.clone();
    Ok(conclude(&session::start(&config, &out, options)?, &stop))
}

/// The configuration file, with values from the command line instead of its own.
fn changed_configuration(file: &Path, overrides: &Overrides) -> Result<RunConfig, Box<dyn Error>> {
    refuse_twice(overrides)?;
    let load = LoadOptions {
        dataset: overrides.dataset,
        settings: overrides.settings.settings.clone(),
        ..LoadOptions::default()
    };
    let mut config = configuration::load(file, &load)?;
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
        config.data.directory = Some(with_home(directory));
    }
    config.validate()?;
    Ok(config)
}

/// Refuses a value that is given twice, as an option and by `--set`.
fn refuse_twice(overrides: &Overrides) -> Result<(), String> {
    let options = [
        (overrides.steps.is_some(), "--steps", "training.steps"),
        (overrides.epochs.is_some(), "--epochs", "training.epochs"),
        (overrides.seed.is_some(), "--seed", "training.seed"),
        (overrides.prior.is_some(), "--prior", "model.prior.family"),
        (
            overrides.latent_dim.is_some(),
            "--latent-dim",
            "model.latent_dim",
        ),
        (
            overrides.batch_size.is_some(),
            "--batch-size",
            "training.batch_size",
        ),
        (
            overrides.precision.is_some(),
            "--precision",
            "training.precision",
        ),
        (
            overrides.log_every.is_some(),
            "--log-every",
            "training.log_every",
        ),
        (overrides.dataset.is_some(), "--dataset", "data.dataset"),
        (overrides.data.is_some(), "--data", "data.directory"),
        (overrides.form.is_some(), "--form", "model.prior.form"),
    ];
    let settings = &overrides.settings.settings;
    for (given, option, key) in options {
        if given && settings.iter().any(|setting| setting.to_string() == key) {
            return Err(format!(
                "{option} and --set {key} are the same: leave one out"
            ));
        }
    }
    Ok(())
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

/// `runs/` and the file's name without its extension; `runs/run` for standard input.
fn default_directory(config: &Path) -> PathBuf {
    if configuration::is_standard_input(config) {
        return "runs/run".into();
    }
    let name = config.file_stem().unwrap_or("run".as_ref());
    Path::new("runs").join(name)
}
