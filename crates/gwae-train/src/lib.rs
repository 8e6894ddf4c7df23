//! Training algorithms, the loop, checkpoints, run directories and pictures.

pub mod atomic;
pub mod checkpoint;
pub mod config;
mod config_file;
pub mod device;
pub mod early_stopping;
pub mod health;
pub mod import;
pub mod interrupt;
pub mod losses;
pub mod metrics_log;
pub mod model_file;
pub mod objective;
pub mod official_checkpoint;
pub mod official_settings;
pub mod progress;
pub mod report;
pub mod run_directory;
mod suggestion;
mod timestamp;
pub mod trainer;

pub use config::{ConfigError, DataConfig, DatasetName, LoadOptions, RunConfig, TrainingConfig};
pub use device::DeviceSpec;
