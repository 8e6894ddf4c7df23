//! Standard errors of scores.

use super::division::shuffled;

/// The stream of the groups' draws.
const STREAM: u64 = u64::MAX - 1;

/// The standard error of the mean of independent values. 0 for a single value.
pub(super) fn standard_error_of_mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    if count < 2.0 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

/// Parts of the items that the jackknife leaves out, one at a time.
pub(super) const JACKKNIFE_GROUPS: usize = 10;

/// The group of each item, by chance: the order of the items may have a pattern.
pub(super) fn jackknife_groups(items: usize, seed: u64) -> Vec<usize> {
    let order = shuffled(items, seed, STREAM);
    order
        .into_iter()
        .map(|place| place % JACKKNIFE_GROUPS)
        .collect()
}

/// The standard error of a score from its values without each of several groups of items (Efron & Tibshirani
/// 1993, section 11.5): `√((g − 1)/g · Σ (θᵢ − θ̄)²)`.
pub(super) fn jackknife_error(without_group: Vec<f64>) -> f64 {
    let groups = without_group.len() as f64;
    standard_error_of_mean(&without_group) * (groups - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_deviation_divided_by_the_root_of_the_count() {
        // Unbiased variance 1 of 1, 2, 3.
        assert!((standard_error_of_mean(&[1.0, 2.0, 3.0]) - (1.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(standard_error_of_mean(&[2.0]), 0.0);
    }

    #[test]
    fn the_jackknife_of_a_mean_is_its_standard_error() {
        let values: [f64; 4] = [1.0, 5.0, 2.0, 7.0];
        let sum: f64 = values.iter().sum();
        let without = values.map(|value| (sum - value) / 3.0).to_vec();
        let expected = standard_error_of_mean(&values);
        assert!((jackknife_error(without) - expected).abs() < 1e-15);
    }
}
