//! Terms of the objectives, one family per file: tensors in, a number with a gradient out.

pub mod covariance_penalty;
pub mod critic;
pub mod density_ratio;
pub mod distance;
pub mod entropy;
pub mod gromov_wasserstein;
pub mod kl;
pub mod merged_condition;
pub mod mmd;
pub mod reconstruction;
pub mod total_correlation;
