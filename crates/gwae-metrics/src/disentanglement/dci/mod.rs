//! Disentanglement, completeness and informativeness (Eastwood & Williams 2018).

mod gradient_boosting;
mod lasso;
mod random_forest_classification;
mod random_forest_regression;

pub use gradient_boosting::dci_gradient_boosting;
pub use lasso::dci_lasso;
pub use random_forest_classification::dci_random_forest_classification;
pub use random_forest_regression::dci_random_forest_regression;

use serde::{Deserialize, Serialize};

use super::standard_error::standard_error_of_mean;

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
    /// The standard error of the informativeness over held-out items, for the given predictors.
    pub informativeness_error: f64,
    /// `[dimensions][factors]`.
    pub importance: Vec<Vec<f64>>,
}

impl Dci {
    /// `importance`: `[factors][dimensions]`, not negative. `informativeness`: its value and standard
    /// error.
    ///
    /// If nothing has importance, disentanglement and completeness are 0. With one factor or one
    /// code nothing can be spread: the measure is 1, or 0 without importance.
    fn new(of_factors: &[Vec<f64>], informativeness: (f64, f64)) -> Self {
        let importance = transposed(of_factors);
        Self {
            disentanglement: concentration(&importance),
            completeness: concentration(of_factors),
            informativeness: informativeness.0,
            informativeness_error: informativeness.1,
            importance,
        }
    }

    /// With completeness averaged over factors with equal weights. A factor for which no code has
    /// importance counts as 0.
    fn with_equal_factors(of_factors: &[Vec<f64>], informativeness: (f64, f64)) -> Self {
        let each = of_factors
            .iter()
            .map(|row| concentration(std::slice::from_ref(row)));
        Self {
            completeness: each.sum::<f64>() / of_factors.len() as f64,
            ..Self::new(of_factors, informativeness)
        }
    }
}

fn transposed(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let places = 0..rows[0].len();
    places
        .map(|place| rows.iter().map(|row| row[place]).collect())
        .collect()
}

/// The mean of values of held-out items, and its standard error. `of_factors`: `[factors][items]`.
fn mean_over_items(of_factors: &[Vec<f64>]) -> (f64, f64) {
    let factors = of_factors.len() as f64;
    let items: Vec<f64> = transposed(of_factors)
        .iter()
        .map(|item| item.iter().sum::<f64>() / factors)
        .collect();
    let mean = items.iter().sum::<f64>() / items.len() as f64;
    (mean, standard_error_of_mean(&items))
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
pub(super) mod tests {
    use super::*;
    use crate::disentanglement::LabelledCodes;
    use crate::random::{below, generator};

    /// `items` items with factors of 4 and 3 values, and codes made of them.
    pub(in crate::disentanglement) fn drawn(
        items: usize,
        code: impl Fn(f64, f64) -> Vec<f64>,
    ) -> LabelledCodes {
        let mut generator = generator(1, 0);
        let (mut codes, mut factors) = (Vec::new(), Vec::new());
        for _ in 0..items {
            let first = below(&mut generator, 4) as f64;
            let second = below(&mut generator, 3) as f64;
            codes.extend(code(first, second));
            factors.extend([first, second]);
        }
        LabelledCodes::new(&codes, codes.len() / items, &factors, 2).unwrap()
    }

    /// Two codes, each mostly of one factor.
    pub(super) fn noisy(a: f64, b: f64) -> [f64; 2] {
        [a + 0.4 * (5.0 * b).sin(), b + 0.3 * (3.0 * a).cos()]
    }

    #[track_caller]
    fn assert_scores(importance: &[&[f64]], disentanglement: f64, completeness: f64) {
        let rows: Vec<Vec<f64>> = importance.iter().map(|row| row.to_vec()).collect();
        let found = Dci::new(&transposed(&rows), (1.0, 0.0));
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
    fn factors_weigh_equally_or_by_their_importance() {
        // The first factor, of importance 3, needs one code; the second, of importance 1, two.
        let rows = [vec![3.0, 0.0], vec![0.5, 0.5], vec![0.0, 0.0]];
        let weighted = Dci::new(&rows, (1.0, 0.0)).completeness;
        assert!((weighted - 0.75).abs() < 1e-8, "{weighted}");
        let equal = Dci::with_equal_factors(&rows, (1.0, 0.0)).completeness;
        assert!((equal - 1.0 / 3.0).abs() < 1e-8, "{equal}");
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
