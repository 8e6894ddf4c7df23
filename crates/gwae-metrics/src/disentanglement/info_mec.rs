//! Modularity, explicitness and compactness from information.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::labelled_codes::LabelledCodes;
use super::learners::logistic_regression::{LogisticRegression, LogisticSettings};
use super::learners::standardised::Standardised;
use super::nearest_neighbours::SortedCode;
use super::standard_error::standard_error_of_mean;

/// Neighbours of the estimate of mutual information.
const NEIGHBOURS: usize = 10;
/// A code is active if its range exceeds the largest range divided by this number.
const ACTIVE_SHARE: f64 = 20.0;

/// The scores of [`info_mec`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InfoMec {
    /// Whether each active code tells about one factor only, in `[0, 1]`.
    pub modularity: f64,
    /// How well a linear classifier finds the factors in the codes; at most 1, and 0 for codes that
    /// tell nothing.
    pub explicitness: f64,
    /// The standard error of the explicitness over items, for the given classifiers.
    pub explicitness_error: f64,
    /// Whether each factor is told by one active code only, in `[0, 1]`.
    pub compactness: f64,
    /// Mutual information divided by the factor's entropy, `[dimensions][factors]`.
    pub mutual_information: Vec<Vec<f64>>,
    /// Whether each code is active.
    pub active: Vec<bool>,
}

/// InfoMEC (Hsu et al. 2023, appendix; protocol `infomec`).
///
/// - The mutual information of a code and a factor is Ross's estimate with 10 neighbours, of
///   standardised codes, divided by the factor's entropy.
/// - A code is active if its range exceeds a twentieth of the largest range.
/// - InfoM: the mean over active codes of the largest share of a factor in a code's information,
///   rescaled from `[1/factors, 1]` to `[0, 1]`.
/// - InfoC: the mean over factors of the largest share of an active code in the information about
///   the factor, rescaled from `[1/active, 1]` to `[0, 1]`.
/// - InfoE: the mean over factors of `1 − H(y | z)/ln classes`, where `H(y | z)` is the mean log loss of
///   a logistic regression of all standardised codes without penalty, with balanced classes and at most
///   100 iterations, on the items that it is fitted to.
///
/// A code or factor without any information counts as spread evenly: 0. If a single code is active, or
/// there is a single factor, nothing can be spread: InfoC, or InfoM, is then the share of factors, or
/// codes, with any information. Without an active code, all three are 0.
///
/// The seed decides the noise of 10⁻¹⁰ that separates equal codes.
pub fn info_mec(labelled: &LabelledCodes, seed: u64) -> InfoMec {
    let information = normalised_information(labelled, seed);
    let active = active_codes(labelled);
    let (modularity, compactness) = shares(&information, &active);
    let (explicitness, explicitness_error) = explicitness(labelled);
    InfoMec {
        modularity,
        explicitness,
        explicitness_error,
        compactness,
        mutual_information: information,
        active,
    }
}

/// InfoM and InfoC alone, which take much less time than InfoE.
pub(super) fn modularity_and_compactness(labelled: &LabelledCodes, seed: u64) -> (f64, f64) {
    shares(
        &normalised_information(labelled, seed),
        &active_codes(labelled),
    )
}

/// InfoM and InfoC. `information`: `[dimensions][factors]`.
fn shares(information: &[Vec<f64>], active: &[bool]) -> (f64, f64) {
    let rows: Vec<&Vec<f64>> = information
        .iter()
        .zip(active)
        .filter_map(|(row, active)| active.then_some(row))
        .collect();
    let columns: Vec<Vec<f64>> = (0..information[0].len())
        .map(|factor| rows.iter().map(|row| row[factor]).collect())
        .collect();
    (
        largest_share(rows.iter().map(|row| &row[..])),
        largest_share(columns.iter().map(|column| &column[..])),
    )
}

/// Mutual information by neighbours, divided by the factor's entropy; `[dimensions][factors]`.
fn normalised_information(labelled: &LabelledCodes, seed: u64) -> Vec<Vec<f64>> {
    let entropies: Vec<f64> = labelled.factors().iter().map(|f| f.entropy()).collect();
    let codes = labelled.codes().par_iter().enumerate();
    codes
        .map(|(place, code)| {
            let sorted = SortedCode::new(code, seed, place as u64);
            let factors = labelled.factors().iter().zip(&entropies);
            factors
                .map(|(factor, entropy)| sorted.mutual_information(factor, NEIGHBOURS) / entropy)
                .collect()
        })
        .collect()
}

/// Whether the range of each code exceeds a twentieth of the largest range.
fn active_codes(labelled: &LabelledCodes) -> Vec<bool> {
    let range = |code: &Vec<f64>| {
        let largest = code.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let smallest = code.iter().copied().fold(f64::INFINITY, f64::min);
        // Halves, because the difference of huge values overflows.
        largest / 2.0 - smallest / 2.0
    };
    let ranges: Vec<f64> = labelled.codes().iter().map(range).collect();
    let least = ranges.iter().copied().fold(0.0, f64::max) / ACTIVE_SHARE;
    ranges.iter().map(|&range| range > least).collect()
}

/// The mean of each row's largest share, rescaled so that an even row gives 0.
fn largest_share<'a>(rows: impl ExactSizeIterator<Item = &'a [f64]>) -> f64 {
    let count = rows.len() as f64;
    let sum: f64 = rows
        .map(|row| {
            let sum: f64 = row.iter().sum();
            if sum <= 0.0 {
                return 0.0;
            }
            if row.len() == 1 {
                return 1.0;
            }
            let even = 1.0 / row.len() as f64;
            let largest = row.iter().copied().fold(0.0, f64::max);
            (largest / sum - even) / (1.0 - even)
        })
        .sum();
    if count > 0.0 { sum / count } else { 0.0 }
}

/// InfoE and its standard error over items.
pub(super) fn explicitness(labelled: &LabelledCodes) -> (f64, f64) {
    let columns: Vec<&[f64]> = labelled.codes().iter().map(|code| &code[..]).collect();
    let rows = Standardised::new(&columns).rows(&columns);
    let settings = LogisticSettings {
        penalty: 0.0,
        balanced: true,
    };
    let mut of_items = vec![0.0; labelled.items()];
    for factor in labelled.factors() {
        let model = LogisticRegression::fit(
            &rows,
            labelled.dimensions(),
            &factor.classes,
            factor.class_count,
            settings,
        );
        // The log loss of a classifier without codes: balanced classes are equally probable.
        let null = (factor.class_count as f64).ln();
        let losses = model.log_losses(&rows, &factor.classes);
        for (item, loss) in of_items.iter_mut().zip(losses) {
            *item += (1.0 - loss / null) / labelled.factor_count() as f64;
        }
    }
    let mean = of_items.iter().sum::<f64>() / of_items.len() as f64;
    (mean, standard_error_of_mean(&of_items))
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::combinations;
    use super::*;

    /// 25 copies of every combination of two factors of five values, more than there are neighbours.
    fn repeated(code: impl Fn(&[f64]) -> Vec<f64>) -> LabelledCodes {
        let labelled = combinations(4, 5, code);
        labelled.without_factor(3).without_factor(2)
    }

    #[track_caller]
    fn assert_scores(code: impl Fn(&[f64]) -> Vec<f64>, modularity: f64, compactness: f64) {
        let found = info_mec(&repeated(code), 0);
        assert!((found.modularity - modularity).abs() < 0.05, "{found:?}");
        assert!((found.compactness - compactness).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn ideal_duplicated_and_mixed_codes_have_closed_forms() {
        assert_scores(|row| row[..2].to_vec(), 1.0, 1.0);
        assert_scores(|row| vec![-row[1], 2.0 * row[0]], 1.0, 1.0);
        // Two copies share a factor's information evenly: (1/2 − 1/3)/(1 − 1/3).
        assert_scores(|row| vec![row[0], row[0], row[1]], 1.0, (0.25 + 1.0) / 2.0);
        // One code for both factors.
        assert_scores(|row| vec![5.0 * row[0] + row[1]], 0.0, 1.0);
    }

    #[test]
    fn codes_of_small_range_are_left_out() {
        let found = info_mec(&repeated(|row| vec![row[0], row[1], 0.04 * row[0]]), 0);
        assert_eq!(found.active, [true, true, false]);
        assert!((found.compactness - 1.0).abs() < 0.05);
    }

    #[test]
    fn dead_codes_score_zero() {
        let found = info_mec(&repeated(|_| vec![1.0, 2.0]), 0);
        assert_eq!(found.active, [false, false]);
        assert_eq!((found.modularity, found.compactness), (0.0, 0.0));
        assert!(found.explicitness.abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_linear_classifier_needs_the_factor_itself() {
        // The order of the five values is separable; a code that folds them is not.
        let ideal = info_mec(&repeated(|row| row[..2].to_vec()), 0).explicitness;
        let folded = info_mec(&repeated(|row| vec![row[0], (row[1] - 2.0).abs()]), 0).explicitness;
        assert!(ideal > 0.9 && ideal <= 1.0, "{ideal}");
        assert!(folded < ideal - 0.1, "{folded} {ideal}");
    }
}
