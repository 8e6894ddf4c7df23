//! Reading a [`RunConfig`] from TOML, and writing it.

mod commented;
mod explanations;
mod parsing;
mod paths;
mod setting;
mod wording;

use std::io::{self, Read};
use std::path::Path;

use gwae_formats::atomic::FileError;
use gwae_formats::bounded_file::{read_bytes, read_bytes_from};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::config::{ConfigError, RunConfig};
use parsing::parse;

pub use paths::resolve_paths;
pub use setting::{Setting, SettingError};

/// Largest size of a configuration file in bytes; real ones are a thousand times smaller.
const MOST_BYTES: u64 = 1 << 20;

impl RunConfig {
    /// Reads a TOML file. [`Self::validate`] checks the ranges, so that a caller can change fields
    /// first.
    ///
    /// # Errors
    ///
    /// One line that names the file and, if known, line and column.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse_toml(path, &read_text(path)?)
    }

    /// Reads a TOML text; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// One line that names `name`, line and column.
    pub fn parse_toml(name: &Path, text: &str) -> Result<Self, ConfigError> {
        parse(text).map_err(|error| {
            let location = error.start.map(|start| line_and_column(text, start));
            ConfigError::in_file(name, location, error.problem)
        })
    }

    /// Writes the TOML that [`Self::load`] reads back to an equal configuration.
    ///
    /// # Errors
    ///
    /// When `data.directory` is not Unicode text, because TOML cannot hold it.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Content {
            place: "data.directory".into(),
            problem: format!("{error}: give the directory a name in Unicode"),
        })
    }
}

/// Reads records in formats other than TOML, such as JSON. Errors do not name a place in the file;
/// use [`RunConfig::load`] for files that people write.
impl<'de> Deserialize<'de> for RunConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(from)?;
        remove_nulls(&mut value);
        let text = toml::to_string(&value).map_err(D::Error::custom)?;
        Self::parse_toml(Path::new("the configuration"), &text).map_err(D::Error::custom)
    }
}

/// TOML leaves out fields without a value.
fn remove_nulls(value: &mut serde_json::Value) {
    if let serde_json::Value::Object(fields) = value {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(remove_nulls);
    }
}

impl ConfigError {
    /// An error in a configuration file, with line and column if known.
    pub fn in_file(path: &Path, location: Option<(u64, u64)>, problem: String) -> Self {
        let place = match location {
            Some((line, column)) => format!("{}, line {line}, column {column}", path.display()),
            None => path.display().to_string(),
        };
        Self::Content { place, problem }
    }
}

/// Reads the text of a configuration file.
///
/// # Errors
///
/// A file that cannot be read, is no regular file, is longer than 1 MiB or is not text.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    text_of(path, read_bytes(path, MOST_BYTES))
}

/// As [`read_text`], from a stream that `name` stands for in errors.
///
/// # Errors
///
/// As [`read_text`].
pub fn read_text_from(name: &Path, stream: impl Read) -> Result<String, ConfigError> {
    text_of(name, read_bytes_from(stream, MOST_BYTES))
}

fn text_of(path: &Path, bytes: io::Result<Vec<u8>>) -> Result<String, ConfigError> {
    let bytes = bytes.map_err(FileError::on("read", path))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it is no text (UTF-8): name a TOML file or the authors' YAML settings",
        )
    });
    Ok(text.map_err(FileError::on("read", path))?)
}

/// Whether a TOML text sets anything; tables without keys do not count.
pub fn has_values(text: &str) -> bool {
    fn is_set(value: &toml::Value) -> bool {
        match value {
            toml::Value::Table(table) => table.values().any(is_set),
            _ => true,
        }
    }
    let table: Result<toml::Table, _> = toml::from_str(text);
    table.is_ok_and(|table| table.values().any(is_set))
}

/// Line and column of a byte offset, in characters, counted from 1.
fn line_and_column(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() as u64 + 1)
}

#[cfg(test)]
mod tests;
