//! What codes do while a single factor changes.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::correlations::{DistanceCorrelation, correlation, distances};
use super::items::{Images, column_distance};
use crate::disentanglement::covariance::scaled_covariance;
use crate::disentanglement::division::shuffled;
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::standard_error::{jackknife_groups, standard_error_of_mean};
use crate::symmetric_matrix::eigen;

/// Values that a traversal needs.
const LEAST_VALUES: usize = 3;
/// Traversals of one factor that are used.
const MOST_TRAVERSALS: usize = 1_000;

/// A mean over traversals and its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraversalMean {
    /// The mean.
    pub mean: f64,
    /// Its standard error over traversals.
    pub standard_error: f64,
}

/// The scores of [`traversal_scores`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraversalScores {
    /// Number of traversals of each factor, at most 1,000.
    pub traversals: Vec<usize>,
    /// Number of them along which the codes change.
    pub moving: usize,
    /// Share of the codes' variance along their first principal axis: 1 on a straight line.
    pub linearity: Option<TraversalMean>,
    /// Deviation along the second principal axis divided by that along the first: 0 on a straight line,
    /// 1 on a circle.
    pub axis_ratio: Option<TraversalMean>,
    /// Share of the codes' variance that the dimension with the largest one has: 1 if only one dimension
    /// changes.
    pub axis_alignment: Option<TraversalMean>,
    /// Distance of the last code to the first, divided by the length of the way between them: 1 if
    /// distances add up as on flat ground, 0 if the way ends where it began.
    pub flatness: Option<TraversalMean>,
    /// Correlation of the distances of codes and factors within traversals.
    pub codes_factors: Option<DistanceCorrelation>,
    /// Correlation of the distances of codes and images within traversals.
    pub codes_images: Option<DistanceCorrelation>,
    /// Correlation of the distances of factors and images within traversals.
    pub factors_images: Option<DistanceCorrelation>,
}

/// Scores along single-factor traversals (protocol `traversals`): items that agree in all factors but one,
/// in the order of this factor, with at least three values of it. Of more than 1,000 traversals of a
/// factor, the seed chooses. Of items with equal factors, the first is taken.
///
/// Traversals along which the codes do not change are left out of the four scores of their shape. If none
/// is left, or there is no traversal, the scores are None: random items of a large grid hardly
/// ever form traversals, so give all items, or all combinations of some values.
///
/// Linearity, axis ratio and flatness do not change with rotation, scale and sign of all codes together;
/// axis alignment does with rotation. Of a factor on a circle, such as a hue, a faithful code is not straight.
pub fn traversal_scores(
    labelled: &LabelledCodes,
    images: Option<&Images>,
    seed: u64,
) -> TraversalScores {
    let all: Vec<Vec<Vec<usize>>> = (0..labelled.factor_count())
        .map(|factor| traversals(labelled, factor, seed))
        .collect();
    let shapes: Vec<[f64; 4]> = all
        .par_iter()
        .flatten()
        .filter_map(|items| shape(labelled, items))
        .collect();
    let mean = |place: usize| {
        let values: Vec<f64> = shapes.iter().map(|shape| shape[place]).collect();
        (!values.is_empty()).then(|| TraversalMean {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            standard_error: standard_error_of_mean(&values),
        })
    };
    let pairs = pairs_within(&all);
    let groups = jackknife_groups(labelled.items(), seed);
    let correlate = |first: &[f64], second: &[f64]| {
        (!pairs.is_empty()).then(|| correlation(&pairs, &groups, first, second))
    };
    let factors: Vec<Vec<f64>> = labelled.factors().iter().map(|f| f.unit_values()).collect();
    let codes = distances(&pairs, |a, b| column_distance(labelled.codes(), a, b));
    let factors = distances(&pairs, |a, b| column_distance(&factors, a, b));
    let images = images.map(|images| distances(&pairs, |a, b| images.distance(a, b)));
    TraversalScores {
        traversals: all.iter().map(Vec::len).collect(),
        moving: shapes.len(),
        linearity: mean(0),
        axis_ratio: mean(1),
        axis_alignment: mean(2),
        flatness: mean(3),
        codes_factors: correlate(&codes, &factors),
        codes_images: images.as_ref().and_then(|images| correlate(&codes, images)),
        factors_images: images
            .as_ref()
            .and_then(|images| correlate(&factors, images)),
    }
}

/// Items that differ in one factor only, in the order of it.
fn traversals(labelled: &LabelledCodes, factor: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Vec<usize>, BTreeMap<usize, usize>> = BTreeMap::new();
    let factors = labelled.factors();
    for item in 0..labelled.items() {
        let others = factors
            .iter()
            .enumerate()
            .filter(|&(other, _)| other != factor);
        let key = others.map(|(_, other)| other.classes[item]).collect();
        let group = groups.entry(key).or_default();
        group.entry(factors[factor].classes[item]).or_insert(item);
    }
    let long = groups
        .into_values()
        .filter(|group| group.len() >= LEAST_VALUES);
    let mut found: Vec<Vec<usize>> = long.map(|group| group.into_values().collect()).collect();
    if found.len() > MOST_TRAVERSALS {
        let mut chosen = shuffled(found.len(), seed, factor as u64);
        chosen.truncate(MOST_TRAVERSALS);
        found = chosen
            .into_iter()
            .map(|place| std::mem::take(&mut found[place]))
            .collect();
    }
    found
}

/// All pairs of items of the same traversal.
fn pairs_within(all: &[Vec<Vec<usize>>]) -> Vec<[usize; 2]> {
    let mut pairs = Vec::new();
    for items in all.iter().flatten() {
        for (place, &second) in items.iter().enumerate() {
            pairs.extend(items[..place].iter().map(|&first| [first, second]));
        }
    }
    pairs
}

/// Linearity, axis ratio, axis alignment and flatness; None if the codes do not change.
fn shape(labelled: &LabelledCodes, items: &[usize]) -> Option<[f64; 4]> {
    let codes: Vec<Vec<f64>> = labelled
        .codes()
        .iter()
        .map(|code| items.iter().map(|&item| code[item]).collect())
        .collect();
    let columns: Vec<&[f64]> = codes.iter().map(|code| &code[..]).collect();
    let (covariance, _) = scaled_covariance(&columns);
    let size = columns.len();
    let variances = (0..size).map(|place| covariance[place * size + place]);
    let (total, largest) = variances.fold((0.0, 0.0f64), |(sum, most), value| {
        (sum + value, most.max(value))
    });
    let steps = items
        .windows(2)
        .map(|pair| column_distance(labelled.codes(), pair[0], pair[1]));
    let length: f64 = steps.sum();
    if total == 0.0 || length == 0.0 {
        return None;
    }
    let (mut values, _) = eigen(covariance, size);
    values.sort_by(|a, b| b.total_cmp(a));
    let second = values.get(1).copied().unwrap_or(0.0).max(0.0);
    let ends = column_distance(labelled.codes(), items[0], items[items.len() - 1]);
    Some([
        (values[0] / total).min(1.0),
        (second / values[0]).sqrt(),
        largest / total,
        (ends / length).min(1.0),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disentanglement::information::tests::combinations;

    fn means(code: impl Fn(&[f64]) -> Vec<f64>) -> [f64; 4] {
        let found = traversal_scores(&combinations(2, 8, code), None, 0);
        assert_eq!(found.traversals, [8, 8]);
        [
            found.linearity,
            found.axis_ratio,
            found.axis_alignment,
            found.flatness,
        ]
        .map(|mean| mean.unwrap().mean)
    }

    #[track_caller]
    fn assert_means(code: impl Fn(&[f64]) -> Vec<f64>, expected: [f64; 4]) {
        for (found, expected) in means(code).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        }
    }

    #[test]
    fn lines_circles_and_turned_lines_have_closed_forms() {
        assert_means(|row| vec![row[0], -3.0 * row[1], 0.0], [1.0, 0.0, 1.0, 1.0]);
        // Along the diagonals both dimensions change equally.
        assert_means(
            |row| vec![row[0] + row[1], row[0] - row[1]],
            [1.0, 0.0, 0.5, 1.0],
        );
        // The corners of an octagon: equal variances; the ends are one of eight equal sides apart.
        let corner = |value: f64| value * std::f64::consts::TAU / 8.0;
        let circles = |row: &[f64]| {
            let angles = [corner(row[0]), corner(row[1])];
            angles
                .iter()
                .flat_map(|angle| [angle.cos(), angle.sin()])
                .collect()
        };
        assert_means(circles, [0.5, 1.0, 0.5, 1.0 / 7.0]);
    }

    #[test]
    fn ideal_codes_have_the_distances_of_the_factors() {
        let labelled = combinations(3, 5, |row| row.iter().map(|value| 2.0 * value).collect());
        let found = traversal_scores(&labelled, None, 0);
        assert!((found.codes_factors.unwrap().pearson - 1.0).abs() < 1e-12);
        assert_eq!(found.moving, 75);
    }

    #[test]
    fn dead_codes_and_items_without_traversals_have_no_shape() {
        let dead = traversal_scores(&combinations(2, 4, |_| vec![1.0]), None, 0);
        assert_eq!((dead.moving, dead.linearity), (0, None));
        assert_eq!(dead.codes_factors.unwrap().spearman, 0.0);
        let factors = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0];
        let scattered = LabelledCodes::new(&[1.0, 2.0, 3.0], 1, &factors, 2).unwrap();
        let found = traversal_scores(&scattered, None, 0);
        assert_eq!(found.traversals, [0, 0]);
        assert_eq!((found.flatness, found.codes_factors), (None, None));
    }
}
