//! Reads files with reference numbers.

use std::path::{Path, PathBuf};

use gwae_formats::bounded_file::read_bytes;
use gwae_formats::one_line::folded;
use gwae_models::{GwaeConfig, ModelSettings};
use gwae_train::ModelConfig;
use serde::de::DeserializeOwned;

/// Why a comparison was impossible.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file could not be read.
    #[error("{path}: cannot be read: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// The contents of the file are wrong.
    #[error("{path}: {problem}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The problem and its solution.
        problem: String,
    },
}

impl VerifyError {
    /// For `map_err`: adds the file to the error.
    pub(crate) fn content<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> Self {
        let path = path.to_owned();
        move |problem| Self::Content {
            path: path.clone(),
            problem: problem.to_string(),
        }
    }
}

/// Most images or codes that a reference file may ask for, four times the authors' batch. A small
/// file can ask for as many as it likes, and every image takes up to 1.4 MB.
pub(crate) const MOST_ROWS: usize = 256;

/// Most parameters of the model that a reference file may ask for, several times those of the
/// authors' settings. A replay needs some 50 bytes for each.
const MOST_PARAMETERS: usize = 1 << 24;

/// Longest name of a stream of numbers, in bytes. It is repeated for every draw.
const LONGEST_NAME: usize = 256;

/// Longest file with reference numbers: 4 MiB. Those in our tests have less than 30 kB.
const LONGEST_FILE: u64 = 1 << 22;

/// Checks the name of a stream in a reference file.
pub(crate) fn check_name(path: &Path, field: &str, name: &str) -> Result<(), VerifyError> {
    if name.len() > LONGEST_NAME {
        return Err(VerifyError::content(path)(format!(
            "`{field}` has {} bytes: a name has at most {LONGEST_NAME}",
            name.len()
        )));
    }
    Ok(())
}

/// Checks the model that a reference file describes, before it is built.
pub(crate) fn check_model(config: &GwaeConfig) -> Result<(), String> {
    config.validate().map_err(|error| error.to_string())?;
    let parameters = ModelConfig::from(config.clone()).approximate_parameters();
    if parameters > MOST_PARAMETERS {
        return Err(format!(
            "the hyperparameters ask for a model of about {parameters} parameters: at most \
             {MOST_PARAMETERS} are replayed"
        ));
    }
    Ok(())
}

/// Reads a JSON file.
pub(crate) fn load_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, VerifyError> {
    let bytes = read_bytes(path, LONGEST_FILE).map_err(|source| VerifyError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| VerifyError::content(path)(format!("is no {what}: {}", folded(error))))
}
