//! Disentanglement, completeness and informativeness (Eastwood & Williams 2018).

mod gradient_boosting;

pub use gradient_boosting::dci_gradient_boosting;

use serde::{Deserialize, Serialize};

/// What is added to every importance before its entropy is taken, as in disentanglement_lib.
const SMALL: f64 = 1e-11;

/// How the importance of codes for factors is concentrated, and how well codes predict factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dci {
    /// Whether each code matters for one factor only, in `[0, 1]`: `1 − H` of the code's importance
    /// over factors, with the logarithm to the base of the number of factors; averaged over codes
    /// with their importance as weights. Codes without importance have no weight.
    pub disentanglement: f64,
    /// Whether each factor needs one code only, in `[0, 1]`: `1 − H` of the factor's importance over
    /// codes, averaged over factors with their importance as weights.
    pub completeness: f64,
    /// How well all codes together predict the factors of held-out items, averaged over factors.
    pub informativeness: f64,
    /// `[dimensions][factors]`.
    pub importance: Vec<Vec<f64>>,
}

impl Dci {
    /// `importance`: `[dimensions][factors]`, not negative.
    ///
    /// If nothing has importance, disentanglement and completeness are 0. With one factor or one
    /// code nothing can be spread: the measure is 1, or 0 without importance.
    pub(super) fn new(importance: Vec<Vec<f64>>, informativeness: f64) -> Self {
        let factors = importance[0].len();
        let columns: Vec<Vec<f64>> = (0..factors)
            .map(|factor| importance.iter().map(|row| row[factor]).collect())
            .collect();
        Self {
            disentanglement: concentration(&importance),
            completeness: concentration(&columns),
            informativeness,
            importance,
        }
    }
}

/// `1 − H` of each row, averaged with the rows' sums as weights.
fn concentration(rows: &[Vec<f64>]) -> f64 {
    let total: f64 = rows.iter().flatten().sum();
    if total == 0.0 {
        return 0.0;
    }
    let weighted = rows.iter().map(|row| {
        let sum: f64 = row.iter().sum();
        sum / total * (1.0 - relative_entropy(row))
    });
    weighted.sum()
}

/// Entropy of values divided by their sum, as a share of its largest possible value. 0 for a single
/// value.
fn relative_entropy(values: &[f64]) -> f64 {
    if values.len() == 1 {
        return 0.0;
    }
    let sum: f64 = values.iter().map(|value| value + SMALL).sum();
    let terms = values.iter().map(|value| {
        let share = (value + SMALL) / sum;
        -share * share.ln()
    });
    terms.sum::<f64>() / (values.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_scores(importance: &[&[f64]], disentanglement: f64, completeness: f64) {
        let rows = importance.iter().map(|row| row.to_vec()).collect();
        let found = Dci::new(rows, 1.0);
        assert!(
            (found.disentanglement - disentanglement).abs() < 1e-8,
            "{found:?}"
        );
        assert!(
            (found.completeness - completeness).abs() < 1e-8,
            "{found:?}"
        );
    }

    #[test]
    fn importance_matrices_have_closed_forms() {
        let half = 2f64.ln() / 3f64.ln();
        assert_scores(
            &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]],
            1.0,
            1.0,
        );
        // The order and scale of codes do not matter.
        assert_scores(
            &[&[0.0, 5.0, 0.0], &[0.0, 0.0, 5.0], &[5.0, 0.0, 0.0]],
            1.0,
            1.0,
        );
        // One code for two of three factors: weight 2/3 with 1 − ln 2/ln 3.
        assert_scores(
            &[&[1.0, 1.0, 0.0], &[0.0, 0.0, 1.0]],
            1.0 - 2.0 / 3.0 * half,
            1.0,
        );
        // Two equal codes for one of two factors, one for the other.
        assert_scores(
            &[&[0.5, 0.0], &[0.5, 0.0], &[0.0, 1.0]],
            1.0,
            1.0 - half / 2.0,
        );
        // A dead code has no weight, but completeness knows one more code.
        assert_scores(&[&[1.0, 0.0], &[0.0, 1.0], &[0.0, 0.0]], 1.0, 1.0);
        // Everything matters equally.
        assert_scores(&[&[1.0, 1.0], &[1.0, 1.0]], 0.0, 0.0);
    }

    #[test]
    fn single_and_dead_codes_are_defined() {
        assert_scores(&[&[0.0, 0.0]], 0.0, 0.0);
        assert_scores(&[&[1.0]], 1.0, 1.0);
        assert_scores(&[&[0.0]], 0.0, 0.0);
        assert_scores(&[&[1.0, 1.0]], 0.0, 1.0);
        // One code that matters for two of ten factors.
        let mut row = [0.0; 10];
        row[..2].fill(1.0);
        assert_scores(&[&row], 1.0 - 2f64.ln() / 10f64.ln(), 1.0);
    }
}
