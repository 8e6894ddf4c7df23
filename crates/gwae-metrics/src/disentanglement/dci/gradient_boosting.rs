//! DCI with gradient-boosted trees.

use rayon::prelude::*;

use super::{Dci, mean_over_items};
use crate::disentanglement::labelled_codes::{Factor, LabelledCodes};
use crate::disentanglement::learners::gradient_boosting::GradientBoosting;
use crate::disentanglement::learners::presorted::Presorted;
use crate::disentanglement::training_classes::TrainingClasses;
use crate::error::MetricError;

/// DCI as in disentanglement_lib (Locatello et al. 2019): for each factor a gradient-boosted
/// classifier with scikit-learn's defaults (100 stages, learning rate 0.1, trees of depth 3).
///
/// Importance is the classifier's; informativeness is its accuracy on held-out items. The first two
/// thirds of the items train, the rest test: 10,000 and 5,000 in the published protocol. Give the
/// items in random order. Classes that do not occur among the training items are never predicted.
///
/// The seed only decides between splits of equal gain, for example of two equal codes.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items, and [`MetricError::ConstantFactor`] if all
/// training items have the same value of a factor.
pub fn dci_gradient_boosting(labelled: &LabelledCodes, seed: u64) -> Result<Dci, MetricError> {
    let training = labelled.training_items("dci/gbt")?;
    let columns = labelled.codes().iter();
    let columns: Vec<Vec<f64>> = columns.map(|column| column[..training].to_vec()).collect();
    let sorted = Presorted::new(&columns);
    let fitted: Vec<(Vec<f64>, Vec<f64>)> = labelled
        .factors()
        .par_iter()
        .enumerate()
        .map(|(index, factor)| fit(labelled, &sorted, index, factor, seed))
        .collect::<Result<_, _>>()?;
    let (importance, right): (Vec<_>, Vec<_>) = fitted.into_iter().unzip();
    Ok(Dci::new(&importance, mean_over_items(&right)))
}

/// The importance of each code for a factor, and whether each held-out item is predicted (1 or 0).
fn fit(
    labelled: &LabelledCodes,
    sorted: &Presorted,
    index: usize,
    factor: &Factor,
    seed: u64,
) -> Result<(Vec<f64>, Vec<f64>), MetricError> {
    let (training, held_out) = factor.classes.split_at(sorted.items());
    let training = TrainingClasses::new(training, factor.class_count)
        .ok_or(MetricError::ConstantFactor { index })?;
    let model = GradientBoosting::fit(sorted, &training.classes, training.class_count, seed);
    let right = held_out.par_iter().enumerate().map(|(item, &class)| {
        let code = |dimension: usize| labelled.codes()[dimension][sorted.items() + item];
        training.is_right(model.predict(code), class)
    });
    let right = right.collect();
    Ok((model.importance, right))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, noisy};
    use super::*;

    #[test]
    fn ideal_codes_have_all_three() {
        let found = dci_gradient_boosting(&drawn(150, |a, b| vec![-b, 2.0 * a, 7.0]), 0).unwrap();
        assert!((found.disentanglement - 1.0).abs() < 1e-8, "{found:?}");
        assert!((found.completeness - 1.0).abs() < 1e-8, "{found:?}");
        assert_eq!(found.informativeness, 1.0);
        assert_eq!(found.importance[2], [0.0, 0.0]);
    }

    #[test]
    fn a_code_of_both_factors_is_not_disentangled() {
        let found = dci_gradient_boosting(&drawn(150, |a, b| vec![3.0 * a + b]), 0).unwrap();
        assert!(found.disentanglement.abs() < 1e-8, "{found:?}");
        assert_eq!((found.completeness, found.informativeness), (1.0, 1.0));
    }

    #[test]
    fn order_scale_and_sign_of_codes_do_not_matter() {
        let first = drawn(150, |a, b| noisy(a, b).to_vec());
        let second = drawn(150, |a, b| {
            vec![-4.0 * noisy(a, b)[1], 0.5 * noisy(a, b)[0]]
        });
        let first = dci_gradient_boosting(&first, 0).unwrap();
        let second = dci_gradient_boosting(&second, 0).unwrap();
        assert!((first.disentanglement - second.disentanglement).abs() < 1e-9);
        assert!((first.completeness - second.completeness).abs() < 1e-9);
        assert_eq!(first.informativeness, second.informativeness);
    }

    #[test]
    fn too_few_items_are_refused() {
        let two = LabelledCodes::new(&[1.0, 2.0], 1, &[0.0, 1.0], 1).unwrap();
        assert!(matches!(
            dci_gradient_boosting(&two, 0).unwrap_err(),
            MetricError::TooFewItems {
                found: 2,
                least: 3,
                ..
            }
        ));
        let constant = LabelledCodes::new(&[1.0, 2.0, 3.0], 1, &[0.0, 0.0, 1.0], 1).unwrap();
        assert_eq!(
            dci_gradient_boosting(&constant, 0).unwrap_err(),
            MetricError::ConstantFactor { index: 0 }
        );
    }
}
