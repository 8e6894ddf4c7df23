//! How many clusters there are, judged by the points alone.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::points::Points;
use crate::{KMeansConfig, MetricError, k_means};

/// Calinski-Harabasz index (1974) of points (row-major `[n, dimensions]`) in clusters:
/// `(B / (K − 1)) / (W / (n − K))`, with the squared distances B from cluster means to the overall
/// mean (each counted as often as its cluster has points), W from points to their cluster's mean,
/// and K non-empty clusters. Larger is better; it has no unit and no upper bound.
///
/// Where every point lies at its cluster's mean (W = 0) it is `+∞`, or 1 where all the means are
/// equal too. scikit-learn gives 1 in both cases, which would make the perfect number of clusters
/// the worst.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`],
/// [`MetricError::LabelMismatch`], and [`MetricError::ClusterCount`] unless `2 ≤ K < n`.
pub fn calinski_harabasz<L: Ord>(
    points: &[f32],
    dimensions: usize,
    labels: &[L],
) -> Result<f64, MetricError> {
    let points = Points::new(points, dimensions)?;
    if points.count() != labels.len() {
        return Err(MetricError::LabelMismatch {
            first: "points",
            first_len: points.count(),
            second: "labels",
            second_len: labels.len(),
        });
    }
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_unstable_by(|&a, &b| labels[a].cmp(&labels[b]).then(a.cmp(&b)));
    let overall = points.mean();
    let (mut between, mut within, mut clusters) = (0.0, 0.0, 0usize);
    for members in order.chunk_by(|&a, &b| labels[a] == labels[b]) {
        clusters += 1;
        let size = members.len() as f64;
        for (axis, overall) in overall.iter().enumerate() {
            let values = || {
                members
                    .iter()
                    .map(|&item| f64::from(points.row(item)[axis]))
            };
            let mean = values().sum::<f64>() / size;
            between += size * (mean - overall).powi(2);
            within += values().map(|value| (value - mean).powi(2)).sum::<f64>();
        }
    }
    if clusters < 2 || clusters >= points.count() {
        return Err(MetricError::ClusterCount {
            points: points.count(),
            clusters,
        });
    }
    Ok(if within > 0.0 {
        (between / (clusters - 1) as f64) / (within / (points.count() - clusters) as f64)
    } else if between > 0.0 {
        f64::INFINITY
    } else {
        1.0
    })
}

/// k-means with one number of clusters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountEntry {
    /// Number of clusters asked for.
    pub clusters: usize,
    /// Sum of squared distances from points to their cluster's mean.
    pub inertia: f64,
    /// [`calinski_harabasz`]; none where it is not defined: one cluster, or a point each.
    pub calinski_harabasz: Option<f64>,
}

/// k-means with several numbers of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountScan {
    /// One entry for each number of clusters, ascending.
    pub entries: Vec<ClusterCountEntry>,
}

impl ClusterCountScan {
    /// The entry with the largest Calinski-Harabasz index, with the fewest clusters where several
    /// have it; none where no entry has an index.
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
/// `2..=12`; [`ClusterCountScan::best`] says which one to take.
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_cases_have_closed_forms() {
        // Means 1 and 9 of overall mean 5: B = 2·16 + 2·16 = 64, W = 4·1, K = 2, n = 4.
        let points = [0.0, 2.0, 8.0, 10.0];
        let index = calinski_harabasz(&points, 1, &["a", "a", "b", "b"]);
        assert_eq!(index.unwrap(), 64.0 / (4.0 / 2.0));
        // A second axis that is the same everywhere changes nothing.
        let wide = [0.0, 7.0, 2.0, 7.0, 8.0, 7.0, 10.0, 7.0];
        assert_eq!(calinski_harabasz(&wide, 2, &[1, 1, 0, 0]).unwrap(), 32.0);
        // No spread within clusters, and no spread at all.
        let index = |points: &[f32]| calinski_harabasz(points, 1, &[0, 0, 1, 1]).unwrap();
        assert_eq!(index(&[1.0, 1.0, 2.0, 2.0]), f64::INFINITY);
        assert_eq!(index(&[3.0; 4]), 1.0);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let index = |labels: &[u8]| calinski_harabasz(&[0.0, 1.0, 2.0], 1, labels);
        for (labels, clusters) in [([0, 0, 0], 1), ([0, 1, 2], 3)] {
            let points = 3;
            let refused = Err(MetricError::ClusterCount { points, clusters });
            assert_eq!(index(&labels), refused);
        }
        assert!(matches!(
            index(&[0, 1]),
            Err(MetricError::LabelMismatch { .. })
        ));
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

    /// Where there are only two places, two clusters are perfect and more cannot be better.
    #[test]
    fn superfluous_clusters_do_not_win() {
        let points = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        let scan = scan_cluster_counts(&points, 1, 2..=4, &KMeansConfig::default()).unwrap();
        assert_eq!(scan.best().unwrap().clusters, 2);
    }

    proptest! {
        /// Shifts and scales cancel; B + W is the spread around the overall mean.
        #[test]
        fn agrees_with_the_sum_of_squares(
            points in proptest::collection::vec((-20i32..20, 0u8..3), 6..30),
        ) {
            let (values, labels): (Vec<i32>, Vec<u8>) = points.into_iter().unzip();
            let used = (0..3).filter(|label| labels.contains(label)).count();
            prop_assume!(used > 1);
            let as_points = |scale: f32, shift: f32| -> Vec<f32> {
                values.iter().map(|&v| v as f32 * scale + shift).collect()
            };
            let n = values.len() as f64;
            let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
            let spread = |of: &[f64]| of.iter().map(|v| (v - mean(of)).powi(2)).sum::<f64>();
            let all: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
            let within: f64 = (0..3)
                .map(|label| {
                    let members = all.iter().zip(&labels).filter(|&(_, &l)| l == label);
                    let members: Vec<f64> = members.map(|(&v, _)| v).collect();
                    if members.is_empty() { 0.0 } else { spread(&members) }
                })
                .sum();
            prop_assume!(within > 1e-6);
            let k = used as f64;
            let expected = ((spread(&all) - within) / (k - 1.0)) / (within / (n - k));
            for (scale, shift) in [(1.0, 0.0), (4.0, 8.0)] {
                let found = calinski_harabasz(&as_points(scale, shift), 1, &labels).unwrap();
                prop_assert!((found - expected).abs() < 1e-9 * (1.0 + expected));
            }
        }
    }
}
