//! The state that a run needs to continue exactly where it stopped.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Bytes, Device};
use gwae_core::random::{GeneratorState, SeededGenerator};
use gwae_datasets::Position;
use gwae_models::{Autoencoder, LossTerms};
use serde::{Deserialize, Serialize};

use crate::algorithm::{Algorithm, Learner};
use crate::averaging::ParameterAverage;
use crate::checkpoint::{Checkpoint, CheckpointFile};
use crate::config::TrainingConfig;
use crate::device::without_panic;
use crate::early_stopping::EarlyStoppingState;
use crate::model_file::{AVERAGED_FILE, MODEL_FILE, ModelFileError, load_trainable, save_model};
use crate::reproducible::ordered;
use gwae_formats::atomic::FileError;
use gwae_formats::one_line::{folded, shortened};

const STATE_FILE: &str = "state.json";

/// The state of a run, besides its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// Main steps done.
    pub step: u64,
    /// The next batch.
    pub position: Position,
    /// The generator of the noise.
    pub generator: GeneratorState,
    /// Best monitored value so far, and the number of validations since.
    pub early_stopping: EarlyStoppingState,
    /// The validation of this step was interrupted; it is done before the next step.
    #[serde(default)]
    pub validation_pending: bool,
    /// Seconds of training, without interruptions. Only older versions stored them here; the log
    /// has them. Without them, runs of one seed have equal checkpoints.
    #[serde(default, skip_serializing)]
    pub seconds: f64,
}

impl TrainingState {
    /// The state before the first step, with `generator` as the source of the noise.
    pub fn first(generator: &SeededGenerator) -> Self {
        Self {
            step: 0,
            position: Position::START,
            generator: generator.state(),
            early_stopping: EarlyStoppingState::default(),
            validation_pending: false,
            seconds: 0.0,
        }
    }
}

/// A checkpoint whose contents cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// An optimiser cannot be written or read.
    #[error("{path}: {problem}", path = path.display())]
    Optimizer {
        /// The file.
        path: PathBuf,
        /// The failure.
        problem: String,
    },
    /// The state of the run cannot be read.
    #[error(
        "{path}: is no training state ({problem}): resume with the version of gwae that wrote it",
        path = path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        problem: String,
    },
    /// The model was not trained by this program.
    #[error(
        "{path} holds a model without optimiser state (it was imported): it can be used, but there is no training to resume",
        path = .0.display()
    )]
    ModelOnly(PathBuf),
}

/// Writes parameters, optimisers and state into `directory`. Not atomic; saving a checkpoint is.
///
/// # Errors
/// Names the file that cannot be written.
pub fn save_state<L: Learner>(
    directory: &Path,
    learner: &mut L,
    average: Option<&ParameterAverage>,
    state: &TrainingState,
) -> Result<(), StateError> {
    save_model(learner.model(), &directory.join(MODEL_FILE))?;
    if let Some(average) = average {
        let averaged = averaged_model(average, learner.model());
        save_model(&averaged, &directory.join(AVERAGED_FILE))?;
    }
    for (file, optimizer) in learner.optimizers() {
        save_optimizer(optimizer, directory.join(file))?;
    }
    let path = directory.join(STATE_FILE);
    let text = serde_json::to_string_pretty(state).map_err(|error| StateError::Format {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    Ok(fs::write(&path, text).map_err(FileError::on("write", &path))?)
}

/// The averaged model to use; its buffers match its parameters.
pub fn averaged_model<M: Autoencoder + Module>(average: &ParameterAverage, model: &M) -> M {
    let averaged = average.averaged(model);
    averaged.settle_buffers();
    averaged
}

/// Loads what [`save_state`] wrote: the learner, the average of its parameters if the training
/// keeps one, and the state. `device` is an autodiff device.
///
/// # Errors
/// Names the file that is missing, damaged or of another architecture than `algorithm`'s.
pub fn load_state<A: Algorithm>(
    mut checkpoint: Checkpoint,
    algorithm: &A,
    training: &TrainingConfig,
    terms: LossTerms<A::Model>,
    device: &Device,
) -> Result<(A::Learner, Option<ParameterAverage>, TrainingState), StateError> {
    let Ok(file) = checkpoint.take(STATE_FILE) else {
        return Err(StateError::ModelOnly(checkpoint.directory().to_owned()));
    };
    let state: TrainingState =
        serde_json::from_slice(&file.bytes).map_err(|error| StateError::Format {
            path: file.path,
            problem: shortened(error),
        })?;
    let model = load_trainable(algorithm, checkpoint.take(MODEL_FILE)?, device)?;
    let average = match training.average_decay {
        decay if decay > 0.0 => {
            let averaged = load_trainable(algorithm, checkpoint.take(AVERAGED_FILE)?, device)?;
            Some(ParameterAverage::resume(decay, &averaged, state.step))
        }
        _ => None,
    };
    let mut learner = algorithm.learner(model, training, terms);
    learner.set_completed_steps(state.step);
    for (file, optimizer) in learner.optimizers() {
        *optimizer = load_optimizer(optimizer.clone(), checkpoint.take(file)?)?;
    }
    Ok((learner, average, state))
}

fn save_optimizer(optimizer: &ModuleOptimizer, path: PathBuf) -> Result<(), StateError> {
    let record = optimizer.into_bytes().map_err(folded);
    let record = record
        .and_then(|record| ordered(record, |_| true).map_err(folded))
        .map_err(|problem| StateError::Optimizer {
            problem: format!("the optimiser cannot be written: {problem}"),
            path: path.clone(),
        })?;
    Ok(fs::write(&path, &record[..]).map_err(FileError::on("write", path))?)
}

fn load_optimizer(
    optimizer: ModuleOptimizer,
    file: CheckpointFile,
) -> Result<ModuleOptimizer, StateError> {
    let failed = |problem: String| StateError::Optimizer {
        problem: format!("the optimiser cannot be read: {problem}"),
        path: file.path.clone(),
    };
    // Burn reads optimisers on its default device, the first GPU backend that is compiled in, and
    // panics if that has no driver. The first step moves them to the device of the model.
    let bytes = Bytes::from_bytes_vec(file.bytes);
    without_panic(|| optimizer.from_bytes(bytes))
        .map_err(|panic| {
            failed(format!(
                "{panic}; if this machine has no GPU, set the environment variable BURN_DEVICE=flex"
            ))
        })?
        .map_err(|error| failed(folded(error)))
}
