//! Training algorithms, the loop, checkpoints, run directories and pictures.

pub mod adam;
pub mod algorithm;
pub mod atomic;
pub mod averaging;
#[cfg(feature = "burn-dataset")]
pub mod burn_dataset;
pub mod checkpoint;
pub mod config;
mod config_file;
pub mod data;
pub mod device;
pub mod early_stopping;
pub mod evaluation;
pub mod health;
pub mod import;
pub mod interrupt;
pub mod losses;
pub mod metrics_log;
pub mod model_file;
pub mod named_losses;
pub mod official_checkpoint;
pub mod official_settings;
pub mod ood;
pub mod pictures;
pub mod precision;
pub mod progress;
pub mod report;
pub mod rms_prop;
pub mod run_directory;
pub mod session;
pub mod state;
mod suggestion;
pub mod threads;
mod timestamp;

pub use config::{ConfigError, DataConfig, DatasetName, LoadOptions, RunConfig, TrainingConfig};
pub use device::{DeviceList, DeviceSpec};
pub use precision::Precision;
pub use threads::compute_on_this_thread;
