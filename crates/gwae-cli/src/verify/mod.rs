//! Comparing this implementation with numbers that the authors' program computed.

pub mod difference;
pub mod reference;
pub mod stream;
pub mod trajectory;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file could not be read.
    #[error("{path}: cannot be read: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {problem}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the way out.
        problem: String,
    },
}

/// Reads a JSON file.
pub(crate) fn load_json<T: DeserializeOwned>(path: &Path) -> Result<T, VerifyError> {
    let text = std::fs::read_to_string(path).map_err(|source| VerifyError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|error| VerifyError::Content {
        path: path.to_owned(),
        problem: format!("is no reference file: {error}"),
    })
}
