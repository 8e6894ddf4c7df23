//! Reading typed values from a mapping, with errors that name the key and its place.

use std::collections::BTreeMap;

use gwae_formats::one_line::folded as one_line;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Error as YamlError, Spanned};

use super::yaml_scalar::{Scalar, scalar_at};

/// Official settings that do not give a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", at(location))]
pub struct SettingsError {
    /// Line and column in the file, from 1, if known.
    pub location: Option<(u64, u64)>,
    /// The key, the problem and its solution.
    pub problem: String,
}

fn at(location: &Option<(u64, u64)>) -> String {
    location.map_or_else(String::new, |(line, column)| {
        format!("line {line}, column {column}: ")
    })
}

type Location = Option<(u64, u64)>;

/// Values by key, each with its place in the file.
pub(super) struct Fields {
    pub prefix: &'static str,
    pub values: BTreeMap<String, (Value, Location)>,
}

/// Reads one YAML document. Of equal keys the last counts, as in PyYAML's `safe_load`.
pub(super) fn parse_yaml<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, SettingsError> {
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let location = error.location().map(|place| (place.line(), place.column()));
        let problem = match error.without_snippet() {
            YamlError::MultipleDocuments { .. } => {
                "there is more than one YAML document; keep the one that holds the settings".into()
            }
            error => one_line(error),
        };
        SettingsError {
            location: location.filter(|(line, _)| *line > 0),
            problem,
        }
    })
}

impl Fields {
    pub fn from_yaml(
        prefix: &'static str,
        text: &str,
        known: &[&str],
    ) -> Result<Self, SettingsError> {
        Self::located(prefix, text, parse_yaml(text)?).checked(known)
    }

    /// `text` is the YAML that `values` were read from.
    pub fn located(
        prefix: &'static str,
        text: &str,
        values: BTreeMap<String, Spanned<Value>>,
    ) -> Self {
        let located = |value: Spanned<Value>| {
            let place = (value.referenced.line(), value.referenced.column());
            // The scalar that an alias stands for is where its anchor is.
            let defined = (value.defined.line(), value.defined.column());
            let read = match scalar_at(text, defined) {
                Scalar::Other => value.value,
                Scalar::Integer(number) => number.into(),
                Scalar::Text(text) => text.into(),
                Scalar::Switch(switch) => switch.into(),
            };
            (read, Some(place).filter(|(line, _)| *line > 0))
        };
        Self {
            prefix,
            values: values
                .into_iter()
                .map(|(key, value)| (key, located(value)))
                .collect(),
        }
    }

    pub fn checked(self, known: &[&str]) -> Result<Self, SettingsError> {
        match self
            .values
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            None => Ok(self),
            Some(key) => {
                let near = known
                    .iter()
                    .min_by_key(|known| strsim::osa_distance(key, known))
                    .expect("every mapping has known keys");
                Err(self.error(key, format!("unknown key; did you mean `{near}`?")))
            }
        }
    }

    pub fn error(&self, key: &str, problem: String) -> SettingsError {
        SettingsError {
            location: self.values.get(key).and_then(|(_, location)| *location),
            problem: format!("{}{key}: {problem}", self.prefix),
        }
    }

    pub fn missing(&self, key: &str) -> SettingsError {
        self.error(key, "missing; add it".into())
    }

    pub fn value(&self, key: &str) -> Result<Option<&Value>, SettingsError> {
        match self.values.get(key) {
            Some((Value::Null, _)) => Err(self.error(key, "has no value".into())),
            Some((value, _)) => Ok(Some(value)),
            None => Ok(None),
        }
    }

    fn wrong(&self, key: &str, value: &Value, expected: &str) -> SettingsError {
        self.error(key, format!("{value} is not {expected}"))
    }

    pub fn number(&self, key: &str) -> Result<Option<f64>, SettingsError> {
        let Some(value) = self.value(key)? else {
            return Ok(None);
        };
        // A YAML 1.1 reader reads `1e-4` as a string, so the authors' program converts strings.
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| self.wrong(key, value, "a number"))?;
        Ok(Some(number))
    }

    pub fn count(&self, key: &str) -> Result<Option<u64>, SettingsError> {
        let Some(number) = self.number(key)? else {
            return Ok(None);
        };
        // Up to 2^32 an f64 represents every integer exactly.
        if number.fract() != 0.0 || !(0.0..=4_294_967_296.0).contains(&number) {
            let problem = format!("{number} is not a whole number from 0 to 4294967296");
            return Err(self.error(key, problem));
        }
        Ok(Some(number as u64))
    }

    /// Reads a truth value like the authors' program, which converts: null is false, 1 is true.
    /// Python takes every text for true, `"false"` too, so texts are refused.
    pub fn switch(&self, key: &str) -> Result<Option<bool>, SettingsError> {
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
            _ => None,
        };
        let expected = match value {
            Value::String(_) => {
                "true or false: the authors' program takes every text for true; write true or \
                 false without quotes"
            }
            _ => "true or false",
        };
        let switch = switch.ok_or_else(|| self.wrong(key, value, expected))?;
        Ok(Some(switch))
    }

    pub fn text(&self, key: &str) -> Result<Option<String>, SettingsError> {
        match self.value(key)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value) => Err(self.wrong(key, value, "a text")),
        }
    }

    pub fn required_number(&self, key: &str) -> Result<f64, SettingsError> {
        self.number(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn required_count(&self, key: &str) -> Result<u64, SettingsError> {
        self.count(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn required_text(&self, key: &str) -> Result<String, SettingsError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }
}
