//! Whether a linear classifier finds each value of a factor.

use super::labelled_codes::LabelledCodes;
use super::learners::logistic_regression::{LogisticRegression, LogisticSettings};
use super::learners::standardised::Standardised;
use super::training_classes::TrainingClasses;
use crate::detection::RankedScores;
use crate::error::MetricError;

/// Explicitness (Ridgeway & Mozer 2018, section 3) as in disentanglement_lib (protocol `explicitness`):
/// the area under the ROC curve of a logistic regression's probability for each value of a factor
/// against the others, averaged over values, then over factors.
///
/// The classifier has scikit-learn's penalty C = 1 and sees standardised codes. The first two thirds of
/// the items train, the rest test. Give the items in random order. Values that no training item, no
/// held-out item or every held-out item has are left out; a factor without other values counts as 0.5.
///
/// Codes that tell nothing, also dead codes, score 0.5.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items, and [`MetricError::ConstantFactor`] if all
/// training items have the same value of a factor.
pub fn explicitness(labelled: &LabelledCodes) -> Result<f64, MetricError> {
    let training = labelled.training_items("explicitness")?;
    let part = |train: bool| {
        let codes = labelled.codes().iter();
        let part = codes.map(|code| {
            if train {
                &code[..training]
            } else {
                &code[training..]
            }
        });
        part.collect::<Vec<&[f64]>>()
    };
    let standard = Standardised::new(&part(true));
    let (rows, held_out) = (standard.rows(&part(true)), standard.rows(&part(false)));
    let settings = LogisticSettings {
        penalty: 1.0,
        balanced: false,
    };
    let mut sum = 0.0;
    for (index, factor) in labelled.factors().iter().enumerate() {
        let classes = TrainingClasses::new(&factor.classes[..training], factor.class_count)
            .ok_or(MetricError::ConstantFactor { index })?;
        let dimensions = labelled.dimensions();
        let model = LogisticRegression::fit(
            &rows,
            dimensions,
            &classes.classes,
            classes.class_count,
            settings,
        );
        let probabilities: Vec<Vec<f64>> = held_out
            .chunks_exact(dimensions)
            .map(|row| model.probabilities(row))
            .collect();
        let areas: Vec<f64> = (0..classes.class_count)
            .filter_map(|class| {
                let scores = probabilities.iter().zip(&factor.classes[training..]);
                let (inside, outside): (Vec<_>, Vec<_>) =
                    scores.partition(|&(_, &of_item)| classes.is_right(class, of_item) == 0.0);
                let scores = |items: Vec<(&Vec<f64>, &usize)>| -> Vec<f64> {
                    items
                        .iter()
                        .map(|(probabilities, _)| probabilities[class])
                        .collect()
                };
                RankedScores::new(&scores(inside), &scores(outside))
                    .ok()
                    .map(|ranked| ranked.auroc())
            })
            .collect();
        sum += if areas.is_empty() {
            0.5
        } else {
            areas.iter().sum::<f64>() / areas.len() as f64
        };
    }
    Ok(sum / labelled.factor_count() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::dci::tests::drawn;
    use super::*;

    #[test]
    fn separable_values_are_explicit_and_dead_codes_are_chance() {
        // A linear score cannot put the middle values above both ends, so they stay below 1.
        let ideal = explicitness(&drawn(900, |a, b| vec![b, -a])).unwrap();
        assert!(ideal > 0.8, "{ideal}");
        let one_hot = |a: f64, b: f64| {
            let is = |value: f64, other: f64| f64::from(u8::from(value == other));
            vec![is(a, 0.0), is(a, 1.0), is(a, 2.0), is(b, 0.0), is(b, 1.0)]
        };
        assert_eq!(explicitness(&drawn(900, one_hot)).unwrap(), 1.0);
        assert_eq!(
            explicitness(&drawn(900, |_, _| vec![1.0, 2.0])).unwrap(),
            0.5
        );
    }
}
