//! Comparing this implementation with numbers that the authors' program computed.

pub mod difference;
pub mod expectation;
pub mod reference;
pub mod rounding;
pub mod stream;
pub mod table;
pub mod trajectory;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
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

impl VerifyError {
    /// For `map_err`: attaches the file.
    pub(crate) fn content<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> Self {
        let path = path.to_owned();
        move |problem| Self::Content {
            path: path.clone(),
            problem: problem.to_string(),
        }
    }
}

/// Most images or codes that a reference file may ask for: far more than any holds, and still
/// only a few gigabytes of memory.
const MOST_ROWS: usize = 4096;

/// Reads a JSON file.
pub(crate) fn load_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, VerifyError> {
    let bytes = std::fs::read(path).map_err(|source| VerifyError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| VerifyError::content(path)(format!("is no {what}: {error}")))
}

/// Images from the uniform stream called `name`.
pub fn uniform_images(name: &str, shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values = stream::uniform(name, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Values of a tensor in double precision.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}
