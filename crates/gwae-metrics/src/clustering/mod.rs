//! Clusters of points, their agreement with labels, and how evenly they are used.

mod adjusted_rand_index;
mod calinski_harabasz;
mod cluster_count;
mod contingency;
mod k_means;
mod mutual_information;
mod purity;
mod usage;

pub use calinski_harabasz::calinski_harabasz;
pub use cluster_count::{ClusterCountEntry, ClusterCountScan, scan_cluster_counts};
pub use contingency::ContingencyTable;
pub use k_means::{KMeans, KMeansConfig, k_means};
pub use usage::ClusterUsage;
