//! The settings files of the authors' program.

mod fields;
mod yaml_scalar;

use std::collections::BTreeMap;

use gwae_datasets::config::{DataConfig, DatasetName};
use gwae_models::{BackboneConfig, CriticActivation, GwaeConfig};
use gwae_priors::{CausalConfig, Form, GaussianMixtureConfig, PriorConfig, VectorQuantizedConfig};
use gwae_train::{RunConfig, TrainingConfig};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use fields::{Fields, parse_yaml};

pub use fields::SettingsError;

const SETTINGS: [&str; 10] = [
    "model_name",
    "hyperparameters",
    "dataset",
    "logger_path",
    "batch_size",
    "cuda_sync",
    "very_verbose",
    "until_convergence",
    "patience",
    "epochs",
];

const HYPERPARAMETERS: [&str; 19] = [
    "lr",
    "z_dim",
    "coef_w",
    "coef_d",
    "coef_qentropy",
    "sampler_type",
    "num_components",
    "num_embeddings",
    "merged_condition",
    "lr_disc",
    "coef_gp",
    "times_d_training",
    "batchnorm",
    "resblock",
    "latent_bn",
    "learned_similarity",
    "mixed_potential",
    "distance_coef_initial",
    // The authors' program sets the number of target values itself; a GWAE does not use it.
    "t_dim",
];

/// The configuration in a YAML settings file of the authors' program, at the official image size of
/// 64×64×3.
///
/// `form` is the form of the prior. `dataset` replaces the file's dataset, which is then not read.
/// With `until_convergence` the file's `epochs` are ignored, as in the authors' program.
/// `logger_path`, `cuda_sync` and `very_verbose` are ignored too.
///
/// # Errors
///
/// The key that is unknown, missing or of the wrong type, with its place in the file.
pub fn parse(
    text: &str,
    form: Form,
    dataset: Option<DatasetName>,
) -> Result<RunConfig, SettingsError> {
    let settings = Fields::from_yaml("", text, &SETTINGS)?;
    let name = settings.required_text("model_name")?;
    if name != "gwae" {
        return Err(settings.error("model_name", other_model(&name)));
    }
    let hyperparameters = match settings.value("hyperparameters")? {
        // The authors' checkpoints hold the hyper-parameters as YAML inside a string.
        Some(Value::String(text)) => Fields::from_yaml("hyperparameters.", text, &HYPERPARAMETERS)?,
        Some(Value::Object(_)) => {
            let located: WithHyperparameters = parse_yaml(text)?;
            Fields::located("hyperparameters.", text, located.hyperparameters)
                .checked(&HYPERPARAMETERS)?
        }
        Some(_) => return Err(settings.error("hyperparameters", "must be a mapping".into())),
        None => return Err(settings.missing("hyperparameters")),
    };
    let (model, mut training) = from_fields(&hyperparameters, form)?;

    let dataset = match dataset {
        Some(dataset) => dataset,
        None => {
            let name = settings.required_text("dataset")?;
            name.parse()
                .map_err(|error| settings.error("dataset", format!("{error}")))?
        }
    };
    if let Some(batch_size) = settings.count("batch_size")? {
        training.batch_size = batch_size as usize;
    }
    let until_convergence = settings.switch("until_convergence")?.unwrap_or(false);
    training.epochs = settings.count("epochs")?.filter(|_| !until_convergence);
    training.patience = match settings.count("patience")? {
        _ if !until_convergence => None,
        None => TrainingConfig::default().patience,
        // In TOML, 0 means never. In the authors' program it means the first validation without
        // improvement.
        Some(0) => {
            let problem = "0 is out of range: it must be at least 1, or set \
                               until_convergence: false";
            return Err(settings.error("patience", problem.into()));
        }
        patience => patience,
    };
    if !until_convergence && training.epochs.is_none() {
        let problem = "missing: needed unless until_convergence is true";
        return Err(settings.error("epochs", problem.into()));
    }
    settings.switch("cuda_sync")?;
    settings.switch("very_verbose")?;
    settings.text("logger_path")?;
    Ok(RunConfig {
        model: model.into(),
        training,
        data: DataConfig {
            dataset,
            ..DataConfig::default()
        },
    })
}

/// The error for settings of a model other than a GWAE.
fn other_model(name: &str) -> String {
    match name {
        "vae" => "`vae` cannot be read from the authors' settings: write a configuration in TOML, \
                  with kind = \"vae\" under [model]"
            .to_owned(),
        _ => format!("`{name}` is not supported: these settings can only be those of gwae"),
    }
}

#[derive(Deserialize)]
struct WithHyperparameters {
    hyperparameters: BTreeMap<String, Spanned<Value>>,
}

/// The model and training of the authors' `hyperparameters` in JSON. Use [`Form::Official`] as
/// `form` to get the numbers of their program. Names in [`unknown_hyperparameters`] are ignored, as
/// in their program.
///
/// # Errors
///
/// The key that is missing or of the wrong type.
pub fn from_hyperparameters(
    hyperparameters: &Value,
    form: Form,
) -> Result<(GwaeConfig, TrainingConfig), SettingsError> {
    let Value::Object(object) = hyperparameters else {
        return Err(SettingsError {
            location: None,
            problem: "hyperparameters must be an object".into(),
        });
    };
    // The others are ignored, and may be large.
    let known = object
        .iter()
        .filter(|(key, _)| HYPERPARAMETERS.contains(&key.as_str()));
    let values = known
        .map(|(key, value)| (key.clone(), (value.clone(), None)))
        .collect();
    let fields = Fields {
        prefix: "hyperparameters.",
        values,
    };
    from_fields(&fields, form)
}

/// The names among the authors' `hyperparameters` in JSON that a GWAE does not use.
pub fn unknown_hyperparameters(hyperparameters: &Value) -> Vec<&str> {
    let object = hyperparameters.as_object().into_iter().flatten();
    object
        .map(|(key, _)| key.as_str())
        .filter(|key| !HYPERPARAMETERS.contains(key))
        .collect()
}

/// Like [`from_hyperparameters`], but from YAML, the format in the authors' checkpoints.
///
/// # Errors
///
/// As [`from_hyperparameters`].
pub fn from_hyperparameters_yaml(
    text: &str,
    form: Form,
) -> Result<(GwaeConfig, TrainingConfig), SettingsError> {
    let fields = Fields::located("hyperparameters.", text, parse_yaml(text)?);
    from_fields(&fields, form)
}

/// Required and optional keys, and the defaults of the optional ones, are those of the authors'
/// program.
fn from_fields(fields: &Fields, form: Form) -> Result<(GwaeConfig, TrainingConfig), SettingsError> {
    let sampler = fields.required_text("sampler_type")?;
    let prior = match sampler.as_str() {
        "neural" => PriorConfig::Neural,
        "factorized_neural" => PriorConfig::FactorizedNeural,
        "gm" => PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: fields.required_count("num_components")? as usize,
            form,
        }),
        "factorized_normal" => PriorConfig::FactorizedNormal,
        "factorized_uniform" => PriorConfig::FactorizedUniform,
        "spherical" => PriorConfig::Spherical,
        "vq" => PriorConfig::VectorQuantized(VectorQuantizedConfig {
            embeddings: fields.required_count("num_embeddings")? as usize,
        }),
        "causal" => PriorConfig::Causal(CausalConfig { form }),
        _ => {
            let problem = format!(
                "`{sampler}` is unknown; choose one of: neural, factorized_neural, gm, \
                 factorized_normal, factorized_uniform, spherical, vq, causal"
            );
            return Err(fields.error("sampler_type", problem));
        }
    };
    let merged_condition = fields
        .switch("merged_condition")?
        .ok_or_else(|| fields.missing("merged_condition"))?;
    let switch = |key| Ok::<_, SettingsError>(fields.switch(key)?.unwrap_or(false));
    let model = GwaeConfig {
        backbone: BackboneConfig {
            latent_dim: fields.required_count("z_dim")? as usize,
            batchnorm: switch("batchnorm")?,
            resblock: switch("resblock")?,
            latent_bn: switch("latent_bn")?,
            ..BackboneConfig::default()
        },
        merged_condition,
        learned_similarity: switch("learned_similarity")?,
        // Without the critic, the authors' program ignores it; here it would be an error.
        mixed_potential: switch("mixed_potential")? && merged_condition,
        critic_activation: CriticActivation::LeakyRelu,
        initial_distance_coefficient: fields.number("distance_coef_initial")?.unwrap_or(1.0),
        prior,
    };
    let mut training = TrainingConfig {
        learning_rate: fields.required_number("lr")?,
        reconstruction_weight: fields.required_number("coef_w")?,
        merged_weight: fields.required_number("coef_d")?,
        entropy_weight: fields.required_number("coef_qentropy")?,
        ..TrainingConfig::default()
    };
    let critic = (
        fields.number("lr_disc")?,
        fields.number("coef_gp")?,
        fields.count("times_d_training")?,
    );
    if merged_condition {
        training.critic_learning_rate = critic.0.ok_or_else(|| fields.missing("lr_disc"))?;
        training.gradient_penalty_weight = critic.1.ok_or_else(|| fields.missing("coef_gp"))?;
        training.critic_steps =
            critic.2.ok_or_else(|| fields.missing("times_d_training"))? as usize;
    }
    Ok((model, training))
}

#[cfg(test)]
mod tests;
