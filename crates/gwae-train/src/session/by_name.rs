//! Runs of models and datasets that a configuration names.

use std::path::Path;

use gwae_models::Autoencoder;

use super::changes::Changes;
use super::error::TrainError;
use super::summary::RunSummary;
use super::trainer::Trainer;
use crate::algorithm::Algorithm;
use crate::algorithm::AlgorithmVisitor;
use crate::callback::{Callback, ForAnyModel};
use crate::checkpoint::Which;
use crate::config::RunConfig;
use crate::device::DeviceList;
use crate::interrupt::StopFlag;
use crate::run_directory::RunDirectory;
#[cfg(all(feature = "pictures", feature = "progress", feature = "signals"))]
use crate::{
    interrupt::{InterruptError, catch_signals},
    pictures::Pictures,
    progress::{Progress, standard_display},
    run_directory::command_line,
};

/// Without a terminal, a line is printed at each step that is a multiple of this.
#[cfg(all(feature = "pictures", feature = "progress", feature = "signals"))]
const STEPS_PER_LINE: u64 = 100;

/// Where and how a run computes; the configuration says what.
pub struct SessionOptions {
    /// The devices that share every batch; the first one updates the model, validates and draws.
    /// Checkpoints do not depend on them, so a run can resume on other devices.
    pub devices: DeviceList,
    /// Asks the run to finish its step, save and return.
    pub stop: StopFlag,
    /// The command line, for the record.
    pub command_line: Vec<String>,
    /// Callbacks that take part in the run: progress, pictures, measurements.
    pub callbacks: Vec<Box<dyn Callback<dyn Autoencoder>>>,
}

impl SessionOptions {
    /// Computes on `devices`, without callbacks.
    pub fn new(devices: impl Into<DeviceList>) -> Self {
        Self {
            devices: devices.into(),
            stop: StopFlag::new(),
            command_line: Vec::new(),
            callbacks: Vec::new(),
        }
    }

    /// Settings for programs: progress on standard error (without a terminal, one line per 100
    /// steps), pictures in the run directory, Ctrl-C saves and returns, the command line in the
    /// record.
    ///
    /// # Errors
    /// When the system does not allow catching Ctrl-C.
    #[cfg(all(feature = "pictures", feature = "progress", feature = "signals"))]
    pub fn of_program(devices: impl Into<DeviceList>) -> Result<Self, InterruptError> {
        let progress = Progress(standard_display(STEPS_PER_LINE));
        Ok(Self {
            stop: catch_signals()?,
            command_line: command_line(),
            callbacks: vec![Box::new(progress), Box::new(Pictures)],
            ..Self::new(devices)
        })
    }

    fn trainer<A: Algorithm>(self, algorithm: A, config: &RunConfig) -> Trainer<A>
    where
        A::Model: 'static,
    {
        let trainer = Trainer::new(algorithm, config.data.clone())
            .training(config.training.clone())
            .devices(self.devices)
            .stop(self.stop)
            .command_line(self.command_line);
        let callbacks = self.callbacks.into_iter();
        callbacks.fold(trainer, |trainer, callback| {
            trainer.callback(ForAnyModel(callback))
        })
    }
}

/// Starts a new run in `path`, a new or empty directory, and trains until the end.
///
/// # Errors
/// Before any work if the configuration, device, data or directory is wrong. Later if the training
/// fails or the disk is full; saved files stay.
pub fn start(
    config: &RunConfig,
    path: &Path,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    struct Start<'a>(&'a RunConfig, &'a Path, SessionOptions);
    impl AlgorithmVisitor for Start<'_> {
        type Output = Result<RunSummary, TrainError>;

        fn visit<A: Algorithm>(self, algorithm: A) -> Self::Output
        where
            A::Model: 'static,
        {
            let Self(config, path, options) = self;
            options.trainer(algorithm, config).start(path)
        }
    }
    config.validate()?;
    config.model.with_algorithm(Start(config, path, options))?
}

/// Continues the run in `path` from one of its checkpoints, or from the beginning if it has none. A
/// run that was stopped and resumed from its last checkpoint computes the same as an uninterrupted
/// one, bit for bit on the CPU.
///
/// # Errors
/// As [`start`], if the data differ from those at the start of the run, and for a critic learning
/// rate when the model has no critic.
pub fn resume(
    path: &Path,
    from: Which,
    changes: &Changes,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    struct Resume<'a>(RunDirectory, Which, &'a Changes, SessionOptions);
    impl AlgorithmVisitor for Resume<'_> {
        type Output = Result<RunSummary, TrainError>;

        fn visit<A: Algorithm>(self, algorithm: A) -> Self::Output
        where
            A::Model: 'static,
        {
            let Self(directory, from, changes, options) = self;
            let config = directory.config().clone();
            let trainer = options.trainer(algorithm, &config).changes(changes.clone());
            trainer.resume_directory(directory, from)
        }
    }
    let directory = RunDirectory::resume(path)?;
    let model = directory.config().model.clone();
    model.with_algorithm(Resume(directory, from, changes, options))?
}
