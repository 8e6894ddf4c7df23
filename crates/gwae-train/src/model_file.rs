//! A model's parameters and buffers in one file, in Burn's own format.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device, Tensor};
use gwae_core::random::SeededGenerator;
use gwae_models::{Autoencoder, ModelConfigError};

use gwae_formats::atomic::FileError;
use gwae_formats::one_line::folded;

use crate::algorithm::Algorithm;
use crate::algorithm::AlgorithmVisitor;
use crate::checkpoint::{
    Checkpoint, CheckpointEntry, CheckpointError, CheckpointFile, CheckpointStore, Which,
};
use crate::device::without_panic;
use crate::model_config::ModelConfig;
use crate::reproducible::ordered;

/// Name of the model file in a checkpoint.
pub const MODEL_FILE: &str = "model.bpk";

/// Name of the file with the averaged parameters, in checkpoints of runs that keep them.
pub const AVERAGED_FILE: &str = "averaged.bpk";

/// How many times as large as the file a model may be before it is built.
const LARGEST_SURPLUS: usize = 8;

/// The name of the file with the model to use: the averaged parameters if the checkpoint has them.
fn name_of_model_for_use(entry: &CheckpointEntry) -> &'static str {
    if entry.files.contains_key(AVERAGED_FILE) {
        AVERAGED_FILE
    } else {
        MODEL_FILE
    }
}

/// Reads the file with the model to use. Also returns the checkpoint without that file. `which` is by
/// default the best checkpoint, or the last one if no validation has chosen a best one yet.
///
/// # Errors
/// When the checkpoint does not exist or the file is damaged.
pub fn read_model_for_use(
    store: &mut CheckpointStore,
    which: Option<Which>,
) -> Result<(CheckpointFile, Checkpoint), CheckpointError> {
    let mut checkpoint = store.read_files(
        |store| which.unwrap_or(store.best_or_last()),
        |entry, name| name == name_of_model_for_use(entry),
    )?;
    let averaged = checkpoint.take(AVERAGED_FILE);
    let file = averaged.or_else(|_| checkpoint.take(MODEL_FILE))?;
    Ok((file, checkpoint))
}

/// A model file that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The parameters cannot be serialised.
    #[error("{path}: the model cannot be written: {problem}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The failure.
        problem: String,
    },
    /// The file is missing, cut short or not a model file.
    #[error("{path}: the model cannot be read: {problem}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The failure.
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

/// Writes the parameters and buffers of `model` to `path`. Not atomic; saving a checkpoint is.
///
/// # Errors
/// Names the file when it cannot be written.
pub fn save_model<M: Module>(model: &M, path: &Path) -> Result<(), ModelFileError> {
    let record = model.clone().into_record().into_bytes();
    // Optimisers need the identifiers of parameters. Those of buffers are random, and unused.
    let trainable = trainable(model);
    let bytes = record
        .map_err(folded)
        .and_then(|record| ordered(record, |id| trainable.contains(&id)).map_err(folded))
        .map_err(|problem| ModelFileError::Write {
            path: path.to_owned(),
            problem,
        })?;
    // Burn's own `save` does not report a full disk separately from other errors.
    Ok(std::fs::write(path, &bytes[..]).map_err(FileError::on("write", path))?)
}

/// The identifiers of all trainable parameters.
fn trainable<M: Module>(model: &M) -> HashSet<u64> {
    struct Collect(HashSet<u64>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0.insert(param.id.val());
            }
        }
    }
    let mut collect = Collect(HashSet::new());
    model.visit(&mut collect);
    collect.0
}

/// Builds the model of `config` on `device`, without autodiff, with the parameters and buffers in
/// `file`.
///
/// # Errors
/// When the file is damaged or from another architecture; the error names it. Also for a model that
/// only the user's program knows: use [`load_model_of`] for it.
pub fn load_model(
    config: &ModelConfig,
    file: CheckpointFile,
    device: &Device,
) -> Result<Box<dyn Autoencoder>, ModelFileError> {
    struct Load<'a> {
        file: CheckpointFile,
        device: &'a Device,
    }
    impl AlgorithmVisitor for Load<'_> {
        type Output = Result<Box<dyn Autoencoder>, ModelFileError>;

        fn visit<A: Algorithm>(self, algorithm: A) -> Self::Output
        where
            A::Model: 'static,
        {
            Ok(Box::new(load_model_of(&algorithm, self.file, self.device)?))
        }
    }
    config.with_algorithm(Load { file, device })?
}

/// The model of `algorithm` on `device`, without autodiff, with the parameters and buffers in
/// `file`.
///
/// # Errors
/// When the file is damaged or from another architecture; the error names it.
pub fn load_model_of<A: Algorithm>(
    algorithm: &A,
    file: CheckpointFile,
    device: &Device,
) -> Result<A::Model, ModelFileError> {
    Ok(load_trainable(algorithm, file, device)?.valid())
}

/// As [`load_model_of`], on a device with autodiff.
pub(crate) fn load_trainable<A: Algorithm>(
    algorithm: &A,
    file: CheckpointFile,
    device: &Device,
) -> Result<A::Model, ModelFileError> {
    let stored = read_record(file)?;
    stored.check_size(&algorithm.model_config())?;
    // All values are replaced; the fixed seed keeps the run's generator unchanged.
    let model = algorithm.init(&mut SeededGenerator::new(0, 0), device)?;
    stored.load_into(model)
}

/// `model` with the parameters and buffers in `file`.
///
/// # Errors
/// When the file is damaged or from another architecture; the error names it.
pub fn load_parameters<M: Module>(model: M, file: CheckpointFile) -> Result<M, ModelFileError> {
    read_record(file)?.load_into(model)
}

/// A model file that was read: names, shapes and values, which are not copied yet.
struct Stored {
    path: PathBuf,
    length: usize,
    record: ModuleRecord,
}

fn read_record(file: CheckpointFile) -> Result<Stored, ModelFileError> {
    let CheckpointFile { path, bytes } = file;
    let length = bytes.len();
    let read = |problem: String| ModelFileError::Read {
        path: path.clone(),
        problem,
    };
    if bytes.is_empty() {
        return Err(read("the file is empty".into()));
    }
    // From memory: Burn reads a file only when it needs a value, and panics if that fails.
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))
        .map_err(|error| read(folded(error)))?;
    Ok(Stored {
        path,
        length,
        record,
    })
}

impl Stored {
    /// Checks that the file can hold a model of `config`, before one is built: a small file and a
    /// damaged configuration must not fill the memory.
    fn check_size(&self, config: &ModelConfig) -> Result<(), ModelFileError> {
        config.validate()?;
        let (found, parameters) = (self.length, config.approximate_parameters());
        if parameters.saturating_mul(size_of::<f32>()) > found.saturating_mul(LARGEST_SURPLUS) {
            return Err(ModelFileError::Architecture {
                path: self.path.clone(),
                problem: format!(
                    "{found} bytes cannot hold the about {parameters} parameters that it describes"
                ),
            });
        }
        Ok(())
    }

    fn load_into<M: Module>(self, model: M) -> Result<M, ModelFileError> {
        let Self { path, record, .. } = self;
        // Burn panics for a number type that the device does not have.
        without_panic(|| model.try_load_record(record))
            .map_err(|problem| ModelFileError::Read {
                path: path.clone(),
                problem,
            })?
            .map_err(|error| ModelFileError::Architecture {
                problem: folded(error),
                path: path.clone(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_models::{BackboneConfig, Gwae, GwaeConfig, ModelSettings};

    use crate::algorithm::GwaeAlgorithm;

    fn config() -> GwaeConfig {
        let batchnorm = true;
        GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 3,
                width: 0.1,
                batchnorm,
                ..BackboneConfig::default()
            },
            ..Default::default()
        }
    }

    fn model(config: &GwaeConfig) -> Gwae {
        let device = Device::flex().autodiff();
        config
            .init(&mut SeededGenerator::new(9, 0), &device)
            .unwrap()
    }

    /// Every parameter and buffer, in module order.
    fn parameters(model: &Gwae) -> Vec<Vec<f32>> {
        struct Read(Vec<Vec<f32>>);
        impl ModuleVisitor for Read {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.push(param.val().into_data().iter::<f32>().collect());
            }
        }
        let mut read = Read(Vec::new());
        model.visit(&mut read);
        read.0
    }

    fn file(path: &Path) -> CheckpointFile {
        CheckpointFile {
            path: path.to_owned(),
            bytes: std::fs::read(path).unwrap(),
        }
    }

    #[test]
    fn a_model_survives_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MODEL_FILE);
        let saved = model(&config());
        save_model(&saved, &path).unwrap();
        let loaded = load_model(&config().into(), file(&path), &Device::flex()).unwrap();
        assert_eq!(loaded.latent_dim(), 3);
        let loaded = load_model_of(&GwaeAlgorithm::new(config()), file(&path), &Device::flex());
        assert_eq!(parameters(&loaded.unwrap()), parameters(&saved));
        let noise = &mut SeededGenerator::new(1, 0);
        let another = config().init(noise, &Device::flex().autodiff());
        let loaded = load_parameters(another.unwrap(), file(&path)).unwrap();
        assert_eq!(parameters(&loaded), parameters(&saved));
    }

    /// The largest model that a configuration allows would take 10 GB.
    #[test]
    fn no_model_is_built_that_a_small_file_cannot_hold() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MODEL_FILE);
        save_model(&model(&config()), &path).unwrap();
        let mut huge = config();
        huge.backbone.image_size = 128;
        huge.backbone.width = 4.0;
        huge.backbone.latent_dim = 4096;
        huge.prior = gwae_priors::PriorConfig::FactorizedNormal;
        let began = std::time::Instant::now();
        let message = load_model(&huge.into(), file(&path), &Device::flex());
        let message = message.err().unwrap().to_string();
        assert!(message.contains("another architecture"), "{message}");
        assert!(
            message.contains("parameters that it describes"),
            "{message}"
        );
        assert!(began.elapsed().as_secs() < 5);
    }

    /// Names, shapes and places of the values are at the start. Whatever stands there, nothing is
    /// read outside the file, and nothing panics.
    #[test]
    fn hostile_names_shapes_and_places_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MODEL_FILE);
        save_model(&model(&config()), &path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut refused = 0;
        // In CBOR, 1b begins a number of eight bytes, 9b an array of as many things as that.
        for (number, place) in (0..2_000.min(whole.len() - 9)).step_by(11).enumerate() {
            let mut bytes = whole.clone();
            let change: &[u8] = match number % 5 {
                0 => &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                1 => &[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                2 => &[0x00],
                3 => &[0xff],
                _ => &[0x1b, 0, 0, 0, 0x80, 0, 0, 0, 0],
            };
            bytes[place..place + change.len()].copy_from_slice(change);
            let file = CheckpointFile {
                path: path.clone(),
                bytes,
            };
            if let Err(error) = load_model(&config().into(), file, &Device::flex()) {
                let message = error.to_string();
                assert!(message.contains(MODEL_FILE), "{place}: {message}");
                assert!(!message.contains('\n'), "{place}: {message}");
                refused += 1;
            }
        }
        assert!(refused > 100, "{refused}");
    }

    #[test]
    fn damaged_and_foreign_files_are_named_in_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MODEL_FILE);
        save_model(&model(&config()), &path).unwrap();
        let error = |config: &GwaeConfig| {
            let message = load_model(&config.clone().into(), file(&path), &Device::flex())
                .err()
                .unwrap()
                .to_string();
            assert!(
                message.contains(MODEL_FILE) && !message.contains('\n'),
                "{message}"
            );
            message
        };
        let other = GwaeConfig {
            backbone: BackboneConfig {
                latent_dim: 4,
                ..config().backbone
            },
            ..config()
        };
        assert!(error(&other).contains("another architecture"));
        let plain = GwaeConfig {
            backbone: BackboneConfig {
                batchnorm: false,
                ..config().backbone
            },
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
    }
}
