//! Why a run could not start or had to stop.

use std::fmt;
use std::path::PathBuf;

use gwae_datasets::DatasetError;
use gwae_datasets::config::DataConfigError;
use gwae_models::ModelConfigError;

use crate::callback::CallbackError;
use crate::checkpoint::{CheckpointError, SaveError};
use crate::config::ConfigError;
use crate::device::{DeviceError, ShardError};
use crate::health::NonFiniteLoss;
use crate::metrics_log::MetricsLogError;
use crate::model_file::ModelFileError;
use crate::monitor::MonitorError;
use crate::run_directory::RunDirectoryError;
use crate::state::StateError;
use gwae_formats::atomic::FileError;

/// A run that could not start or had to stop.
#[derive(thiserror::Error)]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration of the data.
    #[error(transparent)]
    DataConfig(#[from] DataConfigError),
    /// The architecture.
    #[error(transparent)]
    Model(#[from] ModelConfigError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The batch cannot be divided among the devices.
    #[error(transparent)]
    Shards(#[from] ShardError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// The run directory.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// Reading a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Writing a checkpoint.
    #[error(transparent)]
    Save(#[from] SaveError<StateError>),
    /// The contents of a checkpoint.
    #[error(transparent)]
    State(#[from] StateError),
    /// The model of another run that this one starts from.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// The log of losses.
    #[error(transparent)]
    Log(#[from] MetricsLogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The monitored quantity.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The run belongs to another model.
    #[error(
        "{path} holds a run of another model ({difference}): resume it with the program that began it",
        path = directory.display()
    )]
    OtherModel {
        /// The run directory.
        directory: PathBuf,
        /// The field that differs, with both values.
        difference: String,
    },
    /// A resumed run was given a limit below what it has done.
    #[error(
        "training.{unit} = {limit}{} is less than the {done} steps that the run has done: give more, or \
         go on from an older checkpoint that the run kept (--checkpoint)",
        if *.unit == "steps" { String::new() } else { format!(" ({steps} steps)") }
    )]
    LimitBelowDone {
        /// `steps` or `epochs`.
        unit: &'static str,
        /// The limit.
        limit: u64,
        /// The limit in steps.
        steps: u64,
        /// Steps done.
        done: u64,
    },
    /// A callback.
    #[error("step {step}: {error}")]
    Callback {
        /// The step that the callback was called for.
        step: u64,
        /// The callback's error.
        error: CallbackError,
    },
    /// A loss is NaN or infinite.
    #[error(transparent)]
    Broken(#[from] NonFiniteLoss),
    /// A parameter is NaN or infinite.
    #[error(
        "step {step}: a parameter is no longer a finite number, so training stops here; what was \
         saved before is intact: resume with a lower training.learning_rate or \
         training.critic_learning_rate"
    )]
    BrokenParameters {
        /// The step that computed it.
        step: u64,
    },
}

/// Prints the message, so that a `main` that returns the error explains it.
impl fmt::Debug for TrainError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl TrainError {
    pub(super) fn of_callback(step: u64, error: CallbackError) -> Self {
        Self::Callback { step, error }
    }

    /// Whether the model is intact and only something around it failed. The steps since the last
    /// checkpoint are then worth saving.
    pub(super) fn leaves_the_model_sound(&self) -> bool {
        !matches!(
            self,
            Self::Broken(_) | Self::BrokenParameters { .. } | Self::Save(_)
        )
    }
}
