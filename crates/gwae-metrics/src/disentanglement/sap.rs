//! Separated attribute predictability.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::information::two_largest;
use super::labelled_codes::LabelledCodes;
use super::learners::linear_classifier::LinearClassifier;
use super::training_classes::TrainingClasses;
use crate::error::MetricError;

/// The cost C of errors.
const COST: f64 = 0.01;
/// Codes of at most this variance have score 0 in the continuous form.
const LEAST_VARIANCE: f64 = 1e-12;

/// How well each code alone predicts each factor, and the gap between the best two codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sap {
    /// The gap between the best and the second best code of a factor, averaged over factors. The
    /// second counts as 0 if there is a single code.
    pub score: f64,
    /// `[dimensions][factors]`.
    pub scores: Vec<Vec<f64>>,
}

impl Sap {
    fn new(scores: Vec<Vec<f64>>) -> Self {
        let factors = scores[0].len();
        let gaps = (0..factors).map(|factor| {
            let (_, largest, second) = two_largest(scores.iter().map(|row| row[factor]));
            largest - second
        });
        Self {
            score: gaps.sum::<f64>() / factors as f64,
            scores,
        }
    }
}

/// SAP (Kumar et al. 2018, section 3) as in disentanglement_lib (protocol `sap`): the score of a code
/// is the accuracy of a linear support vector classifier with cost C = 0.01 and balanced classes. The
/// first two thirds of the items train, the rest test: 10,000 and 5,000 in the published protocol. Give
/// the items in random order.
///
/// Because the cost is fixed, the score depends on the scale of the codes. A dead code predicts one
/// class, so dead codes have gap 0.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items, and [`MetricError::ConstantFactor`] if all
/// training items have the same value of a factor.
pub fn sap(labelled: &LabelledCodes) -> Result<Sap, MetricError> {
    let training = labelled.training_items("sap")?;
    let factors = labelled.factors().iter().enumerate();
    let classes = factors.map(|(index, factor)| {
        TrainingClasses::new(&factor.classes[..training], factor.class_count)
            .ok_or(MetricError::ConstantFactor { index })
    });
    let classes: Vec<TrainingClasses> = classes.collect::<Result<_, _>>()?;
    let of_code = |code: &Vec<f64>| {
        let factors = labelled.factors().iter().zip(&classes);
        let accuracy = factors.map(|(factor, classes)| {
            let model = LinearClassifier::fit(
                &code[..training],
                &classes.classes,
                classes.class_count,
                COST,
            );
            let held_out = code[training..].iter().zip(&factor.classes[training..]);
            let right =
                held_out.map(|(&value, &class)| classes.is_right(model.predict(value), class));
            right.sum::<f64>() / (labelled.items() - training) as f64
        });
        accuracy.collect()
    };
    Ok(Sap::new(labelled.codes().par_iter().map(of_code).collect()))
}

/// The continuous form of SAP (protocol `sap/continuous`): the score of a code is the squared
/// correlation with the values of the factor, over all items. Codes of variance at most 10⁻¹² have
/// score 0.
pub fn sap_continuous(labelled: &LabelledCodes) -> Sap {
    let of_code = |code: &Vec<f64>| {
        let factors = labelled.factors().iter();
        factors
            .map(|factor| squared_correlation(code, &factor.values))
            .collect()
    };
    Sap::new(labelled.codes().iter().map(of_code).collect())
}

/// `cov(code, factor)²/(var(code)·var(factor))`.
fn squared_correlation(code: &[f64], factor: &[f64]) -> f64 {
    let count = code.len() as f64;
    let mean = |values: &[f64]| values.iter().map(|value| value / count).sum::<f64>();
    let (code_mean, factor_mean) = (mean(code), mean(factor));
    let (mut product, mut square, mut factor_square) = (0.0, 0.0, 0.0);
    for (code, factor) in code.iter().zip(factor) {
        let (code, factor) = (code - code_mean, factor - factor_mean);
        product += code * factor;
        square += code * code;
        factor_square += factor * factor;
    }
    if square / (count - 1.0) > LEAST_VARIANCE {
        product / square * (product / factor_square)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::dci::tests::drawn;
    use super::*;

    #[test]
    fn a_gap_closes_with_a_second_copy() {
        let score = |code: fn(f64, f64) -> Vec<f64>| sap_continuous(&drawn(3_000, code)).score;
        let ideal = score(|a, b| vec![-b, 2.0 * a]);
        assert!((ideal - 1.0).abs() < 0.01, "{ideal}");
        let copied = score(|a, b| vec![b, a, 3.0 * a]);
        assert!((copied - 0.5).abs() < 0.01, "{copied}");
        assert_eq!(score(|_, _| vec![1.0, 2.0]), 0.0);
        // The sum of two independent factors of variances 5/4 and 2/3.
        let sum = sap_continuous(&drawn(30_000, |a, b| vec![a + b])).scores;
        let total = 1.25 + 2.0 / 3.0;
        assert!((sum[0][0] - 1.25 / total).abs() < 0.02, "{sum:?}");
    }

    #[test]
    fn codes_of_one_factor_are_separated() {
        let found = sap(&drawn(900, |a, b| vec![10.0 * b, 10.0 * a, 3.0])).unwrap();
        // Three values: the linear classifiers find the outer two.
        assert!(found.scores[0][1] > 0.6, "{found:?}");
        assert!(found.score > 0.2, "{found:?}");
        let dead = sap(&drawn(900, |_, _| vec![1.0, 2.0])).unwrap();
        assert_eq!(dead.score, 0.0);
    }
}
