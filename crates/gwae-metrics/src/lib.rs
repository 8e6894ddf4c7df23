//! Metrics over codes, factors and images.
//!
//! They take plain slices on the host, never a model, so that any representation and any
//! picture can be measured.

mod bootstrap;
mod cluster_count;
mod clustering;
mod detection;
mod embedding;
mod error;
mod k_means;
mod points;
mod psnr;
mod random;
mod roc;
mod two_sided;

pub use bootstrap::{BootstrapConfig, Interval, MAX_RESAMPLES, auroc_interval};
pub use cluster_count::{
    ClusterCountEntry, ClusterCountScan, calinski_harabasz, scan_cluster_counts,
};
pub use clustering::{ClusterUsage, ContingencyTable};
pub use detection::DetectionReport;
pub use embedding::{
    MAX_PCA_DIMENSIONS, PrincipalComponents, TSneConfig, principal_components, t_sne,
};
pub use error::MetricError;
pub use k_means::{KMeans, KMeansConfig, k_means};
pub use psnr::{PSNR_LIMIT_DECIBELS, mean_squared_error, psnr};
pub use roc::{RankedScores, RocCurve, RocPoint, auroc};
pub use two_sided::distance_from_median;
