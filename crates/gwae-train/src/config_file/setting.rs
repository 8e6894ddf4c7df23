//! One value of a configuration on a command line: `training.learning_rate=1e-3`.

use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

use super::explanations::all_keys;
use super::parsing::parse;
use crate::config::{ConfigError, RunConfig};
use crate::model_config::ModelConfig;

/// A key of a configuration with its value. As text: `KEY=VALUE`, where KEY has the tables in front,
/// such as `model.prior.components`, and VALUE is written as in TOML. A word needs no quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    keys: Vec<String>,
    value: Value,
}

/// A text that is no setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(String);

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let Some((key, value)) = text.split_once('=') else {
            let problem = "write KEY=VALUE, as in training.learning_rate=1e-3";
            return Err(SettingError(problem.into()));
        };
        let keys: Vec<String> = key.split('.').map(|key| key.trim().to_owned()).collect();
        if keys.iter().any(String::is_empty) {
            return Err(SettingError(format!(
                "`{key}` is no key: write it with its table, as in training.learning_rate=1e-3"
            )));
        }
        Ok(Self {
            value: read_value(key, value.trim())?,
            keys,
        })
    }
}

fn read_value(key: &str, text: &str) -> Result<Value, SettingError> {
    if text.is_empty() {
        return Err(SettingError(format!(
            "{key} has no value: write {key}=VALUE"
        )));
    }
    let read: Result<Table, _> = toml::from_str(&format!("value = {text}"));
    match read {
        Ok(mut table) if table.len() == 1 => match table.remove("value") {
            // A name may look like a date.
            Some(Value::Datetime(_)) | None => Ok(Value::String(text.to_owned())),
            Some(value) => Ok(value),
        },
        Err(error) if text.starts_with(['"', '\'', '[', '{']) => {
            let problem = error.message().split_whitespace().collect::<Vec<_>>();
            let problem = problem.join(" ");
            Err(SettingError(format!(
                "{key}: {text} is no value: {problem}"
            )))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

impl fmt::Display for Setting {
    /// The key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.keys.join("."))
    }
}

impl Setting {
    /// The value, if it is the one of this key and a text.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        (self.to_string() == key).then(|| self.value.as_str())?
    }

    /// Without the first part of its key, if that is `first`: `training.seed` of `gwae.training.seed`.
    pub fn without(&self, first: &str) -> Option<Self> {
        let (found, keys) = self.keys.split_first()?;
        (found == first && !keys.is_empty()).then(|| Self {
            keys: keys.to_vec(),
            value: self.value.clone(),
        })
    }

    /// Whether it chooses which other keys its table has.
    fn is_choice(&self) -> bool {
        CHOICES.contains(&self.to_string().as_str())
    }

    /// Writes the value into the table of a configuration.
    fn write(&self, root: &mut Table) -> Result<(), String> {
        let (last, tables) = self.keys.split_last().expect("a setting has a key");
        let mut table = root;
        for (depth, key) in tables.iter().enumerate() {
            let inner = table.entry(key.as_str()).or_insert(Table::new().into());
            if let (Value::String(name), Some(tag)) = (&*inner, tag(&self.keys[..=depth])) {
                let name = Value::String(name.clone());
                *inner = Table::from_iter([(tag.to_owned(), name)]).into();
            }
            let Value::Table(inner) = inner else {
                let name = self.keys[..=depth].join(".");
                return Err(format!(
                    "{name} is no table, so it has no {}",
                    self.keys[depth + 1]
                ));
            };
            table = inner;
        }
        if self.is_choice() && table.get(last) != Some(&self.value) {
            let kept = match (tables, &self.value) {
                ([model], Value::String(kind)) if model == "model" => ModelConfig::fields_of(kind),
                _ => None,
            };
            // The others belong to what was chosen before.
            table.retain(|key, _| kept.iter().flatten().any(|kept| *kept == key));
        }
        table.insert(last.clone(), self.value.clone());
        Ok(())
    }
}

/// The keys that choose which other keys their table has.
const CHOICES: [&str; 5] = [
    "model.kind",
    "model.prior.family",
    "training.optimizer.kind",
    "training.critic_optimizer.kind",
    "training.schedule.kind",
];

/// The key that a name stands for, in a value that is a name or a table.
fn tag(keys: &[String]) -> Option<&'static str> {
    match keys.join(".").as_str() {
        "training.optimizer" | "training.critic_optimizer" | "training.schedule" => Some("kind"),
        "training.monitor" => Some("name"),
        _ => None,
    }
}

impl RunConfig {
    /// The configuration with other values. The order of the settings does not matter, but that the
    /// last one of a key counts. A new `kind` or `family` gives up the values that belonged to the old
    /// one.
    ///
    /// # Errors
    ///
    /// Names the setting, as `--set KEY`. [`Self::validate`] checks the ranges.
    pub fn with_settings(&self, settings: &[Setting]) -> Result<Self, ConfigError> {
        if settings.is_empty() {
            return Ok(self.clone());
        }
        // Choices first, the outer ones before the inner ones: they decide about the other keys.
        let mut ordered: Vec<&Setting> = settings.iter().collect();
        ordered.sort_by_key(|setting| match setting.is_choice() {
            true => setting.keys.len(),
            false => usize::MAX,
        });
        let mut table = self.to_table()?;
        let mut stages = Vec::new();
        for setting in ordered {
            setting
                .write(&mut table)
                .map_err(|problem| refused(setting, problem))?;
            stages.push((setting, table.clone()));
        }
        read(&table).map_err(|problem| {
            // The first setting with which the problem appears.
            let mut stages = stages.iter();
            let guilty = stages.find(|(_, table)| read(table).err().as_ref() == Some(&problem));
            let (setting, _) = guilty.expect("the complete table has the problem");
            refused(setting, with_place(setting, problem))
        })
    }
}

fn read(table: &Table) -> Result<RunConfig, String> {
    let text = toml::to_string(table).map_err(|error| error.to_string())?;
    parse(&text).map_err(|error| error.problem)
}

fn refused(setting: &Setting, problem: String) -> ConfigError {
    ConfigError::Content {
        place: format!("--set {setting}"),
        problem,
    }
}

/// Where a key is that stands without its table or in a wrong one.
fn with_place(setting: &Setting, problem: String) -> String {
    let last = setting.keys.last().map_or("", String::as_str);
    let is_unknown = |key: &str| problem.starts_with(&format!("unknown field `{key}`"));
    let unknown = is_unknown(&setting.keys[0]) || is_unknown(last);
    let keys = all_keys();
    let mut found = keys.iter().filter(|key| {
        let name = key.rsplit('.').next();
        name == Some(last) && unknown
    });
    match (found.next(), found.next()) {
        (Some(key), None) => format!("no such table or key; did you mean `{key}`?"),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_priors::{GaussianMixtureConfig, PriorConfig};

    fn changed(settings: &[&str]) -> Result<RunConfig, String> {
        let settings: Vec<Setting> = settings.iter().map(|text| text.parse().unwrap()).collect();
        let changed = RunConfig::default().with_settings(&settings);
        changed.map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(settings: &[&str], expected: &[&str]) {
        let message = changed(settings).unwrap_err();
        for part in expected {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn values_are_toml_and_words_are_text() {
        let config = changed(&[
            "training.learning_rate=1e-3",
            "training.steps = 10",
            "training.schedule={ kind = \"cosine\", steps = 9 }",
            "training.precision=bf16",
            "data.dataset=mnist",
            "data.directory=2024-01-31",
            "model.batchnorm=true",
        ])
        .unwrap();
        assert_eq!(config.training.learning_rate, 1e-3);
        assert_eq!(config.training.steps, Some(10));
        assert_eq!(config.training.precision, crate::Precision::Bf16);
        assert_eq!(config.data.dataset.name(), "mnist");
        assert_eq!(config.data.directory, Some("2024-01-31".into()));
        assert!(config.model.backbone().unwrap().batchnorm);
    }

    #[test]
    fn a_family_and_its_settings_come_in_any_order() {
        let expected = PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: 5,
            form: Default::default(),
        });
        let settings = [
            "model.prior.components=5",
            "model.prior.family=gaussian_mixture",
        ];
        for settings in [settings, [settings[1], settings[0]]] {
            let config = changed(&settings).unwrap();
            assert_eq!(config.model.gwae().unwrap().prior, expected);
        }
        // The settings of the family before do not stay.
        let config = changed(&settings).unwrap();
        let again = config.with_settings(&["model.prior.family=causal".parse().unwrap()]);
        let prior = &again.unwrap().model.gwae().unwrap().prior.clone();
        assert_eq!(prior.family(), "causal");
    }

    #[test]
    fn another_kind_of_model_keeps_what_it_knows() {
        let config = changed(&["model.kind=vae", "model.latent_dim=3"]).unwrap();
        assert_eq!(config.model.kind(), "vae");
        assert_eq!(config.model.backbone().unwrap().latent_dim, 3);
        assert_eq!(config.model.backbone().unwrap().image_size, 64);
    }

    #[test]
    fn a_name_becomes_a_table() {
        let config = changed(&[
            "training.optimizer.momentum=0.9",
            "training.optimizer.kind=sgd",
            "training.monitor.goal=highest",
        ])
        .unwrap();
        let text = config.to_toml().unwrap();
        assert!(text.contains("momentum = 0.9"), "{text}");
        refused(
            &["training.optimizer.momentum=0.9"],
            &["--set training.optimizer.momentum: ", "has no settings"],
        );
    }

    #[test]
    fn errors_name_the_setting() {
        refused(
            &["training.seed=1", "training.lerning_rate=1e-3"],
            &[
                "--set training.lerning_rate: unknown field",
                "did you mean `learning_rate`?",
            ],
        );
        refused(
            &["training.batch_size=-3"],
            &["--set training.batch_size: ", "`-3`", "a whole number"],
        );
        refused(
            &["model.prior.components=5"],
            &["--set model.prior.components: ", "gaussian_mixture"],
        );
        refused(
            &["learning_rate=1"],
            &[
                "--set learning_rate: ",
                "did you mean `training.learning_rate`?",
            ],
        );
        refused(&["data.dataset=mnits"], &["did you mean `mnist`?"]);
        refused(
            &["model.kind=vea"],
            &["--set model.kind: ", "did you mean `vae`?"],
        );
        refused(&["training.seed.x=1"], &["training.seed is no table"]);
        refused(&["training=1"], &["--set training: ", "expected a table"]);
    }

    #[test]
    fn texts_that_are_no_settings() {
        for (text, expected) in [
            ("training.seed", "KEY=VALUE"),
            ("=1", "is no key"),
            ("training..seed=1", "is no key"),
            ("training.seed=", "has no value"),
            ("training.optimizer={ kind = ", "is no value"),
            ("training.monitor=\"total", "is no value"),
        ] {
            let message = text.parse::<Setting>().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        // No second key can come in with a value.
        let setting: Setting = "training.monitor=total\nseed = 3".parse().unwrap();
        assert_eq!(setting.value.as_str(), Some("total\nseed = 3"));
    }
}
