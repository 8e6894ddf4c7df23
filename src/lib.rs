#![doc = include_str!("../README.md")]

pub use burn;
pub use gwae_core as core;
pub use gwae_datasets as datasets;
pub use gwae_metrics as metrics;
pub use gwae_models as models;
pub use gwae_priors as priors;
pub use gwae_train as train;
