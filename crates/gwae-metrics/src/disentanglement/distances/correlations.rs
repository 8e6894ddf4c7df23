//! Correlations of the distances of codes, factors and images.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::items::{Images, column_distance, random_pairs};
use crate::disentanglement::correlation::{pearson, spearman};
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::standard_error::{JACKKNIFE_GROUPS, jackknife_error, jackknife_groups};
use crate::error::MetricError;

/// How two kinds of distances go together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistanceCorrelation {
    /// Rank correlation, in `[−1, 1]`.
    pub spearman: f64,
    /// Its standard error over items.
    pub spearman_error: f64,
    /// Linear correlation, in `[−1, 1]`.
    pub pearson: f64,
    /// Its standard error over items.
    pub pearson_error: f64,
}

/// The correlations of [`distance_correlations`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistanceCorrelations {
    /// Of codes and factors.
    pub codes_factors: DistanceCorrelation,
    /// Of codes and images.
    pub codes_images: Option<DistanceCorrelation>,
    /// Of factors and images: what the data allow.
    pub factors_images: Option<DistanceCorrelation>,
}

/// Correlations of Euclidean distances over random pairs of items (protocol `distances` with 10,000
/// pairs). Factors are scaled to [0, 1], so that each has the same largest distance; a factor without
/// order, such as a shape, should be [one column for each value](LabelledCodes::with_one_hot). Colours
/// on a circle count as on a line.
///
/// Scale, sign, order and rotation of the codes do not matter. Dead codes have correlation 0.
///
/// The standard errors are those of the jackknife that leaves out a tenth of the items each time. The
/// seed decides the pairs.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items.
pub fn distance_correlations(
    labelled: &LabelledCodes,
    images: Option<&Images>,
    pairs: usize,
    seed: u64,
) -> Result<DistanceCorrelations, MetricError> {
    let pairs = random_pairs("distances", labelled.items(), 3, pairs, seed)?;
    let factors: Vec<Vec<f64>> = labelled.factors().iter().map(|f| f.unit_values()).collect();
    let codes = distances(&pairs, |a, b| column_distance(labelled.codes(), a, b));
    let factors = distances(&pairs, |a, b| column_distance(&factors, a, b));
    let images = images.map(|images| distances(&pairs, |a, b| images.distance(a, b)));
    let groups = jackknife_groups(labelled.items(), seed);
    let correlate = |first: &[f64], second: &[f64]| correlation(&pairs, &groups, first, second);
    Ok(DistanceCorrelations {
        codes_factors: correlate(&codes, &factors),
        codes_images: images.as_ref().map(|images| correlate(&codes, images)),
        factors_images: images.as_ref().map(|images| correlate(&factors, images)),
    })
}

pub(super) fn distances(
    pairs: &[[usize; 2]],
    distance: impl Fn(usize, usize) -> f64 + Sync,
) -> Vec<f64> {
    pairs.par_iter().map(|&[a, b]| distance(a, b)).collect()
}

/// `groups`: that of each item, for the standard error.
pub(super) fn correlation(
    pairs: &[[usize; 2]],
    groups: &[usize],
    first: &[f64],
    second: &[f64],
) -> DistanceCorrelation {
    let parts: Vec<[f64; 2]> = (0..JACKKNIFE_GROUPS)
        .into_par_iter()
        .map(|group| {
            let stays = |pair: &[usize; 2]| pair.iter().all(|&item| groups[item] != group);
            let pick = |values: &[f64]| -> Vec<f64> {
                let kept = pairs.iter().zip(values).filter(|(pair, _)| stays(pair));
                kept.map(|(_, &value)| value).collect()
            };
            let (first, second) = (pick(first), pick(second));
            [spearman(&first, &second), pearson(&first, &second)]
        })
        .collect();
    let error = |place: usize| jackknife_error(parts.iter().map(|part| part[place]).collect());
    DistanceCorrelation {
        spearman: spearman(first, second),
        spearman_error: error(0),
        pearson: pearson(first, second),
        pearson_error: error(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disentanglement::information::tests::combinations;

    fn found(code: impl Fn(&[f64]) -> Vec<f64>, image: impl Fn(&[f64]) -> Vec<f32>) -> [f64; 4] {
        let labelled = combinations(2, 9, code);
        let images: Vec<f32> = (0..81)
            .flat_map(|item| image(&[(item % 9) as f64, (item / 9) as f64]))
            .collect();
        let images = Images::new(&labelled, &images, images.len() / 81).unwrap();
        let found = distance_correlations(&labelled, Some(&images), 500, 1).unwrap();
        let images = found.codes_images.unwrap();
        [
            found.codes_factors.spearman,
            found.codes_factors.pearson,
            images.spearman,
            images.pearson,
        ]
    }

    #[test]
    fn isometries_have_correlation_one_and_dead_codes_zero() {
        let image = |row: &[f64]| vec![row[0] as f32, row[1] as f32, 0.0];
        let turned = |row: &[f64]| vec![3.0 * (row[0] + row[1]), 3.0 * (row[1] - row[0])];
        for value in found(turned, image) {
            assert!((value - 1.0).abs() < 1e-9, "{value}");
        }
        assert_eq!(found(|_| vec![2.0], image), [0.0; 4]);
        // Codes of one factor: related, but less.
        for value in found(|row| vec![row[0]], image) {
            assert!(value > 0.4 && value < 0.9, "{value}");
        }
    }

    #[test]
    fn noise_has_correlation_zero_within_its_error() {
        let labelled = combinations(2, 20, |row| {
            vec![(row[0] * 12.9898 + row[1] * 78.233).sin()]
        });
        let found = distance_correlations(&labelled, None, 5_000, 1).unwrap();
        let found = found.codes_factors;
        assert!(
            found.spearman_error > 0.0 && found.spearman_error < 0.1,
            "{found:?}"
        );
        assert!(
            found.spearman.abs() < 4.0 * found.spearman_error,
            "{found:?}"
        );
    }
}
