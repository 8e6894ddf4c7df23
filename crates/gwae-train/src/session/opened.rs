//! The parts that a session works with.

use burn::tensor::Device;
use gwae_datasets::{BatchStream, Split};

use crate::checkpoint::CheckpointStore;
use crate::config::RunConfig;
use crate::data::RunData;
use crate::run_directory::RunDirectory;

/// The parts of a session; all exist and fit together.
pub(super) struct Opened {
    pub(super) config: RunConfig,
    /// Autodiff devices, at least one; the first holds the model.
    pub(super) devices: Vec<Device>,
    pub(super) data: RunData,
    pub(super) split: Split,
    pub(super) batches: BatchStream,
    pub(super) checkpoints: CheckpointStore,
    /// The step of the last checkpoint, if the session continues from it.
    pub(super) saved_step: Option<u64>,
    pub(super) directory: RunDirectory,
}
