//! Importing models of the authors' program.

use std::path::Path;

use burn::tensor::Device;
use gwae_core::random::SeededGenerator;
use gwae_models::{CriticActivation, Gwae, GwaeConfig, ModelConfigError, ModelSettings};
use gwae_priors::{Form, PriorConfig};
use gwae_train::checkpoint::{CheckpointError, KeepAs, SaveError};
use gwae_train::health::parameters_are_finite;
use gwae_train::model_file::{MODEL_FILE, ModelFileError, save_model};
use gwae_train::run_directory::{ImportDescription, RunDirectory, RunDirectoryError};
use gwae_train::{ConfigError, ModelConfig, RunConfig, TrainingConfig};
use serde_json::Value;

use crate::architecture::{ArchitectureError, Sizes, infer_config};
use crate::checkpoint::{OfficialCheckpoint, OfficialCheckpointError};
use crate::settings::{SettingsError, from_hyperparameters, from_hyperparameters_yaml};
use crate::state::{OfficialStateError, OfficialTensor, with_official_state};

/// How many times as many parameters as the checkpoint has values a model may have before it is
/// built.
const LARGEST_SURPLUS: usize = 8;

/// The source of an imported model's hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A configuration that the caller gave.
    Given,
    /// The checkpoint's own options.
    Options,
    /// The names and shapes of the parameters. They do not show `learned_similarity` and
    /// `mixed_potential`, which are assumed to be off.
    Parameters,
}

/// An imported model of the authors' program.
#[derive(Debug)]
pub struct ImportedModel {
    /// The model.
    pub model: Gwae,
    /// The matching configuration. Its data are the defaults, because a checkpoint does not hold
    /// its images.
    pub config: RunConfig,
    /// The source of the configuration.
    pub source: Source,
}

/// A model that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not a checkpoint of the authors' program.
    #[error(transparent)]
    Checkpoint(#[from] OfficialCheckpointError),
    /// The checkpoint's options do not describe a model.
    #[error("{path}: {problem}; a configuration can take the place of these options")]
    Options {
        /// The checkpoint.
        path: String,
        /// The option and its problem.
        problem: String,
    },
    /// The given configuration does not fit a model of the authors' program.
    #[error("{path}: {problem}")]
    Given {
        /// The checkpoint.
        path: String,
        /// The setting that does not fit.
        problem: String,
    },
    /// The parameters do not show which model they belong to.
    #[error("{path}: {cause}")]
    Architecture {
        /// The checkpoint.
        path: String,
        /// The missing part.
        cause: ArchitectureError,
    },
    /// The parameters do not fit the configuration.
    #[error("{path}: {cause}")]
    State {
        /// The checkpoint.
        path: String,
        /// The parameter that does not fit.
        cause: OfficialStateError,
    },
    /// The checkpoint is far too small for the configuration, from which no model is built then.
    #[error(
        "{path}: its {found} values are too few for the model of the configuration, which has about \
         {expected} parameters: it belongs to another architecture (check latent_dim, width, prior)"
    )]
    TooSmall {
        /// The checkpoint.
        path: String,
        /// Number of its values.
        found: usize,
        /// About the number of parameters of the model.
        expected: usize,
    },
    /// No model can be built from the configuration.
    #[error("{path}: {cause}")]
    Model {
        /// The checkpoint.
        path: String,
        /// The field.
        cause: ModelConfigError,
    },
    /// Some parameters are not finite.
    #[error(
        "{path}: a parameter is NaN or infinite: its training broke, take an earlier checkpoint"
    )]
    NotFinite {
        /// The checkpoint.
        path: String,
    },
    /// The run directory cannot be written.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// Its checkpoints cannot be opened.
    #[error(transparent)]
    Store(#[from] CheckpointError),
    /// The model cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError<ModelFileError>),
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl ImportedModel {
    /// Builds the model of a checkpoint on `device`.
    ///
    /// The configuration is the first of these that exists:
    ///
    /// 1. `given`
    /// 2. the checkpoint's options, with the prior in `form` and the sizes of the parameters
    /// 3. the names and shapes of the parameters
    ///
    /// # Errors
    /// One line if options or parameters do not describe a model, or parameters do not fit.
    pub fn build(
        checkpoint: OfficialCheckpoint,
        given: Option<RunConfig>,
        form: Form,
        device: &Device,
    ) -> Result<Self, ImportError> {
        let path = || checkpoint.path.display().to_string();
        let architecture = |cause| ImportError::Architecture {
            path: path(),
            cause,
        };
        let (model_config, mut config, source) = match (given, &checkpoint.options) {
            (Some(config), _) => {
                let given = |problem| ImportError::Given {
                    path: path(),
                    problem,
                };
                let model = config.model.gwae().cloned();
                let model = model.ok_or_else(|| {
                    given(format!(
                        "the checkpoint holds a GWAE, and the configuration is for kind = \"{}\"",
                        config.model.kind()
                    ))
                })?;
                // The parameters do not show the activation, and another one would change the
                // potential.
                if model.critic_activation != CriticActivation::LeakyRelu {
                    return Err(given(
                        "the critics of the authors' program have a LeakyReLU: remove \
                         model.critic_activation from the configuration"
                            .to_owned(),
                    ));
                }
                (model, config, Source::Given)
            }
            (None, Some(options)) if options.contains_key("hyperparameters") => {
                let (mut model, training) =
                    from_options(options, form).map_err(|problem| ImportError::Options {
                        path: path(),
                        problem,
                    })?;
                adopt_sizes(&mut model, &checkpoint.state).map_err(architecture)?;
                let config = RunConfig {
                    training,
                    ..RunConfig::default()
                };
                (model, config, Source::Options)
            }
            (None, _) => {
                let model = infer_config(&checkpoint.state, form).map_err(architecture)?;
                (model, RunConfig::default(), Source::Parameters)
            }
        };
        let invalid = |cause| ImportError::Model {
            path: path(),
            cause,
        };
        model_config.validate().map_err(invalid)?;
        let found = checkpoint
            .state
            .iter()
            .map(|(_, tensor)| tensor.values.len());
        let found: usize = found.sum();
        let expected = ModelConfig::from(model_config.clone()).approximate_parameters();
        // The shapes are compared below; this keeps a small file from building a large model.
        if expected > found.saturating_mul(LARGEST_SURPLUS) {
            return Err(ImportError::TooSmall {
                path: path(),
                found,
                expected,
            });
        }
        // All values are replaced.
        let model = model_config.init(&mut SeededGenerator::new(0, 0), device);
        let model = model.map_err(invalid)?;
        let name = path();
        let model = with_official_state(model, checkpoint.state)
            .map_err(|cause| ImportError::State { path: name, cause })?;
        config.model = model_config.into();
        Ok(Self {
            model,
            config,
            source,
        })
    }

    /// Writes a run directory with the model. It has no training state, so it cannot be resumed.
    ///
    /// # Errors
    /// When a parameter is not finite, or the directory is not empty or cannot be written. The
    /// directory then gets no files.
    pub fn write_run(
        &self,
        directory: &Path,
        description: ImportDescription,
        validation_loss: Option<f64>,
    ) -> Result<RunDirectory, ImportError> {
        if !parameters_are_finite(&self.model) {
            return Err(ImportError::NotFinite {
                path: description.imported_from,
            });
        }
        let run = RunDirectory::create_imported(directory, &self.config, description)?;
        let keep = match validation_loss.filter(|loss| loss.is_finite()) {
            Some(monitored) => KeepAs::LastAndBest { monitored },
            None => KeepAs::Last,
        };
        let saved = run
            .open_checkpoints()
            .map_err(ImportError::from)
            .and_then(|mut store| {
                let write = |into: &Path| save_model(&self.model, &into.join(MODEL_FILE));
                Ok(store.save(0, keep, write)?)
            });
        match saved {
            Ok(()) => Ok(run),
            Err(error) => {
                run.abandon();
                Err(error)
            }
        }
    }

    /// Whether the prior's sampler in the authors' program has a slip, so that the form matters.
    pub fn has_form(&self) -> bool {
        let prior = self.config.model.gwae().map(|model| &model.prior);
        matches!(
            prior,
            Some(PriorConfig::GaussianMixture { .. } | PriorConfig::Causal { .. })
        )
    }
}

/// Sets the sizes of `model` to those of the parameters in `state`. The authors' hyper-parameters
/// do not contain sizes, because their program has only one image size.
///
/// # Errors
/// Names the parameter that is missing or has an impossible shape.
pub fn adopt_sizes(
    model: &mut GwaeConfig,
    state: &[(String, OfficialTensor)],
) -> Result<(), ArchitectureError> {
    let sizes = Sizes::of(state)?;
    model.backbone.image_size = sizes.image_size;
    model.backbone.channels = sizes.channels;
    model.backbone.width = sizes.width;
    Ok(())
}

fn from_options(
    options: &serde_json::Map<String, Value>,
    form: Form,
) -> Result<(GwaeConfig, TrainingConfig), String> {
    if let Some(name) = options.get("model_name").filter(|name| *name != "gwae") {
        return Err(format!("options.model_name is {name}, not \"gwae\""));
    }
    let hyperparameters = match &options["hyperparameters"] {
        Value::String(yaml) => from_hyperparameters_yaml(yaml, form),
        object => from_hyperparameters(object, form),
    };
    let (model, mut training) =
        hyperparameters.map_err(|error: SettingsError| format!("options.{error}"))?;
    if let Some(batch_size) = options.get("batch_size").and_then(Value::as_u64) {
        training.batch_size = batch_size as usize;
    }
    Ok((model, training))
}
