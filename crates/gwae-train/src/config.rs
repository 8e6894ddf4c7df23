//! The configuration of a run: everything that decides what it computes.

mod error;
pub(crate) mod training;

use gwae_datasets::config::DataConfig;
use serde::Serialize;

use crate::model_config::ModelConfig;

pub use error::ConfigError;
pub use training::TrainingConfig;

/// One run: the model, its training and its data.
///
/// The defaults are the official CelebA settings, on the embedded digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunConfig {
    /// The model and its architecture.
    pub model: ModelConfig,
    /// The optimisation.
    pub training: TrainingConfig,
    /// The data.
    pub data: DataConfig,
}

impl RunConfig {
    /// Whether the model is trained against a critic.
    pub fn has_critic(&self) -> bool {
        self.model.has_critic()
    }

    /// Checks every field. Call it once, before any work.
    ///
    /// # Errors
    ///
    /// The first field that is out of range, with its value, the allowed values and the solution.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.model.validate()?;
        self.training.validate(self.has_critic())?;
        self.data.validate()?;
        if self.training.patience.is_some() && self.data.validation_fraction == 0.0 {
            return Err(ConfigError::Conflict {
                field: "data.validation_fraction",
                problem: "is 0, so there is no validation loss to be patient about: hold out \
                          images, or set training.patience = 0",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
