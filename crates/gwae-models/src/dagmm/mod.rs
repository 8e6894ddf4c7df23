//! The deep autoencoding Gaussian mixture model, a baseline.

mod config;
mod estimation;
mod model;
mod moments;
mod objective;

pub use config::DagmmConfig;
pub use estimation::EstimationNetwork;
pub use model::Dagmm;
pub use moments::RunningMoments;
pub use objective::DagmmObjective;
