//! Principal component analysis: the directions in which points vary most.

use crate::error::MetricError;
use crate::points::Points;
use crate::symmetric_matrix::eigen;

/// Largest number of dimensions for [`principal_components`]. The time of its eigenvalue solver
/// grows with the third power of the dimensions: about a second for this number.
pub const MAX_PCA_DIMENSIONS: usize = 256;

/// The directions in which some points vary most.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// Mean of the points, `[dimensions]`.
    pub mean: Vec<f64>,
    /// Orthonormal directions, row-major `[components, dimensions]`, largest variance first. The
    /// sign is chosen so that the entry with the largest absolute value is positive.
    pub directions: Vec<f64>,
    /// Variance along each direction, divided by `n − 1`; 0 for a single point.
    pub variances: Vec<f64>,
    /// The variances as shares of the variance of all dimensions; 0 if all points are equal.
    pub variance_shares: Vec<f64>,
    dimensions: usize,
}

/// Finds the first `components` principal components of `points` (row-major `[n, dimensions]`).
///
/// The eigenvectors of the covariance matrix, computed in double precision by Jacobi's cyclic
/// rotations (Golub & Van Loan, section 8.5). The result is deterministic.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`], and
/// [`MetricError::OutOfRange`] unless `dimensions ≤` [`MAX_PCA_DIMENSIONS`] and
/// `1 ≤ components ≤ dimensions`.
pub fn principal_components(
    points: &[f32],
    dimensions: usize,
    components: usize,
) -> Result<PrincipalComponents, MetricError> {
    let points = Points::new(points, dimensions)?;
    if dimensions > MAX_PCA_DIMENSIONS {
        return Err(MetricError::OutOfRange {
            field: "dimensions",
            value: dimensions.to_string(),
            allowed: "1 to 256; give codes, not images",
        });
    }
    if !(1..=dimensions).contains(&components) {
        return Err(MetricError::OutOfRange {
            field: "components",
            value: components.to_string(),
            allowed: "1 to the number of dimensions",
        });
    }
    let mean = points.mean();
    let (values, vectors) = eigen(covariance(&points, &mean), dimensions);
    let mut order: Vec<usize> = (0..dimensions).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let total: f64 = values.iter().map(|value| value.max(0.0)).sum();
    let mut directions = Vec::with_capacity(components * dimensions);
    let mut variances = Vec::with_capacity(components);
    for &axis in &order[..components] {
        let direction = &vectors[axis * dimensions..][..dimensions];
        let largest = direction.iter().fold(0.0f64, |largest, &entry| {
            if entry.abs() > largest.abs() {
                entry
            } else {
                largest
            }
        });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        directions.extend(direction.iter().map(|entry| sign * entry));
        // Rounding may make the variance of a constant direction slightly negative.
        variances.push(values[axis].max(0.0));
    }
    let share = |&variance: &f64| if total > 0.0 { variance / total } else { 0.0 };
    Ok(PrincipalComponents {
        mean,
        directions,
        variance_shares: variances.iter().map(share).collect(),
        variances,
        dimensions,
    })
}

impl PrincipalComponents {
    /// Coordinates of points (row-major `[n, dimensions]`) along the directions, relative to the
    /// mean: row-major `[n, components]`.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`].
    pub fn project(&self, points: &[f32]) -> Result<Vec<f64>, MetricError> {
        let points = Points::new(points, self.dimensions)?;
        let coordinates = points.rows().flat_map(|row| {
            self.directions
                .chunks_exact(self.dimensions)
                .map(|direction| {
                    let centred = row.iter().zip(&self.mean);
                    let products = centred
                        .zip(direction)
                        .map(|((&value, mean), entry)| (f64::from(value) - mean) * entry);
                    products.sum::<f64>()
                })
        });
        Ok(coordinates.collect())
    }
}

/// Row-major `[dimensions, dimensions]`.
fn covariance(points: &Points, mean: &[f64]) -> Vec<f64> {
    let dimensions = points.dimensions;
    let mut sums = vec![0.0; dimensions * dimensions];
    let mut centred = vec![0.0; dimensions];
    for row in points.rows() {
        for ((centred, &value), mean) in centred.iter_mut().zip(row).zip(mean) {
            *centred = f64::from(value) - mean;
        }
        for (i, sums) in sums.chunks_exact_mut(dimensions).enumerate() {
            for (sum, &other) in sums.iter_mut().zip(&centred) {
                *sum += centred[i] * other;
            }
        }
    }
    let divisor = points.count().saturating_sub(1).max(1) as f64;
    sums.iter_mut().for_each(|sum| *sum /= divisor);
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_line_has_one_component() {
        // (3, 4)·t for t = −1, 0, 1, shifted by (1, 1).
        let points = [-2.0, -3.0, 1.0, 1.0, 4.0, 5.0];
        let found = principal_components(&points, 2, 2).unwrap();
        assert!(close(found.directions[0], 0.6) && close(found.directions[1], 0.8));
        assert!(close(found.variances[0], 25.0) && close(found.variances[1], 0.0));
        assert!(close(found.variance_shares[0], 1.0));
        let projected = found.project(&points).unwrap();
        for (found, expected) in projected.iter().zip([-5.0, 0.0, 0.0, 0.0, 5.0, 0.0]) {
            assert!(close(*found, expected));
        }
    }

    #[test]
    fn axes_are_ordered_by_variance() {
        // Variances 1/3·(2·1) and 1/3·(2·9) along the axes.
        let points = [1.0, 0.0, -1.0, 0.0, 0.0, 3.0, 0.0, -3.0];
        let found = principal_components(&points, 2, 2).unwrap();
        assert_eq!(found.directions, [0.0, 1.0, 1.0, 0.0]);
        assert!(close(found.variances[0], 6.0) && close(found.variances[1], 2.0 / 3.0));
        assert!(close(found.variance_shares[1], 0.1));
    }

    #[test]
    fn what_does_not_vary_has_no_variance() {
        for points in [vec![2.0; 12], vec![2.0; 3]] {
            let found = principal_components(&points, 3, 2).unwrap();
            assert_eq!(found.variances, [0.0, 0.0]);
            assert_eq!(found.variance_shares, [0.0, 0.0]);
            assert!(found.project(&points).unwrap().iter().all(|&x| x == 0.0));
        }
    }

    #[test]
    fn impossible_input_is_refused() {
        for (points, dimensions, components) in [
            (vec![0.0; MAX_PCA_DIMENSIONS + 1], MAX_PCA_DIMENSIONS + 1, 2),
            (vec![0.0; 4], 2, 3),
            (vec![0.0; 4], 2, 0),
        ] {
            assert!(matches!(
                principal_components(&points, dimensions, components),
                Err(MetricError::OutOfRange { .. })
            ));
        }
        let found = principal_components(&[0.0, 1.0], 1, 1).unwrap();
        assert!(found.project(&[f32::NAN]).is_err());
        assert!(principal_components(&[0.0; 3], 2, 1).is_err());
    }

    proptest! {
        /// Directions are orthonormal, coordinates are uncorrelated with the reported variances,
        /// and all directions together preserve the points.
        #[test]
        fn coordinates_are_uncorrelated(
            values in proptest::collection::vec(-10f32..10.0, 4..80),
            dimensions in 1usize..5,
        ) {
            let count = values.len() / dimensions;
            let points = &values[..count * dimensions];
            let found = principal_components(points, dimensions, dimensions).unwrap();
            let dot = |a: usize, b: usize| -> f64 {
                let row = |i: usize| found.directions[i * dimensions..][..dimensions].iter();
                row(a).zip(row(b)).map(|(x, y)| x * y).sum()
            };
            let projected = found.project(points).unwrap();
            for a in 0..dimensions {
                prop_assert!(a == 0 || found.variances[a - 1] >= found.variances[a]);
                for b in 0..dimensions {
                    let equal = if a == b { 1.0 } else { 0.0 };
                    prop_assert!(close(dot(a, b), equal));
                    let product: f64 = projected
                        .chunks_exact(dimensions)
                        .map(|row| row[a] * row[b])
                        .sum();
                    let covariance = product / (count - 1).max(1) as f64;
                    prop_assert!((covariance - equal * found.variances[a]).abs() < 1e-8);
                }
            }
            for (row, original) in
                projected.chunks_exact(dimensions).zip(points.chunks_exact(dimensions))
            {
                for (axis, &original) in original.iter().enumerate() {
                    let back: f64 = (0..dimensions)
                        .map(|k| row[k] * found.directions[k * dimensions + axis])
                        .sum();
                    prop_assert!(close(back + found.mean[axis], f64::from(original)));
                }
            }
        }
    }
}
