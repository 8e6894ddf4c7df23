//! A training run from its first step to its end.

mod by_name;
mod changes;
mod error;
mod opened;
mod running;
pub(crate) mod stop_reason;
pub(crate) mod stream;
mod summary;
#[cfg(test)]
mod tests;
mod trainer;

pub use by_name::{SessionOptions, resume, start};
pub use changes::Changes;
pub use error::TrainError;
pub use stop_reason::StopReason;
pub use summary::RunSummary;
pub use trainer::{Trainer, TrainingData};
