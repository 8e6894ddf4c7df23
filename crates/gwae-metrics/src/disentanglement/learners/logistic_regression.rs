//! Logistic regression for two or more classes.

use rayon::prelude::*;

use super::quasi_newton::minimise;

/// Largest part of the gradient at the end, scikit-learn's default.
const TOLERANCE: f64 = 1e-4;
/// Largest number of iterations, scikit-learn's default.
const ITERATIONS: usize = 100;
/// Items whose loss is summed by one thread; sums do not depend on the number of threads.
const CHUNK: usize = 512;

/// How to fit.
#[derive(Clone, Copy)]
pub(in crate::disentanglement) struct LogisticSettings {
    /// Weight of the squared coefficients, divided by two, beside the summed loss of the items:
    /// `1/C` of scikit-learn, 0 for no penalty. Intercepts are not penalised.
    pub penalty: f64,
    /// Whether all classes weigh the same together, however many items they have.
    pub balanced: bool,
}

/// A classifier as scikit-learn's `LogisticRegression` with the solver `lbfgs` and its defaults of
/// tolerance and iterations. Two classes have one logit, more have one each.
pub(in crate::disentanglement) struct LogisticRegression {
    /// `[outputs][features + 1]`; the last is the intercept.
    weights: Vec<f64>,
    features: usize,
    outputs: usize,
}

impl LogisticRegression {
    /// `rows`: row-major `[items, features]`. `classes`: `0..class_count`, each of which occurs; at
    /// least two.
    pub fn fit(
        rows: &[f64],
        features: usize,
        classes: &[usize],
        class_count: usize,
        settings: LogisticSettings,
    ) -> Self {
        let outputs = if class_count == 2 { 1 } else { class_count };
        let class_weights = class_weights(classes, class_count, settings.balanced);
        let total: f64 = classes.iter().map(|&class| class_weights[class]).sum();
        let penalty = settings.penalty / total;
        let width = features + 1;
        let evaluate = |weights: &[f64], gradient: &mut [f64]| {
            let parts: Vec<(f64, Vec<f64>)> = rows
                .par_chunks(CHUNK * features)
                .zip(classes.par_chunks(CHUNK))
                .map(|(rows, classes)| {
                    let mut part = vec![0.0; weights.len()];
                    let mut logits = vec![0.0; outputs];
                    let mut loss = 0.0;
                    for (row, &class) in rows.chunks_exact(features).zip(classes) {
                        let weight = class_weights[class] / total;
                        set_logits(weights, row, &mut logits);
                        loss += weight * log_loss_and_slope(&mut logits, class);
                        for (slope, part) in logits.iter().zip(part.chunks_exact_mut(width)) {
                            let slope = weight * slope;
                            for (part, feature) in part.iter_mut().zip(row) {
                                *part += slope * feature;
                            }
                            part[features] += slope;
                        }
                    }
                    (loss, part)
                })
                .collect();
            gradient.fill(0.0);
            let mut value = 0.0;
            for (loss, part) in parts {
                value += loss;
                for (sum, part) in gradient.iter_mut().zip(part) {
                    *sum += part;
                }
            }
            for (place, (weight, slope)) in weights.iter().zip(gradient).enumerate() {
                if place % width != features {
                    value += penalty / 2.0 * weight * weight;
                    *slope += penalty * weight;
                }
            }
            value
        };
        let start = vec![0.0; outputs * width];
        Self {
            weights: minimise(start, TOLERANCE, ITERATIONS, evaluate),
            features,
            outputs,
        }
    }

    /// The probability of each class for one item.
    pub fn probabilities(&self, row: &[f64]) -> Vec<f64> {
        let mut logits = vec![0.0; self.outputs];
        set_logits(&self.weights, row, &mut logits);
        if let [logit] = logits[..] {
            return vec![1.0 / (1.0 + logit.exp()), 1.0 / (1.0 + (-logit).exp())];
        }
        let sum = log_sum(&logits);
        logits.iter().map(|logit| (logit - sum).exp()).collect()
    }

    /// The most probable class of one item.
    pub fn predict(&self, row: &[f64]) -> usize {
        let probabilities = self.probabilities(row);
        let mut best = 0;
        for (class, &probability) in probabilities.iter().enumerate() {
            if probability > probabilities[best] {
                best = class;
            }
        }
        best
    }

    /// Minus the logarithm of the probability of each item's class.
    pub fn log_losses(&self, rows: &[f64], classes: &[usize]) -> Vec<f64> {
        rows.par_chunks_exact(self.features)
            .zip(classes)
            .map(|(row, &class)| {
                let mut logits = vec![0.0; self.outputs];
                set_logits(&self.weights, row, &mut logits);
                log_loss_and_slope(&mut logits, class)
            })
            .collect()
    }
}

/// The weight of an item of each class.
fn class_weights(classes: &[usize], class_count: usize, balanced: bool) -> Vec<f64> {
    if !balanced {
        return vec![1.0; class_count];
    }
    let mut counts = vec![0.0; class_count];
    classes.iter().for_each(|&class| counts[class] += 1.0);
    let share = classes.len() as f64 / class_count as f64;
    counts.iter().map(|count| share / count).collect()
}

fn set_logits(weights: &[f64], row: &[f64], logits: &mut [f64]) {
    for (logit, weights) in logits.iter_mut().zip(weights.chunks_exact(row.len() + 1)) {
        let products = weights
            .iter()
            .zip(row)
            .map(|(weight, value)| weight * value);
        *logit = weights[row.len()] + products.sum::<f64>();
    }
}

/// Minus the logarithm of the class's probability. Logits become the slopes of it.
fn log_loss_and_slope(logits: &mut [f64], class: usize) -> f64 {
    if let [logit] = logits {
        let signed = if class == 1 { *logit } else { -*logit };
        let loss = if signed > 0.0 {
            (-signed).exp().ln_1p()
        } else {
            signed.exp().ln_1p() - signed
        };
        *logit = 1.0 / (1.0 + (-*logit).exp()) - f64::from(u8::from(class == 1));
        return loss;
    }
    let sum = log_sum(logits);
    let loss = sum - logits[class];
    for logit in logits.iter_mut() {
        *logit = (*logit - sum).exp();
    }
    logits[class] -= 1.0;
    loss
}

/// The logarithm of the sum of the exponentials.
fn log_sum(logits: &[f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: LogisticSettings = LogisticSettings {
        penalty: 0.0,
        balanced: false,
    };

    #[test]
    fn a_constant_feature_gives_the_shares_of_the_classes() {
        for (classes, shares) in [
            (vec![0, 1, 1, 1], vec![0.25, 0.75]),
            (vec![0, 1, 1, 2, 2], vec![0.2, 0.4, 0.4]),
        ] {
            let model = LogisticRegression::fit(
                &vec![0.0; classes.len()],
                1,
                &classes,
                shares.len(),
                PLAIN,
            );
            for (found, share) in model.probabilities(&[0.0]).iter().zip(&shares) {
                assert!((found - share).abs() < 1e-3, "{found} {share}");
            }
            let balanced = LogisticSettings {
                balanced: true,
                ..PLAIN
            };
            let rows = vec![0.0; classes.len()];
            let model = LogisticRegression::fit(&rows, 1, &classes, shares.len(), balanced);
            let loss = model.log_losses(&rows, &classes)[0];
            assert!((loss - (shares.len() as f64).ln()).abs() < 1e-12);
        }
    }

    #[test]
    fn separable_classes_are_told_apart() {
        let rows = [-2.0, -1.0, 0.0, 0.1, 1.0, 2.0];
        let classes = [0, 0, 1, 1, 2, 2];
        let model = LogisticRegression::fit(&rows, 1, &classes, 3, PLAIN);
        for (row, class) in rows.chunks(1).zip(classes) {
            assert_eq!(model.predict(row), class);
        }
        let losses = model.log_losses(&rows, &classes);
        assert!(losses.iter().sum::<f64>() / 6.0 < 0.1, "{losses:?}");
    }

    #[test]
    fn the_penalty_has_the_slope_of_the_loss_at_the_end() {
        // Two symmetric items: the coefficient w solves w = 2 σ(−w), with C = 1.
        let settings = LogisticSettings {
            penalty: 1.0,
            balanced: false,
        };
        let model = LogisticRegression::fit(&[-1.0, 1.0], 1, &[0, 1], 2, settings);
        let weight = model.weights[0];
        assert!((weight - 2.0 / (1.0 + weight.exp())).abs() < 1e-3);
    }
}
