//! Why an experiment could not be finished.

use std::path::PathBuf;

use gwae_datasets::NpyError;

use crate::atomic::FileError;
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::device::{DeviceError, ShardError};
use crate::model_file::ModelFileError;
use crate::ood::{ClusterError, ComparisonError, OodReportError};
use crate::run_directory::RunDirectoryError;
use crate::session::TrainError;

/// An experiment that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// A directory that has something in it.
    #[error("{path} is not empty: give the experiment a new directory, or resume the one in it", path = .0.display())]
    NotEmpty(PathBuf),
    /// A directory in which no experiment was begun.
    #[error("{path} holds no experiment: it has no {file}; name the directory of one, or begin a new one without resuming", path = path.display())]
    NoExperiment {
        /// The directory.
        path: PathBuf,
        /// What is not there.
        file: &'static str,
    },
    /// An experiment other than the one that is stored.
    #[error("the experiment in {path} was begun with other {what}: resume it with its own, or begin a new one in another directory", path = path.display())]
    OtherSettings {
        /// The directory.
        path: PathBuf,
        /// Which settings differ.
        what: &'static str,
    },
    /// Images other than those that the experiment was begun with.
    #[error("the images of {set} are not those that the experiment in {path} was begun with: restore them, or begin a new one in another directory", path = path.display())]
    OtherImages {
        /// The directory.
        path: PathBuf,
        /// The set.
        set: String,
    },
    /// A run whose settings were changed since.
    #[error("the run in {path} is not as the experiment began it, its settings were changed: delete it, and the model is trained again", path = .0.display())]
    ChangedRun(PathBuf),
    /// What was stored of a model is not what was written.
    #[error("{problem}: restore it from a copy, or delete {run}, and the model is trained again", run = run.display())]
    Damaged {
        /// Which file, and what is wrong with it.
        problem: String,
        /// The run directory of the model.
        run: PathBuf,
    },
    /// Models that cannot be compared.
    #[error(
        "model {0}: the models of an experiment need different names, and the same data, image size and channels"
    )]
    Models(String),
    /// A seed that is there twice.
    #[error("seed {0} is given twice: each needs a training of its own")]
    Seed(u64),
    /// The configuration of a model or set.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A batch that the devices cannot share.
    #[error(transparent)]
    Shards(#[from] ShardError),
    /// A set of images.
    #[error(transparent)]
    Set(#[from] ComparisonError),
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The report.
    #[error(transparent)]
    Report(#[from] OodReportError),
    /// The scores of single images.
    #[error(transparent)]
    Scores(#[from] NpyError),
    /// The clusters.
    #[error(transparent)]
    Clusters(#[from] ClusterError),
    /// A trained model.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// A directory of the experiment or of a run.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// Its checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}
