//! A model's parameters and buffers in one file, in Burn's own format.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use gwae_core::random::SeededGenerator;
use gwae_models::{Dagmm, Gwae, Model, ModelConfig, ModelConfigError, Vae};

use crate::atomic::FileError;

/// Name of the model file in a checkpoint.
pub const MODEL_FILE: &str = "model.bpk";

/// Name of the file with the averaged parameters, in a checkpoint of a run that keeps them.
pub const AVERAGED_FILE: &str = "averaged.bpk";

/// The file of a checkpoint with the model for use: the averaged parameters where there are some.
pub fn model_for_use(checkpoint: &Path) -> PathBuf {
    let averaged = checkpoint.join(AVERAGED_FILE);
    if averaged.exists() {
        averaged
    } else {
        checkpoint.join(MODEL_FILE)
    }
}

/// A model file that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The parameters do not go into a file.
    #[error("{path}: the model cannot be written: {problem}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        problem: String,
    },
    /// The file is missing, cut short or no model file.
    #[error("{path}: the model cannot be read: {problem}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        problem: String,
    },
    /// The file holds a model of another architecture.
    #[error(
        "{path}: holds a model of another architecture than its configuration describes: {problem}",
        path = path.display()
    )]
    Architecture {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// No model can be built from the configuration.
    #[error(transparent)]
    Config(#[from] ModelConfigError),
}

/// Writes the parameters and buffers of `model` to `path`. Not atomic: checkpoints are.
///
/// # Errors
/// Names the file when it cannot be written.
pub fn save_model<M: Module>(model: &M, path: &Path) -> Result<(), ModelFileError> {
    let record = model.clone().into_record();
    let record = record.into_bytes().map_err(|error| ModelFileError::Write {
        path: path.to_owned(),
        problem: one_line(error),
    })?;
    // Not by Burn's own `save`, whose errors do not tell a full disk from others.
    Ok(std::fs::write(path, &record[..]).map_err(FileError::on("write", path))?)
}

/// Builds the model that `config` describes on `device`, without autodiff, with the parameters and
/// buffers of `path`.
///
/// # Errors
/// When the file is missing, cut short, or of another architecture; names it.
pub fn load_model(
    config: &ModelConfig,
    path: &Path,
    device: &Device,
) -> Result<Model, ModelFileError> {
    // The values are all replaced; a fixed seed keeps the generator of the run out of it.
    let noise = &mut SeededGenerator::new(0, 0);
    Ok(match config {
        ModelConfig::Gwae(config) => Model::Gwae(
            load_parameters(Gwae::new(config, noise, device)?, path)?
                .valid()
                .into(),
        ),
        ModelConfig::Vae(config) => Model::Vae(
            load_parameters(Vae::new(config, noise, device)?, path)?
                .valid()
                .into(),
        ),
        ModelConfig::Dagmm(config) => Model::Dagmm(
            load_parameters(Dagmm::new(config, noise, device)?, path)?
                .valid()
                .into(),
        ),
    })
}

/// `model` with the parameters and buffers of `path`.
///
/// # Errors
/// When the file is missing, cut short, or of another architecture; names it.
pub fn load_parameters<M: Module>(model: M, path: &Path) -> Result<M, ModelFileError> {
    let read = |problem: String| ModelFileError::Read {
        path: path.to_owned(),
        problem,
    };
    let bytes = std::fs::metadata(path)
        .map_err(|error| read(error.to_string()))?
        .len();
    if bytes == 0 {
        return Err(read("the file is empty".into()));
    }
    let record = ModuleRecord::load(path).map_err(|error| read(one_line(error)))?;
    model
        .try_load_record(record)
        .map_err(|error| ModelFileError::Architecture {
            path: path.to_owned(),
            problem: one_line(error),
        })
}

/// Burn's messages can run over several lines.
pub(crate) fn one_line(error: impl std::fmt::Display) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_models::GwaeConfig;

    fn config() -> GwaeConfig {
        let batchnorm = true;
        GwaeConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 3,
            width: 0.1,
            batchnorm,
            ..Default::default()
        }
    }

    fn model(config: &GwaeConfig) -> Gwae {
        let device = Device::flex().autodiff();
        Gwae::new(config, &mut SeededGenerator::new(9, 0), &device).unwrap()
    }

    #[test]
    fn a_model_survives_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MODEL_FILE);
        let saved = model(&config());
        save_model(&saved, &path).unwrap();
        let loaded = load_model(&config().into(), &path, &Device::flex()).unwrap();
        let loaded = loaded.gwae().expect("it was saved as one");
        assert_eq!(loaded.official_state(), saved.official_state());
        let another = Gwae::new(
            &config(),
            &mut SeededGenerator::new(1, 0),
            &Device::flex().autodiff(),
        );
        let loaded = load_parameters(another.unwrap(), &path).unwrap();
        assert_eq!(loaded.official_state(), saved.official_state());
    }

    #[test]
    fn damaged_and_foreign_files_are_named_in_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MODEL_FILE);
        save_model(&model(&config()), &path).unwrap();
        let error = |config: &GwaeConfig| {
            let message = load_model(&config.clone().into(), &path, &Device::flex())
                .unwrap_err()
                .to_string();
            assert!(
                message.contains(MODEL_FILE) && !message.contains('\n'),
                "{message}"
            );
            message
        };
        let other = GwaeConfig {
            latent_dim: 4,
            ..config()
        };
        assert!(error(&other).contains("another architecture"));
        let plain = GwaeConfig {
            batchnorm: false,
            ..config()
        };
        assert!(error(&plain).contains("another architecture"));
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(
                error(&config()).contains("cannot be read"),
                "{length} bytes"
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert!(error(&config()).contains("cannot be read"));
    }
}
