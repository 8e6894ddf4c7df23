//! DCI with random forests that predict classes.

use rayon::prelude::*;

use super::{Dci, mean_over_items};
use crate::disentanglement::division::shuffled_division;
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::learners::forest::{Forest, ForestSettings};
use crate::disentanglement::training_classes::TrainingClasses;
use crate::error::MetricError;

/// Number of trees.
const TREES: usize = 100;
/// Largest depth of a tree.
const DEPTH: usize = 10;

/// DCI with random forests for classes (protocol `dci/rf-classification`): for each factor 100 trees of
/// depth at most 10 with entropy as their criterion. A node looks at as many codes as the root of their
/// number, rounded down, as in scikit-learn's `RandomForestClassifier`.
///
/// A tenth of the items, chosen by the seed, tests; informativeness is the accuracy on them. The seed
/// also draws the items and codes of each tree.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items, and [`MetricError::ConstantFactor`] if all
/// training items have the same value of a factor.
pub fn dci_random_forest_classification(
    labelled: &LabelledCodes,
    seed: u64,
) -> Result<Dci, MetricError> {
    let test = labelled.items().div_ceil(10);
    let (training, held_out) = shuffled_division("dci/rf-classification", labelled, test, seed)?;
    let columns = labelled.single_precision(&training);
    let features = labelled.dimensions().isqrt();
    let mut fitted = (Vec::new(), Vec::new());
    for (index, factor) in labelled.factors().iter().enumerate() {
        let of_training: Vec<usize> = training.iter().map(|&item| factor.classes[item]).collect();
        let classes = TrainingClasses::new(&of_training, factor.class_count)
            .ok_or(MetricError::ConstantFactor { index })?;
        let settings = ForestSettings {
            trees: TREES,
            depth: DEPTH,
            features,
            seed,
            stream: (index * TREES) as u64,
        };
        let forest =
            Forest::classification(&columns, &classes.classes, classes.class_count, &settings);
        let right = held_out.par_iter().map(|&item| {
            let code = |dimension: usize| labelled.codes()[dimension][item] as f32;
            classes.is_right(forest.predict(code), factor.classes[item])
        });
        fitted.1.push(right.collect());
        fitted.0.push(forest.importance);
    }
    Ok(Dci::new(&fitted.0, mean_over_items(&fitted.1)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, noisy};
    use super::*;

    #[test]
    fn ideal_codes_have_all_three_and_dead_codes_none() {
        let found = dci_random_forest_classification(&drawn(200, |a, b| vec![-b, 2.0 * a, 7.0]), 0)
            .unwrap();
        // With one random code per node, trees also split by the other factor's code in small nodes.
        assert!(found.disentanglement > 0.8, "{found:?}");
        assert!(found.completeness > 0.8, "{found:?}");
        assert_eq!(found.informativeness, 1.0);
        assert_eq!(found.importance[2], [0.0, 0.0]);
        let dead = dci_random_forest_classification(&drawn(200, |_, _| vec![1.0, 2.0]), 0).unwrap();
        assert_eq!((dead.disentanglement, dead.completeness), (0.0, 0.0));
    }

    #[test]
    fn scale_and_sign_of_codes_do_not_matter() {
        let first = drawn(150, |a, b| noisy(a, b).to_vec());
        let second = drawn(150, |a, b| {
            vec![-4.0 * noisy(a, b)[0], 0.5 * noisy(a, b)[1]]
        });
        let [first, second] =
            [first, second].map(|codes| dci_random_forest_classification(&codes, 0).unwrap());
        assert!((first.disentanglement - second.disentanglement).abs() < 0.02);
        assert!((first.completeness - second.completeness).abs() < 0.02);
    }
}
