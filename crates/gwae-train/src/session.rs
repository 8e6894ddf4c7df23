//! A training run from its first step to its pictures.

mod error;
mod running;
mod summary;

use std::path::Path;

use burn::tensor::Device;
use gwae_core::random::SeededGenerator;
use gwae_datasets::{BatchStream, DatasetError, Position, Split};
use gwae_models::{Autoencoder, ModelConfig};

use crate::algorithm::{DagmmTrainer, GwaeTrainer, TrainingAlgorithm, VaeTrainer};
use crate::averaging::ParameterAverage;
use crate::checkpoint::{CheckpointStore, Which};
use crate::config::{ConfigError, RunConfig, TrainingConfig};
use crate::data::RunData;
use crate::device::{DeviceError, DeviceList};
use crate::interrupt::StopFlag;
use crate::metrics_log::MetricsLog;
use crate::progress::ProgressDisplay;
use crate::run_directory::{Resumption, RunDescription, RunDirectory};
use crate::state::{TrainingState, load_state};

use running::Session;

pub use error::TrainError;
pub use summary::{RunSummary, StopReason};

/// Independent streams of a run's seed.
#[derive(Clone, Copy)]
enum Stream {
    Initialisation,
    Training,
    Validation,
    Pictures,
}

fn generator(config: &RunConfig, stream: Stream) -> SeededGenerator {
    SeededGenerator::new(config.training.seed, stream as u64)
}

/// Where and how a run is made, beside what it computes.
pub struct SessionOptions {
    /// The devices that share every batch; the first one updates the model, validates and draws.
    /// Checkpoints do not depend on them, so that a run is resumed on any.
    pub devices: DeviceList,
    /// Shows how it goes.
    pub display: Box<dyn ProgressDisplay>,
    /// Asks the run to finish its step, save and return.
    pub stop: StopFlag,
    /// The command line, for the record.
    pub command_line: Vec<String>,
    /// Looks at the model after every validation.
    pub probe: Option<Probe>,
}

/// Looks at the model for use in the course of its training: after every validation and after the
/// last step. A session that goes on from a validation, or from the end, begins with that look, which
/// the one before it may not have finished: the same step can come twice, with the same model. What
/// it draws or measures is its own; an error stops the run, which is saved before.
pub type Probe = Box<dyn FnMut(&Probed<'_>) -> Result<(), Box<dyn std::error::Error>>>;

/// What a [`Probe`] is shown.
pub struct Probed<'a> {
    /// Main steps done.
    pub step: u64,
    /// Seconds since training began, interruptions left out; the probe's own are in it.
    pub seconds: f64,
    /// The model for use, without autodiff, with averaged parameters where the run keeps them.
    pub model: &'a dyn Autoencoder,
    /// Whether it is the end of the training.
    pub last: bool,
    /// The images of the run.
    pub data: &'a RunData,
    /// Their division.
    pub split: &'a Split,
    /// The device of the model, without autodiff.
    pub device: &'a Device,
}

/// What a resumed run does otherwise from now on; what is `None` stays as it was. Changes are
/// kept: the next session goes on with them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Changes {
    /// Main steps in all. A new limit takes the place of both old ones.
    pub steps: Option<u64>,
    /// Passes over the training data in all. A new limit takes the place of both old ones.
    pub epochs: Option<u64>,
    /// Validations in a row without a lower loss before the run stops; 0 means it never does.
    pub patience: Option<u64>,
    /// Learning rate of encoder, decoder, prior and distance scale.
    pub learning_rate: Option<f64>,
    /// Learning rate of the critic.
    pub critic_learning_rate: Option<f64>,
    /// Steps from one reading of the losses to the next.
    pub log_every: Option<u64>,
}

impl Changes {
    fn apply(&self, training: &mut TrainingConfig) {
        if self.steps.is_some() || self.epochs.is_some() {
            (training.steps, training.epochs) = (self.steps, self.epochs);
        }
        if let Some(patience) = self.patience {
            training.patience = Some(patience).filter(|patience| *patience > 0);
        }
        training.learning_rate = self.learning_rate.unwrap_or(training.learning_rate);
        training.critic_learning_rate = self
            .critic_learning_rate
            .unwrap_or(training.critic_learning_rate);
        training.log_every = self.log_every.unwrap_or(training.log_every);
    }
}

/// Starts a new run in `path`, a new or empty directory, and trains it to its end.
///
/// # Errors
/// Before any work where the configuration, device, data or directory are wrong; later where the
/// training breaks or the disk is full. What was saved before stays.
pub fn start(
    config: &RunConfig,
    path: &Path,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    config.validate()?;
    match &config.model {
        ModelConfig::Gwae(model) => start_as::<GwaeTrainer>(model, config, path, options),
        ModelConfig::Vae(model) => start_as::<VaeTrainer>(model, config, path, options),
        ModelConfig::Dagmm(model) => start_as::<DagmmTrainer>(model, config, path, options),
    }
}

fn start_as<T: TrainingAlgorithm>(
    model: &T::Config,
    config: &RunConfig,
    path: &Path,
    mut options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    let mut config = config.clone();
    // A run is resumed from anywhere.
    config.data.make_absolute()?;
    options.devices.shard_size(config.training.batch_size)?;
    let devices = open_devices(&options, &config.training)?;
    let data = open_data(&config, &mut options)?;
    let split = data.draw_split(&config)?;
    check_validation(&split)?;
    // Before the directory is made: a batch that is too large leaves nothing behind.
    let batches = data.batches(&split, &config.training, Position::START)?;
    let description = RunDescription {
        device: options.devices.to_string(),
        command_line: options.command_line.clone(),
        dataset_fingerprint: split.fingerprint.clone(),
    };
    let directory = RunDirectory::create(path, &config, description, &split)?;
    let checkpoints = CheckpointStore::open(directory.checkpoints())?;
    let (trainer, average, state) = first_state::<T>(model, &config, &devices[0])?;
    data.warm();
    let opened = Opened {
        config,
        devices,
        data,
        split,
        batches,
        checkpoints,
        saved_step: None,
        directory,
    };
    Session::new(opened, trainer, average, state, options)?.run()
}

/// Goes on with the run in `path` from one of its checkpoints, or from the beginning where it
/// stopped before there was one. A run that was stopped and resumed from its last checkpoint
/// computes, bit for bit on the CPU, what an uninterrupted one does.
///
/// # Errors
/// As [`start`], where the data are not those that the run began with, and for a rate of the critic where
/// there is none.
pub fn resume(
    path: &Path,
    from: Which,
    changes: &Changes,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    let directory = RunDirectory::resume(path)?;
    let mut config = directory.config().clone();
    changes.apply(&mut config.training);
    config.validate()?;
    if changes.critic_learning_rate.is_some() && !config.has_critic() {
        return Err(ConfigError::Conflict {
            field: "training.critic_learning_rate",
            problem: "changes nothing, as the model has no critic: leave it out",
        }
        .into());
    }
    match &config.model.clone() {
        ModelConfig::Gwae(model) => {
            resume_as::<GwaeTrainer>(model, config, directory, from, options)
        }
        ModelConfig::Vae(model) => resume_as::<VaeTrainer>(model, config, directory, from, options),
        ModelConfig::Dagmm(model) => {
            resume_as::<DagmmTrainer>(model, config, directory, from, options)
        }
    }
}

fn resume_as<T: TrainingAlgorithm>(
    model: &T::Config,
    config: RunConfig,
    mut directory: RunDirectory,
    from: Which,
    mut options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    options.devices.shard_size(config.training.batch_size)?;
    let devices = open_devices(&options, &config.training)?;
    let data = open_data(&config, &mut options)?;
    let split: Split = directory.split()?;
    directory.check_fingerprint(&data.dataset().fingerprint())?;
    split.check(data.dataset())?;
    let checkpoints = CheckpointStore::open(directory.checkpoints())?;
    let begun = checkpoints.entry(Which::Last).is_some();
    let (trainer, average, state) = if begun || from == Which::Best {
        let directory = checkpoints.verified(from)?.0;
        load_state::<T>(&directory, model, &config.training, &devices[0])?
    } else {
        let text = "the run stopped before its first checkpoint, so it begins anew";
        options.display.message(text);
        first_state::<T>(model, &config, &devices[0])?
    };
    if let Some(last) = checkpoints.entry(Which::Last)
        && last.step > state.step
    {
        let (from, to) = (state.step, last.step);
        let text =
            format!("going on from step {from}; what came after it, up to step {to}, is given up");
        options.display.message(&text);
    }
    let batches = data.batches(&split, &config.training, state.position)?;
    // Steps after the checkpoint are done again.
    MetricsLog::truncate_after(&directory.metrics(), state.step)?;
    let resumption = Resumption::now(
        state.step,
        options.devices.to_string(),
        options.command_line.clone(),
    );
    directory.record_resumption(&config, resumption)?;
    data.warm();
    let opened = Opened {
        config,
        devices,
        data,
        split,
        batches,
        checkpoints,
        saved_step: (begun && from == Which::Last).then_some(state.step),
        directory,
    };
    Session::new(opened, trainer, average, state, options)?.run()
}

fn open_devices(
    options: &SessionOptions,
    training: &TrainingConfig,
) -> Result<Vec<Device>, DeviceError> {
    let devices = options.devices.open_for(training.precision)?.into_iter();
    Ok(devices.map(Device::autodiff).collect())
}

/// The dataset of a run, opened with its progress on the display.
fn open_data(config: &RunConfig, options: &mut SessionOptions) -> Result<RunData, DatasetError> {
    let display = &mut options.display;
    RunData::open(&config.data, &config.model.backbone(), &mut |preparation| {
        display.preparation(&preparation);
    })
}

/// An untrained model and where its run begins.
fn first_state<T: TrainingAlgorithm>(
    model: &T::Config,
    config: &RunConfig,
    device: &Device,
) -> Result<(T, Option<ParameterAverage>, TrainingState), TrainError> {
    let mut noise = generator(config, Stream::Initialisation);
    let trainer = T::new(
        T::build(model, &mut noise, device)?,
        model,
        &config.training,
    );
    let decay = config.training.average_decay;
    let average = (decay > 0.0).then(|| ParameterAverage::new(decay));
    let state = TrainingState::first(&generator(config, Stream::Training));
    Ok((trainer, average, state))
}

/// The losses need the spread of at least two images.
fn check_validation(split: &Split) -> Result<(), ConfigError> {
    match split.validation.len() {
        1 => Err(ConfigError::Conflict {
            field: "data.validation_fraction",
            problem: "holds out a single image, and the losses compare images: raise it, or set \
                      it and training.patience to 0",
        }),
        _ => Ok(()),
    }
}

/// What a session works with, all of it there and fitting together.
struct Opened {
    config: RunConfig,
    /// Autodiff devices, at least one; the first holds the model.
    devices: Vec<Device>,
    data: RunData,
    split: Split,
    batches: BatchStream,
    checkpoints: CheckpointStore,
    /// The step of the last checkpoint, where the session goes on from that.
    saved_step: Option<u64>,
    directory: RunDirectory,
}
