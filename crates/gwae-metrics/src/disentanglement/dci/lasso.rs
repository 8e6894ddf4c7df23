//! DCI with linear regression.

use super::{Dci, mean_over_items};
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::learners::lasso::lasso;
use crate::disentanglement::learners::standardised::center_and_scale;
use crate::error::MetricError;

/// The penalty on absolute coefficients.
const PENALTY: f64 = 0.02;

/// DCI with lasso regression, as in the first code of Eastwood & Williams (protocol `dci/lasso`): codes
/// and factors are standardised, the penalty is 0.02, and importance is the absolute coefficient.
///
/// The first 80 % of the items train and the last 10 % test. Give the items in random order.
/// Informativeness is the mean over factors of `max(0, 1 − RMSE)`, where RMSE is the root of the mean
/// squared error of the held-out items in units of the factor's standard deviation among them; the
/// published number is the RMSE itself. Completeness is averaged over factors with equal weights.
///
/// Only linear dependence counts. No random numbers are drawn.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 10 items, and [`MetricError::ConstantFactor`] if all
/// training items, or all held-out items, have the same value of a factor.
pub fn dci_lasso(labelled: &LabelledCodes) -> Result<Dci, MetricError> {
    const LEAST: usize = 10;
    let items = labelled.items();
    if items < LEAST {
        return Err(MetricError::TooFewItems {
            metric: "dci/lasso",
            found: items,
            least: LEAST,
        });
    }
    let (training, test) = (items * 8 / 10, items - items / 10);
    let codes: Vec<Vec<f64>> = labelled
        .codes()
        .iter()
        .map(|code| {
            let (center, scale) = center_and_scale(&code[..training]);
            code.iter().map(|value| (value - center) / scale).collect()
        })
        .collect();
    let columns: Vec<&[f64]> = codes.iter().map(|code| &code[..training]).collect();
    let (mut importance, mut scores) = (Vec::new(), Vec::new());
    for (index, factor) in labelled.factors().iter().enumerate() {
        let (train, held_out) = (&factor.values[..training], &factor.values[test..]);
        let differs = |values: &[f64]| values.iter().any(|&value| value != values[0]);
        if !differs(train) || !differs(held_out) {
            return Err(MetricError::ConstantFactor { index });
        }
        let (center, scale) = center_and_scale(train);
        let targets: Vec<f64> = train.iter().map(|value| (value - center) / scale).collect();
        let (weights, intercept) = lasso(&columns, &targets, PENALTY);
        let unit = center_and_scale(held_out).1 / scale;
        let errors: Vec<f64> = (test..items)
            .map(|item| {
                let terms = codes
                    .iter()
                    .zip(&weights)
                    .map(|(code, weight)| code[item] * weight);
                let target = (factor.values[item] - center) / scale;
                (intercept + terms.sum::<f64>() - target) / unit
            })
            .collect();
        scores.push(informativeness_of_items(&errors));
        importance.push(weights.iter().map(|weight| weight.abs()).collect());
    }
    Ok(Dci::with_equal_factors(
        &importance,
        mean_over_items(&scores),
    ))
}

/// Values whose mean is `max(0, 1 − RMSE)`, and whose spread is that of the squared errors to first order.
fn informativeness_of_items(errors: &[f64]) -> Vec<f64> {
    let count = errors.len() as f64;
    let mean = errors.iter().map(|error| error * error).sum::<f64>() / count;
    let root = mean.sqrt();
    if root >= 1.0 {
        return vec![0.0; errors.len()];
    }
    let change = |error: &f64| match root {
        0.0 => 0.0,
        _ => (error * error - mean) / (2.0 * root),
    };
    errors
        .iter()
        .map(|error| 1.0 - root - change(error))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;

    #[test]
    fn ideal_codes_lose_only_the_penalty() {
        let found = dci_lasso(&drawn(2_000, |a, b| vec![-b, 2.0 * a, 7.0])).unwrap();
        // The product of the factors in a sample is small beside the penalty.
        assert!(found.disentanglement > 0.97, "{found:?}");
        assert!(found.completeness > 0.97, "{found:?}");
        // Every coefficient is 1 − 0.02.
        assert!((found.informativeness - 0.98).abs() < 2e-3, "{found:?}");
        assert_eq!(found.importance[2], [0.0, 0.0]);
    }

    #[test]
    fn dead_codes_score_zero() {
        let found = dci_lasso(&drawn(200, |_, _| vec![1.0, 2.0])).unwrap();
        assert_eq!((found.disentanglement, found.completeness), (0.0, 0.0));
        assert!(found.informativeness < 0.05);
    }
}
