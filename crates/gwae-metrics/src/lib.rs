#![doc = include_str!("../README.md")]

pub mod clustering;
pub mod detection;
pub mod disentanglement;
pub mod embedding;
mod error;
mod points;
mod random;
pub mod reconstruction;
mod symmetric_matrix;

pub use clustering::{
    ClusterCountEntry, ClusterCountScan, ClusterUsage, ContingencyTable, KMeans, KMeansConfig,
    calinski_harabasz, k_means, scan_cluster_counts,
};
pub use detection::{
    BootstrapConfig, DetectionReport, Interval, MAX_RESAMPLES, RankedScores, RocCurve, RocPoint,
    ScoreDirection, auroc, auroc_interval, distance_from_median,
};
pub use embedding::{
    MAX_PCA_DIMENSIONS, PrincipalComponents, TSneConfig, principal_components, t_sne,
};
pub use error::MetricError;
pub use reconstruction::{PSNR_LIMIT_DECIBELS, mean_squared_error, psnr};
