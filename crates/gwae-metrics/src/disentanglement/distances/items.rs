//! Distances between the codes, factors and images of two items.

use crate::disentanglement::division::shuffled;
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::error::MetricError;
use crate::points::Points;

/// Images of the items, checked once.
#[derive(Clone, Copy)]
pub struct Images<'a> {
    points: Points<'a>,
}

impl<'a> Images<'a> {
    /// `values`: row-major `[items, image_len]`, where `image_len` is channels·height·width.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`], and
    /// [`MetricError::ItemMismatch`] if there is not one image for each item.
    pub fn new(
        labelled: &LabelledCodes,
        values: &'a [f32],
        image_len: usize,
    ) -> Result<Self, MetricError> {
        let points = Points::new(values, image_len)?;
        if points.count() != labelled.items() {
            return Err(MetricError::ItemMismatch {
                codes: labelled.items(),
                factors: points.count(),
            });
        }
        Ok(Self { points })
    }

    /// Euclidean distance over all values.
    pub(super) fn distance(&self, first: usize, second: usize) -> f64 {
        let pairs = self.points.row(first).iter().zip(self.points.row(second));
        let squares = pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        squares.sum::<f64>().sqrt()
    }
}

/// Euclidean distance of columns.
pub(super) fn column_distance(columns: &[Vec<f64>], first: usize, second: usize) -> f64 {
    // hypot does not overflow.
    let differences = columns.iter().map(|column| column[first] - column[second]);
    differences.fold(0.0, f64::hypot)
}

/// Random pairs of two different items. Each item is in about the same number of pairs: the pairs are
/// neighbours in random orders of all items.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than `least` items.
pub(super) fn random_pairs(
    metric: &'static str,
    items: usize,
    least: usize,
    pairs: usize,
    seed: u64,
) -> Result<Vec<[usize; 2]>, MetricError> {
    if items < least {
        return Err(MetricError::TooFewItems {
            metric,
            found: items,
            least,
        });
    }
    let mut found = Vec::with_capacity(pairs);
    for round in 0.. {
        let order = shuffled(items, seed, round);
        found.extend(order.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        if found.len() >= pairs {
            break;
        }
    }
    found.truncate(pairs);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_of_different_items_and_use_all_of_them() {
        let pairs = random_pairs("m", 10, 2, 23, 4).unwrap();
        assert_eq!(pairs.len(), 23);
        assert!(pairs.iter().all(|pair| pair[0] != pair[1]));
        assert!((0..10).all(|item| pairs[..5].iter().flatten().any(|&other| other == item)));
        assert!(random_pairs("m", 1, 2, 5, 0).is_err());
    }

    #[test]
    fn distances_are_euclidean() {
        let labelled = LabelledCodes::new(&[0.0, 1.0], 1, &[0.0, 1.0], 1).unwrap();
        let images = Images::new(&labelled, &[0.0, 3.0, 4.0, 3.0], 2).unwrap();
        assert_eq!(images.distance(0, 1), 4.0);
        assert_eq!(
            column_distance(&[vec![0.0, 3.0], vec![4.0, 0.0]], 0, 1),
            5.0
        );
        assert!(Images::new(&labelled, &[0.0; 3], 1).is_err());
    }
}
