//! Standard errors of scores.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_deviation_divided_by_the_root_of_the_count() {
        // Unbiased variance 1 of 1, 2, 3.
        assert!((standard_error_of_mean(&[1.0, 2.0, 3.0]) - (1.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(standard_error_of_mean(&[2.0]), 0.0);
    }
}
