//! Items that train a predictor and items that test it.

use super::labelled_codes::LabelledCodes;
use crate::error::MetricError;
use crate::random::{below, generator};

/// The stream of divisions.
const STREAM: u64 = u64::MAX;

/// Training and held-out items in random order; `test` of them are held out.
///
/// # Errors
/// [`MetricError::TooFewItems`] if fewer than two items train or none tests.
pub(super) fn shuffled_division(
    metric: &'static str,
    labelled: &LabelledCodes,
    test: usize,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), MetricError> {
    let items = labelled.items();
    if items < 3 || test == 0 || test + 2 > items {
        return Err(MetricError::TooFewItems {
            metric,
            found: items,
            least: 3,
        });
    }
    let mut held_out = shuffled(items, seed, STREAM);
    let training = held_out.split_off(test);
    Ok((training, held_out))
}

/// The numbers below `count` in random order, by Fisher and Yates's shuffle.
pub(super) fn shuffled(count: usize, seed: u64, stream: u64) -> Vec<usize> {
    let mut generator = generator(seed, stream);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, below(&mut generator, last + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_trains_or_tests() {
        let labelled = LabelledCodes::new(&[0.0; 7], 1, &[0., 1., 0., 1., 0., 1., 0.], 1).unwrap();
        let (training, held_out) = shuffled_division("m", &labelled, 2, 5).unwrap();
        assert_eq!((training.len(), held_out.len()), (5, 2));
        let mut all = [training, held_out].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6]);
        assert!(shuffled_division("m", &labelled, 6, 5).is_err());
        assert_ne!(shuffled(50, 1, 0), shuffled(50, 2, 0));
    }
}
