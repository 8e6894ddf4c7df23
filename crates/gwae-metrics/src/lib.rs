//! Metrics over codes, factors and images.
//!
//! They take plain slices on the host, never a model, so that any representation and any
//! picture can be measured.

mod error;
mod psnr;

pub use error::MetricError;
pub use psnr::{PSNR_LIMIT_DECIBELS, mean_squared_error, psnr};
