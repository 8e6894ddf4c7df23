//! Everything that a run needs to go on exactly where it stopped.

use std::fs;
use std::path::{Path, PathBuf};

use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use gwae_core::noise::{GeneratorState, HostGenerator};
use gwae_datasets::Position;
use serde::{Deserialize, Serialize};

use crate::atomic::FileError;
use crate::config::RunConfig;
use crate::device::without_panic;
use crate::early_stopping::EarlyStoppingState;
use crate::model_file::{MODEL_FILE, ModelFileError, load_model, one_line, save_model};
use crate::trainer::Trainer;

const STATE_FILE: &str = "state.json";
const MAIN_OPTIMIZER_FILE: &str = "optimizer_main.bpk";
const CRITIC_OPTIMIZER_FILE: &str = "optimizer_critic.bpk";

/// Where a run stands, beside its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// Main steps done.
    pub step: u64,
    /// The next batch.
    pub position: Position,
    /// The generator of the noise.
    pub generator: GeneratorState,
    /// Best validation loss so far and the validations since.
    pub early_stopping: EarlyStoppingState,
    /// The validation of this step was interrupted: it comes before the next step.
    #[serde(default)]
    pub validation_pending: bool,
    /// Seconds of training, interruptions left out.
    pub seconds: f64,
}

impl TrainingState {
    /// Before the first step, with the noise from `generator` on.
    pub fn first(generator: &HostGenerator) -> Self {
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
    /// An optimiser.
    #[error("{path}: {problem}", path = path.display())]
    Optimizer {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        problem: String,
    },
    /// Where the run stands.
    #[error(
        "{path}: is no training state ({problem}): resume with the version of gwae that wrote it",
        path = path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        problem: String,
    },
    /// A model that was not trained here.
    #[error(
        "{path} holds a model without optimiser state (it was imported): it can be used, but there is no training to resume",
        path = .0.display()
    )]
    ModelOnly(PathBuf),
}

/// Writes parameters, optimisers and state into `directory`. Not atomic: checkpoints are.
///
/// # Errors
/// Names the file that cannot be written.
pub fn save_state(
    directory: &Path,
    trainer: &Trainer,
    state: &TrainingState,
) -> Result<(), StateError> {
    save_model(&trainer.model, &directory.join(MODEL_FILE))?;
    save_optimizer(&trainer.main_optimizer, directory.join(MAIN_OPTIMIZER_FILE))?;
    if trainer.model.critic.is_some() {
        save_optimizer(
            &trainer.critic_optimizer,
            directory.join(CRITIC_OPTIMIZER_FILE),
        )?;
    }
    let path = directory.join(STATE_FILE);
    let text = serde_json::to_string_pretty(state).map_err(|error| StateError::Format {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    Ok(fs::write(&path, text).map_err(FileError::on("write", &path))?)
}

/// Reads what [`save_state`] wrote; `device` is an autodiff device.
///
/// # Errors
/// Names the file that is missing, damaged or of another architecture than `config` describes.
pub fn load_state(
    directory: &Path,
    config: &RunConfig,
    device: &Device,
) -> Result<(Trainer, TrainingState), StateError> {
    let path = directory.join(STATE_FILE);
    if !path.exists() {
        return Err(StateError::ModelOnly(directory.to_owned()));
    }
    let text = fs::read_to_string(&path).map_err(FileError::on("read", &path))?;
    let state: TrainingState = serde_json::from_str(&text).map_err(|error| StateError::Format {
        path,
        problem: error.to_string(),
    })?;
    let model = load_model(&config.model, &directory.join(MODEL_FILE), device)?;
    let mut trainer = Trainer::new(model, config);
    trainer.completed_steps = state.step;
    trainer.main_optimizer =
        load_optimizer(trainer.main_optimizer, directory.join(MAIN_OPTIMIZER_FILE))?;
    if trainer.model.critic.is_some() {
        trainer.critic_optimizer = load_optimizer(
            trainer.critic_optimizer,
            directory.join(CRITIC_OPTIMIZER_FILE),
        )?;
    }
    Ok((trainer, state))
}

fn save_optimizer(optimizer: &ModuleOptimizer, path: PathBuf) -> Result<(), StateError> {
    let record = optimizer
        .into_bytes()
        .map_err(|error| StateError::Optimizer {
            problem: format!("the optimiser cannot be written: {}", one_line(error)),
            path: path.clone(),
        })?;
    Ok(fs::write(&path, &record[..]).map_err(FileError::on("write", path))?)
}

fn load_optimizer(
    optimizer: ModuleOptimizer,
    path: PathBuf,
) -> Result<ModuleOptimizer, StateError> {
    let failed = |problem: String| StateError::Optimizer {
        problem: format!("the optimiser cannot be read: {problem}"),
        path: path.clone(),
    };
    // Burn reads optimisers on its default device, the first GPU backend that is compiled in, and
    // panics where that has no driver; the first step moves them to the device of the model.
    without_panic(|| optimizer.load(&path))
        .map_err(|panic| {
            failed(format!(
                "{panic}; if this machine has no GPU, set the environment variable BURN_DEVICE=flex"
            ))
        })?
        .map_err(|error| failed(one_line(error)))
}
