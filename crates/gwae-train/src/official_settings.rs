//! The settings files of the authors' program.

use std::collections::BTreeMap;

use gwae_models::{CriticActivation, GwaeConfig};
use gwae_priors::{Form, PriorConfig};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::config::{DataConfig, DatasetName, RunConfig, TrainingConfig};
use crate::suggestion::closest;

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
    // The authors' program adds the number of target values itself; a GWAE does nothing with it.
    "t_dim",
];

/// Official settings that no configuration can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", at(location))]
pub struct SettingsError {
    /// Line and column in the file, from 1, where they are known.
    pub location: Option<(u64, u64)>,
    /// The key, what is wrong with it, and the way out.
    pub problem: String,
}

fn at(location: &Option<(u64, u64)>) -> String {
    location.map_or_else(String::new, |(line, column)| {
        format!("line {line}, column {column}: ")
    })
}

/// What a settings file of the authors' program asks for in our terms, at the official image size
/// of 64×64×3, from its YAML.
///
/// `form` is the form of the prior; `dataset` takes the place of the file's own, which is then not
/// looked at. With `until_convergence` the file's `epochs` mean nothing, as in the authors' program.
/// `logger_path`, `cuda_sync` and `very_verbose` have no counterpart.
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
            Fields::located("hyperparameters.", located.hyperparameters)
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
        // In TOML 0 means never, in the authors' program the first setback.
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

/// Why settings of a model other than a GWAE are refused.
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

/// The model and the training that the authors' `hyperparameters` describe, from JSON. `form` is
/// [`Form::Official`] where their program's numbers are to come out. What
/// [`unknown_hyperparameters`] lists is ignored, as their program does.
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
    let values = object
        .iter()
        .map(|(key, value)| (key.clone(), (value.clone(), None)))
        .collect();
    let fields = Fields {
        prefix: "hyperparameters.",
        values,
    };
    from_fields(&fields, form)
}

/// Names among the authors' `hyperparameters`, from JSON, that mean nothing to a GWAE.
pub fn unknown_hyperparameters(hyperparameters: &Value) -> Vec<&str> {
    let object = hyperparameters.as_object().into_iter().flatten();
    object
        .map(|(key, _)| key.as_str())
        .filter(|key| !HYPERPARAMETERS.contains(key))
        .collect()
}

/// As [`from_hyperparameters`], from YAML, the form in which the authors' checkpoints hold them.
///
/// # Errors
///
/// As [`from_hyperparameters`].
pub fn from_hyperparameters_yaml(
    text: &str,
    form: Form,
) -> Result<(GwaeConfig, TrainingConfig), SettingsError> {
    let fields = Fields::located("hyperparameters.", parse_yaml(text)?);
    from_fields(&fields, form)
}

/// Required and optional keys, and the values of the optional ones, are those of the authors'
/// program.
fn from_fields(fields: &Fields, form: Form) -> Result<(GwaeConfig, TrainingConfig), SettingsError> {
    let sampler = fields.required_text("sampler_type")?;
    let prior = match sampler.as_str() {
        "neural" => PriorConfig::Neural,
        "factorized_neural" => PriorConfig::FactorizedNeural,
        "gm" => PriorConfig::GaussianMixture {
            components: fields.required_count("num_components")? as usize,
            form,
        },
        "factorized_normal" => PriorConfig::FactorizedNormal,
        "factorized_uniform" => PriorConfig::FactorizedUniform,
        "spherical" => PriorConfig::Spherical,
        "vq" => PriorConfig::VectorQuantized {
            embeddings: fields.required_count("num_embeddings")? as usize,
        },
        "causal" => PriorConfig::Causal { form },
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
        latent_dim: fields.required_count("z_dim")? as usize,
        batchnorm: switch("batchnorm")?,
        resblock: switch("resblock")?,
        latent_bn: switch("latent_bn")?,
        merged_condition,
        learned_similarity: switch("learned_similarity")?,
        // Without the critic it does nothing in the authors' program; here it would be refused.
        mixed_potential: switch("mixed_potential")? && merged_condition,
        critic_activation: CriticActivation::LeakyRelu,
        initial_distance_coefficient: fields.number("distance_coef_initial")?.unwrap_or(1.0),
        prior,
        ..GwaeConfig::default()
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

type Location = Option<(u64, u64)>;

/// Values by key, each with its place in the file.
struct Fields {
    prefix: &'static str,
    values: BTreeMap<String, (Value, Location)>,
}

fn parse_yaml<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, SettingsError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location().map(|place| (place.line(), place.column()));
        let message = error.without_snippet().to_string();
        SettingsError {
            location: location.filter(|(line, _)| *line > 0),
            problem: message.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    })
}

impl Fields {
    fn from_yaml(prefix: &'static str, text: &str, known: &[&str]) -> Result<Self, SettingsError> {
        Self::located(prefix, parse_yaml(text)?).checked(known)
    }

    fn located(prefix: &'static str, values: BTreeMap<String, Spanned<Value>>) -> Self {
        let located = |value: Spanned<Value>| {
            let place = (value.referenced.line(), value.referenced.column());
            (value.value, Some(place).filter(|(line, _)| *line > 0))
        };
        Self {
            prefix,
            values: values
                .into_iter()
                .map(|(key, value)| (key, located(value)))
                .collect(),
        }
    }

    fn checked(self, known: &[&str]) -> Result<Self, SettingsError> {
        match self
            .values
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            None => Ok(self),
            Some(key) => {
                let near = closest(key, known.iter().copied()).unwrap_or_default();
                Err(self.error(key, format!("unknown key; did you mean `{near}`?")))
            }
        }
    }

    fn error(&self, key: &str, problem: String) -> SettingsError {
        SettingsError {
            location: self.values.get(key).and_then(|(_, location)| *location),
            problem: format!("{}{key}: {problem}", self.prefix),
        }
    }

    fn missing(&self, key: &str) -> SettingsError {
        self.error(key, "missing; add it".into())
    }

    fn value(&self, key: &str) -> Result<Option<&Value>, SettingsError> {
        match self.values.get(key) {
            Some((Value::Null, _)) => Err(self.error(key, "has no value".into())),
            Some((value, _)) => Ok(Some(value)),
            None => Ok(None),
        }
    }

    fn wrong(&self, key: &str, value: &Value, expected: &str) -> SettingsError {
        self.error(key, format!("{value} is not {expected}"))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, SettingsError> {
        let Some(value) = self.value(key)? else {
            return Ok(None);
        };
        // A YAML 1.1 reader takes `1e-4` for a string, so the authors' program converts strings.
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| self.wrong(key, value, "a number"))?;
        Ok(Some(number))
    }

    fn count(&self, key: &str) -> Result<Option<u64>, SettingsError> {
        let Some(number) = self.number(key)? else {
            return Ok(None);
        };
        // Up to 2^32 every whole f64 is exact.
        if number.fract() != 0.0 || !(0.0..=4_294_967_296.0).contains(&number) {
            let problem = format!("{number} is not a whole number from 0 to 4294967296");
            return Err(self.error(key, problem));
        }
        Ok(Some(number as u64))
    }

    /// As the authors' program, which converts to a truth value: nothing is false, 1 is true.
    fn switch(&self, key: &str) -> Result<Option<bool>, SettingsError> {
        let Some((value, _)) = self.values.get(key) else {
            return Ok(None);
        };
        let switch = match value {
            Value::Null => Some(false),
            Value::Bool(switch) => Some(*switch),
            Value::Number(number) => match number.as_f64() {
                Some(0.0) => Some(false),
                Some(1.0) => Some(true),
                _ => None,
            },
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        let switch = switch.ok_or_else(|| self.wrong(key, value, "true or false"))?;
        Ok(Some(switch))
    }

    fn text(&self, key: &str) -> Result<Option<String>, SettingsError> {
        match self.value(key)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value) => Err(self.wrong(key, value, "a text")),
        }
    }

    fn required_number(&self, key: &str) -> Result<f64, SettingsError> {
        self.number(key)?.ok_or_else(|| self.missing(key))
    }

    fn required_count(&self, key: &str) -> Result<u64, SettingsError> {
        self.count(key)?.ok_or_else(|| self.missing(key))
    }

    fn required_text(&self, key: &str) -> Result<String, SettingsError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }
}

#[cfg(test)]
mod tests;
