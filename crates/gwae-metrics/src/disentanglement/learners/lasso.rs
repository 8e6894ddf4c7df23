//! Linear regression with a penalty on absolute coefficients.

/// Largest number of passes over the features.
const PASSES: usize = 10_000;
/// The largest change of a coefficient in the last pass, as a share of the largest coefficient.
const TOLERANCE: f64 = 1e-12;

/// The coefficients that minimise `‖y − Xw − b‖²/(2n) + α Σ|w|`, scikit-learn's `Lasso`, by
/// coordinate descent. `columns`: the features; `targets`: y. Both are centred here, so that the
/// intercept b is not penalised. Constant features have coefficient 0.
pub(in crate::disentanglement) fn lasso(
    columns: &[&[f64]],
    targets: &[f64],
    penalty: f64,
) -> (Vec<f64>, f64) {
    let count = targets.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let centred: Vec<Vec<f64>> = columns
        .iter()
        .map(|column| {
            let mean = mean(column);
            column.iter().map(|value| value - mean).collect()
        })
        .collect();
    let target_mean = mean(targets);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / count;
    // With the products of all pairs of features, a pass takes no time that grows with the items.
    let gram: Vec<Vec<f64>> = centred
        .iter()
        .map(|a| centred.iter().map(|b| product(a, b)).collect())
        .collect();
    let centred_targets: Vec<f64> = targets.iter().map(|value| value - target_mean).collect();
    let mut rest: Vec<f64> = centred
        .iter()
        .map(|column| product(column, &centred_targets))
        .collect();
    let mut weights = vec![0.0f64; columns.len()];
    for _ in 0..PASSES {
        let mut change = 0.0f64;
        for feature in 0..weights.len() {
            let square = gram[feature][feature];
            if square == 0.0 {
                continue;
            }
            let old = weights[feature];
            let pull = rest[feature] + square * old;
            let new = pull.signum() * (pull.abs() - penalty).max(0.0) / square;
            if new != old {
                weights[feature] = new;
                for (rest, product) in rest.iter_mut().zip(&gram[feature]) {
                    *rest -= (new - old) * product;
                }
                change = change.max((new - old).abs());
            }
        }
        let largest = weights
            .iter()
            .fold(0.0f64, |most, weight| most.max(weight.abs()));
        if change <= TOLERANCE * largest {
            break;
        }
    }
    let shift: f64 = columns
        .iter()
        .zip(&weights)
        .map(|(column, weight)| mean(column) * weight)
        .sum();
    (weights, target_mean - shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_features_have_a_closed_form() {
        // Centred features of mean square 1: each coefficient is the product with the target, moved
        // towards 0 by the penalty.
        let columns: [&[f64]; 3] = [&[1.0, 1.0, -1.0, -1.0], &[1.0, -1.0, 1.0, -1.0], &[5.0; 4]];
        let targets = [3.25, 2.75, 0.25, -0.25];
        let (weights, intercept) = lasso(&columns, &targets, 0.5);
        assert_eq!(weights, [1.0, 0.0, 0.0]);
        assert!((intercept - 1.5).abs() < 1e-15);
    }

    #[test]
    fn without_penalty_it_is_least_squares() {
        let (a, b): (Vec<f64>, Vec<f64>) = (0..20)
            .map(|item| ((item * 7 % 20) as f64, (item * item % 13) as f64))
            .unzip();
        let targets: Vec<f64> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| 2.0 * a - 3.0 * b + 1.0)
            .collect();
        let (weights, intercept) = lasso(&[&a, &b], &targets, 0.0);
        for (found, expected) in [(weights[0], 2.0), (weights[1], -3.0), (intercept, 1.0)] {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}
