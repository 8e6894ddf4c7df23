//! Whether codes and images agree on which of two items is nearer to a third.

use rayon::prelude::*;

use super::items::{Images, column_distance};
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::standard_error::standard_error_of_mean;
use crate::error::MetricError;
use crate::random::{below, generator};

/// The share of random triplets of different items in which the item whose image is nearer to the
/// first one's also has the nearer code, and its standard error over triplets (protocol `triplets` with
/// 10,000 triplets). An equal distance counts as half.
///
/// 1 if distances have the same order, about 1/2 if codes tell nothing, 1/2 for dead codes. Scale, sign,
/// order and rotation of the codes do not matter. The seed decides the triplets.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items.
pub fn triplet_agreement(
    labelled: &LabelledCodes,
    images: &Images,
    triplets: usize,
    seed: u64,
) -> Result<(f64, f64), MetricError> {
    let items = labelled.items();
    if items < 3 {
        return Err(MetricError::TooFewItems {
            metric: "triplets",
            found: items,
            least: 3,
        });
    }
    let mut generator = generator(seed, 0);
    let drawn: Vec<[usize; 3]> = (0..triplets.max(1))
        .map(|_| {
            let first = below(&mut generator, items);
            // Numbers that skip those already drawn.
            let mut second = below(&mut generator, items - 1);
            second += usize::from(second >= first);
            let mut third = below(&mut generator, items - 2);
            third += usize::from(third >= first.min(second));
            third += usize::from(third >= first.max(second));
            [first, second, third]
        })
        .collect();
    let agreements: Vec<f64> = drawn
        .par_iter()
        .map(|&[a, b, c]| {
            let code = |other| column_distance(labelled.codes(), a, other);
            let codes = code(b).total_cmp(&code(c));
            let images = images.distance(a, b).total_cmp(&images.distance(a, c));
            match (codes.is_eq() || images.is_eq(), codes == images) {
                (true, _) => 0.5,
                (false, agrees) => f64::from(u8::from(agrees)),
            }
        })
        .collect();
    let mean = agreements.iter().sum::<f64>() / agreements.len() as f64;
    Ok((mean, standard_error_of_mean(&agreements)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disentanglement::information::tests::combinations;

    #[test]
    fn isometries_agree_and_dead_codes_are_chance() {
        // Steps of different lengths, so that few distances are equal.
        let place = |value: f64| value + 0.1 * value * value;
        let images: Vec<f32> = (0..64)
            .flat_map(|item| {
                [(item % 8) as f64, (item / 8) as f64].map(|value| place(value) as f32)
            })
            .collect();
        let agreement = |code: &dyn Fn(&[f64]) -> Vec<f64>| {
            let labelled = combinations(2, 8, code);
            let images = Images::new(&labelled, &images, 2).unwrap();
            triplet_agreement(&labelled, &images, 2_000, 3).unwrap().0
        };
        let single = |value: f64| f64::from(place(value) as f32);
        let ideal = agreement(&|row| vec![-2.0 * single(row[1]), 2.0 * single(row[0])]);
        assert!(ideal > 0.97, "{ideal}");
        assert_eq!(agreement(&|_| vec![1.0]), 0.5);
        let one = agreement(&|row| vec![row[0]]);
        assert!(one > 0.6 && one < 0.85, "{one}");
    }
}
