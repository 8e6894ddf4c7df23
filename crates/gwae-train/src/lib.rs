#![doc = include_str!("../README.md")]

pub mod algorithm;
pub mod averaging;
#[cfg(feature = "burn-dataset")]
pub mod burn_dataset;
pub mod callback;
pub mod checkpoint;
pub mod config;
pub mod config_file;
#[cfg(feature = "pictures")]
pub mod contact_sheet;
#[cfg(test)]
mod crash_tests;
pub mod data;
pub mod device;
pub mod early_stopping;
pub mod evaluation;
pub mod health;
pub mod interrupt;
pub mod metrics_log;
mod model_config;
pub mod model_file;
pub mod monitor;
pub mod optimizer;
mod option_error;
mod option_table;
#[cfg(feature = "pictures")]
pub mod pictures;
pub mod precision;
pub mod progress;
mod registry;
mod reproducible;
pub mod run_directory;
#[cfg(feature = "pictures")]
pub mod run_report;
pub mod schedule;
pub mod session;
pub mod state;
pub mod threads;
pub mod timestamp;
pub mod trained_model;

pub use callback::{Callback, Flow};
pub use config::{ConfigError, RunConfig, TrainingConfig};
pub use device::{DeviceList, DeviceSpec};
pub use model_config::{ModelConfig, OwnModel};
pub use option_error::OptionError;
pub use precision::Precision;
pub use session::Trainer;
pub use threads::{compute_on_this_thread, notice_about_threads};
pub use trained_model::TrainedModel;
