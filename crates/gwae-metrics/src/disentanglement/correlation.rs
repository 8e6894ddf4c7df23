//! Correlations of two lists.

/// Pearson's correlation. 0 if a list is constant.
pub(super) fn pearson(first: &[f64], second: &[f64]) -> f64 {
    let count = first.len() as f64;
    let mean = |values: &[f64]| values.iter().map(|value| value / count).sum::<f64>();
    let constant = |values: &[f64]| values.iter().all(|&value| value == values[0]);
    if first.is_empty() || constant(first) || constant(second) {
        return 0.0;
    }
    let (first_mean, second_mean) = (mean(first), mean(second));
    let deviations = |values: &[f64], mean: f64| {
        let largest = values
            .iter()
            .fold(0.0f64, |most, value| most.max((value - mean).abs()));
        values
            .iter()
            .map(|value| (value - mean) / largest)
            .collect::<Vec<f64>>()
    };
    let (first, second) = (
        deviations(first, first_mean),
        deviations(second, second_mean),
    );
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = (product(&first, &first) * product(&second, &second)).sqrt();
    (product(&first, &second) / scale).clamp(-1.0, 1.0)
}

/// Spearman's rank correlation; equal values share the mean of their ranks. 0 if a list is constant.
pub(super) fn spearman(first: &[f64], second: &[f64]) -> f64 {
    pearson(&ranks(first), &ranks(second))
}

/// The rank of each value from 0; equal values share the mean of their ranks.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Adding 0 makes −0 equal to 0.
    order.sort_unstable_by(|&a, &b| (values[a] + 0.0).total_cmp(&(values[b] + 0.0)));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|&item| ranks[item] = rank);
        before += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_orders_have_correlation_one() {
        let first = [1.0, 2.0, 4.0, 8.0];
        let line = first.map(|value| 3.0 - 2.0 * value);
        assert!((pearson(&first, &line) + 1.0).abs() < 1e-15);
        let bent = first.map(f64::exp);
        assert!(pearson(&first, &bent) < 0.95);
        assert!((spearman(&first, &bent) - 1.0).abs() < 1e-15);
        assert_eq!(pearson(&first, &[7.0; 4]), 0.0);
        assert_eq!(spearman(&[], &[]), 0.0);
    }

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(
            ranks(&[5.0, 1.0, 5.0, 7.0, 0.0, -0.0]),
            [3.5, 2.0, 3.5, 5.0, 0.5, 0.5]
        );
    }
}
