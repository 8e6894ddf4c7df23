//! The distance between clusters, compared with the spread within them.

use crate::error::MetricError;
use crate::points::Points;

/// Calinski-Harabasz index (1974) of points (row-major `[n, dimensions]`) in clusters:
/// `(B / (K − 1)) / (W / (n − K))`. B sums the squared distances from cluster means to the overall
/// mean, each counted once per point of the cluster. W sums the squared distances from points to
/// their cluster's mean. K is the number of non-empty clusters. Larger is better; the index has no
/// unit and no upper bound.
///
/// If every point lies at its cluster's mean (W = 0), the index is `+∞`, or 1 if all the means are
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
        // A constant second axis changes nothing.
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
    }

    proptest! {
        /// The index does not depend on shift and scale; B + W is the spread around the overall
        /// mean.
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
