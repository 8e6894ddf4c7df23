//! Reads files with reference numbers.

use std::path::{Path, PathBuf};

use gwae_formats::bounded_file::read_bytes;
use gwae_formats::one_line::folded;
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

/// Most images or codes that a reference file may request: far more than real files have, but only
/// a few gigabytes of memory.
pub(crate) const MOST_ROWS: usize = 4096;

/// Longest file with reference numbers: 256 MiB. Those in our tests have less than 30 kB.
const LONGEST_FILE: u64 = 1 << 28;

/// Reads a JSON file.
pub(crate) fn load_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, VerifyError> {
    let bytes = read_bytes(path, LONGEST_FILE).map_err(|source| VerifyError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| VerifyError::content(path)(format!("is no {what}: {}", folded(error))))
}
