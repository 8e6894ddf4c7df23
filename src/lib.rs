#![doc = include_str!("../README.md")]

pub mod prelude;

pub use burn;
pub use gwae_core as core;
pub use gwae_datasets as datasets;
pub use gwae_experiments as experiments;
pub use gwae_formats as formats;
pub use gwae_metrics as metrics;
pub use gwae_models as models;
pub use gwae_official as official;
pub use gwae_priors as priors;
pub use gwae_report as report;
pub use gwae_train as train;
