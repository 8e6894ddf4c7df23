//! Why an experiment did not finish.

use std::path::PathBuf;

use gwae_datasets::config::DataConfigError;
use gwae_formats::atomic::FileError;
use gwae_train::config::ConfigError;
use gwae_train::device::{DeviceError, ShardError};
use gwae_train::run_directory::RunDirectoryError;
use gwae_train::session::TrainError;
use gwae_train::trained_model::LoadError;

use crate::ood::error::OodError;

/// An experiment that did not finish.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The directory is not empty.
    #[error("{path} is not empty: give the experiment a new directory, or resume the one in it", path = .0.display())]
    NotEmpty(PathBuf),
    /// The directory does not hold an experiment.
    #[error("{path} holds no experiment: it has no {file}; name the directory of one, or begin a new one without resuming", path = path.display())]
    NoExperiment {
        /// The directory.
        path: PathBuf,
        /// The missing file.
        file: &'static str,
    },
    /// The stored experiment is a different one.
    #[error("the experiment in {path} was begun with other {what}: resume it with its own, or begin a new one in another directory", path = path.display())]
    OtherSettings {
        /// The directory.
        path: PathBuf,
        /// The settings that differ.
        what: &'static str,
    },
    /// The images differ from those at the start of the experiment.
    #[error("the images of {set} are not those that the experiment in {path} was begun with: restore them, or begin a new one in another directory", path = path.display())]
    OtherImages {
        /// The directory.
        path: PathBuf,
        /// The set.
        set: String,
    },
    /// The settings of a run were changed.
    #[error("the run in {path} is not as the experiment began it, its settings were changed: delete it, and the model is trained again", path = .0.display())]
    ChangedRun(PathBuf),
    /// A stored result is damaged.
    #[error("{problem}: restore it from a copy, or delete {run}, and the model is trained again", run = run.display())]
    Damaged {
        /// The file and the damage.
        problem: String,
        /// The run directory of the model.
        run: PathBuf,
    },
    /// The models cannot be compared.
    #[error(
        "model {0}: the models of an experiment need different names, and the same data, image size and channels"
    )]
    Models(String),
    /// A seed was given twice.
    #[error("seed {0} is given twice: each needs a training of its own")]
    Seed(u64),
    /// The configuration of a model or set.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration of the data.
    #[error(transparent)]
    Data(#[from] DataConfigError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The devices cannot share a batch.
    #[error(transparent)]
    Shards(#[from] ShardError),
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A set of images, its scores or the report.
    #[error(transparent)]
    Ood(#[from] OodError),
    /// A trained model.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// A directory of the experiment or of a run.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}
