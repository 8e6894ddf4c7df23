//! DCI with random forests that predict numbers.

use rayon::prelude::*;

use super::{Dci, mean_over_items};
use crate::disentanglement::division::shuffled_division;
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::learners::forest::{Forest, ForestSettings};
use crate::error::MetricError;

/// Number of trees.
const TREES: usize = 10;
/// Depths from which cross-validation chooses.
const DEPTHS: [usize; 4] = [2, 4, 8, 12];
/// Parts of the cross-validation.
const FOLDS: usize = 5;
/// Informativeness is 0 if the mean squared error is at least 1 divided by this number, which is what
/// a prediction without knowledge makes of a factor that is uniform in [0, 1], and its square twice.
const ERROR_SCALE: f64 = 6.0;

/// DCI as in the evaluation of the GWAE paper (protocol `dci/rf-regression`): for each factor a forest
/// of 10 regression trees. All factors share the depth, of 2, 4, 8 and 12, with the smallest mean squared
/// error in a 5-fold cross-validation.
///
/// A third of the items (33 %), chosen by the seed, tests. Informativeness is the mean over factors of
/// `max(0, 1 − 6·MSE)`. Factors with values outside [0, 1] are first scaled to [0, 1]. Completeness is
/// averaged over factors with equal weights. A factor without order, such as a shape, should be
/// [one column for each value](LabelledCodes::with_one_hot), as in the paper.
///
/// Depths are compared by pruning the same trees.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 12 items.
pub fn dci_random_forest_regression(
    labelled: &LabelledCodes,
    seed: u64,
) -> Result<Dci, MetricError> {
    const LEAST: usize = 12;
    if labelled.items() < LEAST {
        return Err(MetricError::TooFewItems {
            metric: "dci/rf-regression",
            found: labelled.items(),
            least: LEAST,
        });
    }
    let test = (labelled.items() * 33).div_ceil(100);
    let (training, held_out) = shuffled_division("dci/rf-regression", labelled, test, seed)?;
    let targets: Vec<Vec<f64>> = labelled.factors().iter().map(|f| f.unit_values()).collect();
    let jobs = Jobs {
        labelled,
        targets: &targets,
        seed,
    };
    let depth = jobs.best_depth(&training);
    let fitted: Vec<(Vec<f64>, Vec<f64>)> = (0..targets.len())
        .into_par_iter()
        .map(|factor| {
            let forest = jobs.fit(factor, FOLDS, depth, &training);
            let errors = held_out
                .iter()
                .map(|&item| jobs.squared_error(&forest, factor, item, depth));
            let errors: Vec<f64> = errors.collect();
            (forest.importance, errors)
        })
        .collect();
    let (importance, errors): (Vec<_>, Vec<_>) = fitted.into_iter().unzip();
    let scores: Vec<Vec<f64>> = errors.into_iter().map(informativeness_of_items).collect();
    Ok(Dci::with_equal_factors(
        &importance,
        mean_over_items(&scores),
    ))
}

/// `1 − 6·error` of each item, or 0 for all if the mean is negative.
fn informativeness_of_items(errors: Vec<f64>) -> Vec<f64> {
    let scores: Vec<f64> = errors
        .iter()
        .map(|error| 1.0 - ERROR_SCALE * error)
        .collect();
    if scores.iter().sum::<f64>() < 0.0 {
        return vec![0.0; scores.len()];
    }
    scores
}

struct Jobs<'a> {
    labelled: &'a LabelledCodes,
    targets: &'a [Vec<f64>],
    seed: u64,
}

impl Jobs<'_> {
    /// `part`: the fold that is left out, or [`FOLDS`] for all training items.
    fn fit(&self, factor: usize, part: usize, depth: usize, items: &[usize]) -> Forest<f64> {
        let settings = ForestSettings {
            trees: TREES,
            depth,
            features: self.labelled.dimensions(),
            seed: self.seed,
            stream: ((factor * (FOLDS + 1) + part) * TREES) as u64,
        };
        let targets: Vec<f64> = items
            .iter()
            .map(|&item| self.targets[factor][item])
            .collect();
        Forest::regression(&self.labelled.single_precision(items), &targets, &settings)
    }

    fn squared_error(&self, forest: &Forest<f64>, factor: usize, item: usize, depth: usize) -> f64 {
        let code = |dimension: usize| self.labelled.codes()[dimension][item] as f32;
        (forest.predict(code, depth) - self.targets[factor][item]).powi(2)
    }

    /// The depth with the smallest mean squared error over factors and folds.
    fn best_depth(&self, training: &[usize]) -> usize {
        let deepest = DEPTHS[DEPTHS.len() - 1];
        let folds: Vec<(usize, usize)> = (0..self.targets.len())
            .flat_map(|factor| (0..FOLDS).map(move |fold| (factor, fold)))
            .collect();
        let errors: Vec<[f64; DEPTHS.len()]> = folds
            .into_par_iter()
            .map(|(factor, fold)| {
                // Consecutive items of a shuffled order.
                let bounds = |fold: usize| fold * training.len() / FOLDS;
                let (first, end) = (bounds(fold), bounds(fold + 1));
                let rest = [&training[..first], &training[end..]].concat();
                let forest = self.fit(factor, fold, deepest, &rest);
                DEPTHS.map(|depth| {
                    let errors = training[first..end]
                        .iter()
                        .map(|&item| self.squared_error(&forest, factor, item, depth));
                    errors.sum::<f64>() / (end - first) as f64
                })
            })
            .collect();
        let total = |place: usize| errors.iter().map(|error| error[place]).sum::<f64>();
        let mut best = 0;
        for place in 1..DEPTHS.len() {
            if total(place) < total(best) {
                best = place;
            }
        }
        DEPTHS[best]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;

    #[test]
    fn ideal_codes_have_all_three_and_dead_codes_none() {
        let found =
            dci_random_forest_regression(&drawn(300, |a, b| vec![-b, 2.0 * a, 7.0]), 0).unwrap();
        assert!((found.disentanglement - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.completeness - 1.0).abs() < 0.01, "{found:?}");
        assert!(found.informativeness > 0.99, "{found:?}");
        assert_eq!(found.importance[2], [0.0, 0.0]);
        let dead = dci_random_forest_regression(&drawn(300, |_, _| vec![1.0, 2.0]), 0).unwrap();
        assert_eq!((dead.disentanglement, dead.completeness), (0.0, 0.0));
    }

    #[test]
    fn a_negative_informativeness_is_zero() {
        assert_eq!(informativeness_of_items(vec![1.0, 0.0]), [0.0, 0.0]);
        assert_eq!(informativeness_of_items(vec![0.25, 0.0]), [-0.5, 1.0]);
    }
}
