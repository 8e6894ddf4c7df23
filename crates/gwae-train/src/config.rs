//! Everything that decides what a run computes.

mod data;
mod data_name;

use std::path::{Path, PathBuf};

use gwae_models::{ModelConfig, ModelConfigError};
use gwae_priors::Form;
use serde::{Deserialize, Serialize};

use crate::atomic::FileError;
use crate::official_settings::SettingsError;
use crate::precision::Precision;

pub use data::{CELEBA_CROP, DataConfig, DatasetName};

/// One run: the model, how it is trained, and on what.
///
/// The defaults are the official CelebA settings, on the embedded digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Which model, and its architecture.
    pub model: ModelConfig,
    /// The optimisation.
    pub training: TrainingConfig,
    /// The data.
    pub data: DataConfig,
}

/// How a model is trained: the weights of the objective `L_GW + λ_W·L_W + λ_D·L_D + λ_H·L_H`, the
/// optimisers, and when to stop, validate and save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table: [training], with its fields in the lines below"
)]
pub struct TrainingConfig {
    /// Learning rate of encoder, decoder, prior and distance scale.
    pub learning_rate: f64,
    /// Learning rate of the critic.
    pub critic_learning_rate: f64,
    /// Steps over which both learning rates rise linearly to their values. The official program
    /// has none; learning rates above 1e-4 need some, because the first RMSprop steps are ten
    /// times the learning rate.
    pub warmup_steps: u64,
    /// Share of the old value in the moving average of the parameters that validation, pictures and
    /// later use take, such as 0.999 for an average over the last thousand steps; 0 takes the
    /// parameters as they are (official). Batch statistics of encoder and decoder are then those of
    /// the last steps.
    pub average_decay: f64,
    /// λ_W, the weight of the reconstruction loss.
    pub reconstruction_weight: f64,
    /// λ_D, the weight of the merged sufficient condition.
    pub merged_weight: f64,
    /// λ_H, the weight of the entropy regularisation.
    pub entropy_weight: f64,
    /// λ_GP, the weight of the gradient penalty in the critic's loss.
    pub gradient_penalty_weight: f64,
    /// Critic steps after every main step.
    pub critic_steps: usize,
    /// Images per step.
    pub batch_size: usize,
    /// What encoder and decoder compute in during a step, where the device can.
    pub precision: Precision,
    /// Seed of every random draw: initialisation, noise and shuffling.
    pub seed: u64,
    /// Stop after this many main steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Stop after this many passes over the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Stop after this many validations in a row without a lower validation loss. In files, 0
    /// means never.
    #[serde(with = "zero_is_none")]
    pub patience: Option<u64>,
    /// Validate every so many steps; `None`, in files 0, means after each epoch.
    #[serde(with = "zero_is_none")]
    pub validate_every: Option<u64>,
    /// Save a checkpoint every so many steps; `None`, in files 0, means only after each
    /// validation and at the end.
    #[serde(with = "zero_is_none")]
    pub checkpoint_every: Option<u64>,
    /// Read the losses from the device every so many steps, and at validations, checkpoints and the
    /// end; nothing else in a step is read back, so that a GPU need not wait for the host in between.
    /// Those of the newest step are shown and written to the log. All steps since the last time are
    /// then checked for losses that are not finite.
    pub log_every: u64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-4,
            critic_learning_rate: 1e-4,
            warmup_steps: 0,
            average_decay: 0.0,
            reconstruction_weight: 1.0,
            merged_weight: 1.0,
            entropy_weight: 0.03,
            gradient_penalty_weight: 10.0,
            critic_steps: 5,
            batch_size: 64,
            precision: Precision::Single,
            seed: 0,
            steps: None,
            epochs: None,
            patience: Some(10),
            validate_every: None,
            checkpoint_every: Some(500),
            log_every: 1,
        }
    }
}

/// What a settings file leaves open, for [`RunConfig::load_with`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadOptions {
    /// Form of a prior whose official sampler has a slip. Only the authors' settings files leave
    /// it open; the default is the corrected form.
    pub prior_form: Form,
    /// Takes the place of the file's dataset.
    pub dataset: Option<DatasetName>,
}

/// A configuration that no run can be made of.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what it should be.
    #[error("{place}: {problem}")]
    Content {
        /// The file, with line and column where they are known.
        place: String,
        /// What is wrong, and the way out.
        problem: String,
    },
    /// Official settings that no model can be made of.
    #[error(transparent)]
    Official(#[from] SettingsError),
    /// No such dataset.
    #[error("dataset `{0}` is not known; choose one of: {names}", names = data::dataset_names())]
    UnknownDataset(String),
    /// No such change of a dataset.
    #[error("`+{0}` is not known; a dataset's name can be followed by +inverted or +shuffled")]
    UnknownChange(String),
    /// A value outside its range.
    #[error("{field} = {value} is out of range: it must be {allowed}")]
    OutOfRange {
        /// The field, such as `training.batch_size`.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is allowed, and the way out.
        allowed: &'static str,
    },
    /// A field that another field makes necessary, or pointless.
    #[error("{field}: {problem}")]
    Conflict {
        /// The field, such as `data.directory`.
        field: &'static str,
        /// What does not fit, and the way out.
        problem: &'static str,
    },
    /// A dataset whose files are nowhere.
    #[error(
        "data.directory: missing: {dataset} needs the directory that holds {files}{}",
        data::how_to_get(*.dataset)
    )]
    NoDirectory {
        /// The dataset.
        dataset: DatasetName,
        /// What the directory must hold.
        files: &'static str,
    },
    /// A directory that is not there.
    #[error(
        "data.directory = {} is not there: {dataset} needs the directory that holds {files}{}",
        directory.display(),
        data::how_to_get(*.dataset)
    )]
    DirectoryMissing {
        /// The dataset.
        dataset: DatasetName,
        /// Its directory.
        directory: PathBuf,
        /// What the directory must hold.
        files: &'static str,
    },
    /// The architecture.
    #[error(transparent)]
    Model(#[from] ModelConfigError),
}

impl RunConfig {
    /// Reads a TOML file, or one of the authors' YAML settings files; see [`Self::load_with`].
    ///
    /// # Errors
    ///
    /// One line naming the file and, where known, line and column.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with(path, &LoadOptions::default())
    }

    /// Reads a TOML file, or one of the authors' YAML settings files (`model_name: gwae`,
    /// `hyperparameters:` …), told apart by name and content. Ranges are left to
    /// [`Self::validate`], so that a caller can change fields first.
    ///
    /// # Errors
    ///
    /// One line naming the file and, where known, line and column.
    pub fn load_with(path: &Path, options: &LoadOptions) -> Result<Self, ConfigError> {
        crate::config_file::load(path, options)
    }

    /// The configuration that a TOML text describes; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// One line naming `name`, line and column.
    pub fn parse_toml(name: &Path, text: &str) -> Result<Self, ConfigError> {
        crate::config_file::parse_toml(name, text)
    }

    /// The TOML that [`Self::load`] reads back to an equal configuration.
    ///
    /// # Errors
    ///
    /// For a `data.directory` that is no Unicode text, which TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Content {
            place: "data.directory".into(),
            problem: format!("{error}: give the directory a name in Unicode"),
        })
    }

    /// Whether the model is trained against a critic.
    pub fn has_critic(&self) -> bool {
        let gwae = self.model.gwae();
        gwae.is_some_and(|gwae| gwae.merged_condition)
    }

    /// Checks every field; call it once, before any work.
    ///
    /// # Errors
    ///
    /// The first field that is out of range, with its value, what is allowed and the way out.
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

fn check(
    valid: bool,
    field: &'static str,
    value: impl ToString,
    allowed: &'static str,
) -> Result<(), ConfigError> {
    valid.then_some(()).ok_or_else(|| ConfigError::OutOfRange {
        field,
        value: value.to_string(),
        allowed,
    })
}

impl TrainingConfig {
    /// Checks every field, for a model with or without a critic (`merged_condition`).
    ///
    /// # Errors
    ///
    /// The first field that is out of range.
    pub fn validate(&self, merged_condition: bool) -> Result<(), ConfigError> {
        for (field, value) in [
            ("training.learning_rate", self.learning_rate),
            ("training.critic_learning_rate", self.critic_learning_rate),
        ] {
            let allowed = "a positive number, at most 1 (official: 1e-4)";
            check(value > 0.0 && value <= 1.0, field, value, allowed)?;
        }
        for (field, value) in [
            ("training.reconstruction_weight", self.reconstruction_weight),
            ("training.merged_weight", self.merged_weight),
            ("training.entropy_weight", self.entropy_weight),
            (
                "training.gradient_penalty_weight",
                self.gradient_penalty_weight,
            ),
        ] {
            // The upper end keeps the weighted losses inside the range of f32.
            let allowed = "from 0 (term left out) to 1e9";
            check((0.0..=1e9).contains(&value), field, value, allowed)?;
        }
        check(
            (0.0..1.0).contains(&self.average_decay),
            "training.average_decay",
            self.average_decay,
            "at least 0 (no averaging) and below 1, such as 0.999",
        )?;
        check(
            (2..=1 << 20).contains(&self.batch_size),
            "training.batch_size",
            self.batch_size,
            "from 2 (the losses need the spread within a batch) to 1048576",
        )?;
        check(
            self.critic_steps <= 10_000,
            "training.critic_steps",
            self.critic_steps,
            "at most 10000 (official: 5)",
        )?;
        if merged_condition && self.critic_steps == 0 {
            return Err(ConfigError::OutOfRange {
                field: "training.critic_steps",
                value: "0".into(),
                allowed: "at least 1 while model.merged_condition = true; or set that to false",
            });
        }
        check(
            i64::try_from(self.seed).is_ok(),
            "training.seed",
            self.seed,
            "at most 9223372036854775807 (the largest integer that TOML has)",
        )?;
        check(
            self.log_every >= 1,
            "training.log_every",
            self.log_every,
            "at least 1 (log each step)",
        )?;
        for (field, value) in [
            ("training.steps", self.steps),
            ("training.epochs", self.epochs),
        ] {
            let allowed = "at least 1; leave it out for no limit";
            check(value != Some(0), field, 0, allowed)?;
        }
        for (field, value) in [
            ("training.patience", self.patience),
            ("training.validate_every", self.validate_every),
            ("training.checkpoint_every", self.checkpoint_every),
        ] {
            check(value != Some(0), field, 0, "at least 1, or None")?;
        }
        if self.steps.is_none() && self.epochs.is_none() && self.patience.is_none() {
            return Err(ConfigError::Conflict {
                field: "training.steps",
                problem: "the run would never end: set training.steps, training.epochs or \
                          training.patience",
            });
        }
        Ok(())
    }
}

/// An optional count that files write as a plain number, 0 for none, because TOML has no null.
mod zero_is_none {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.unwrap_or(0))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
        Ok(Some(u64::deserialize(source)?).filter(|value| *value != 0))
    }
}

#[cfg(test)]
mod tests;
