//! Estimates the number of clusters from the points alone.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::calinski_harabasz::calinski_harabasz;
use super::k_means::{KMeansConfig, k_means};
use crate::error::MetricError;
use crate::points::Points;

/// k-means with one number of clusters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountEntry {
    /// Requested number of clusters.
    pub clusters: usize,
    /// Sum of squared distances from points to their cluster's mean.
    pub inertia: f64,
    /// [`calinski_harabasz`]; `None` if it is not defined: for one cluster, or for as many clusters
    /// as points.
    pub calinski_harabasz: Option<f64>,
}

/// k-means with several numbers of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountScan {
    /// One entry for each number of clusters, ascending.
    pub entries: Vec<ClusterCountEntry>,
}

impl ClusterCountScan {
    /// The entry with the largest Calinski-Harabasz index; of several, the one with the fewest
    /// clusters. `None` if no entry has an index.
    pub fn best(&self) -> Option<&ClusterCountEntry> {
        let mut best: Option<(&ClusterCountEntry, f64)> = None;
        for entry in &self.entries {
            let Some(index) = entry.calinski_harabasz else {
                continue;
            };
            if best.is_none_or(|(_, largest)| index > largest) {
                best = Some((entry, index));
            }
        }
        best.map(|(entry, _)| entry)
    }
}

/// Runs k-means on `points` (row-major `[n, dimensions]`) for each number of clusters, such as
/// `2..=12`. [`ClusterCountScan::best`] selects one of the results.
///
/// # Errors
/// Those of [`k_means`], and [`MetricError::OutOfRange`] for an empty range. The range is checked
/// before any work starts.
pub fn scan_cluster_counts(
    points: &[f32],
    dimensions: usize,
    clusters: RangeInclusive<usize>,
    config: &KMeansConfig,
) -> Result<ClusterCountScan, MetricError> {
    let count = Points::new(points, dimensions)?.count();
    if clusters.is_empty() || *clusters.start() == 0 || *clusters.end() > count {
        return Err(MetricError::OutOfRange {
            field: "clusters",
            value: format!("{clusters:?}"),
            allowed: "a range from 1 or more to the number of points or fewer",
        });
    }
    let entries = clusters.map(|clusters| {
        let found = k_means(points, dimensions, clusters, config)?;
        Ok(ClusterCountEntry {
            clusters,
            inertia: found.inertia,
            calinski_harabasz: match calinski_harabasz(points, dimensions, &found.labels) {
                Ok(index) => Some(index),
                Err(MetricError::ClusterCount { .. }) => None,
                Err(error) => return Err(error),
            },
        })
    });
    Ok(ClusterCountScan {
        entries: entries.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_ranges_are_refused() {
        let config = KMeansConfig::default();
        #[expect(clippy::reversed_empty_ranges)]
        for range in [0..=2, 2..=4, 3..=2, 1..=usize::MAX] {
            assert!(matches!(
                scan_cluster_counts(&[0.0, 1.0, 2.0], 1, range, &config),
                Err(MetricError::OutOfRange { .. })
            ));
        }
    }

    #[test]
    fn the_scan_finds_the_number_of_blobs() {
        // Four squares of nine points around (±10, ±10).
        let mut points = Vec::new();
        for i in 0..36 {
            let (blob, item) = (i / 9, i % 9);
            points.push(20.0 * (blob % 2) as f32 - 10.0 + (item % 3) as f32);
            points.push(20.0 * (blob / 2) as f32 - 10.0 + (item / 3) as f32);
        }
        let scan = scan_cluster_counts(&points, 2, 1..=8, &KMeansConfig::default()).unwrap();
        assert_eq!(scan.entries[0].calinski_harabasz, None);
        assert_eq!(scan.best().unwrap().clusters, 4);
        // Each square: 9 points with variance 2/3 along both axes.
        assert!((scan.best().unwrap().inertia - 4.0 * 9.0 * 4.0 / 3.0).abs() < 1e-6);
        for pair in scan.entries.windows(2) {
            assert!(pair[0].inertia > pair[1].inertia);
        }
        let one = scan_cluster_counts(&points, 2, 1..=1, &KMeansConfig::default()).unwrap();
        assert_eq!(one.best(), None);
    }

    /// With only two distinct points, two clusters are perfect, and more cannot be better.
    #[test]
    fn superfluous_clusters_do_not_win() {
        let points = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        let scan = scan_cluster_counts(&points, 1, 2..=4, &KMeansConfig::default()).unwrap();
        assert_eq!(scan.best().unwrap().clusters, 2);
    }
}
