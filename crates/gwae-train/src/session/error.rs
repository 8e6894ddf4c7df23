//! Why a run could not be started or had to stop.

use gwae_datasets::DatasetError;
use gwae_models::ModelConfigError;

use crate::atomic::FileError;
use crate::checkpoint::{CheckpointError, SaveError};
use crate::config::ConfigError;
use crate::device::{DeviceError, ShardError};
use crate::health::NonFiniteLoss;
use crate::metrics_log::MetricsLogError;
use crate::report::ReportError;
use crate::run_directory::RunDirectoryError;
use crate::state::StateError;

/// A run that could not be started or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The architecture.
    #[error(transparent)]
    Model(#[from] ModelConfigError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The batch, for so many devices.
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
    /// What a checkpoint holds.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log of losses.
    #[error(transparent)]
    Log(#[from] MetricsLogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A picture.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A probe of the caller.
    #[error("step {step}: {error}")]
    Probe {
        /// The step that it looked at.
        step: u64,
        /// What went wrong.
        error: Box<dyn std::error::Error>,
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

impl TrainError {
    /// Whether the model itself is sound and only something around it failed, so that what was
    /// trained since the last checkpoint is worth saving.
    pub(super) fn leaves_the_model_sound(&self) -> bool {
        !matches!(
            self,
            Self::Broken(_) | Self::BrokenParameters { .. } | Self::Save(_)
        )
    }
}
