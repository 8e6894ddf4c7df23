//! Mean squared error.

use crate::error::MetricError;

/// Mean squared error `(1/n) Σ (xᵢ − yᵢ)²` over all values, summed in f64.
///
/// # Errors
/// [`MetricError::LengthMismatch`], [`MetricError::Empty`], and [`MetricError::NotFinite`] for
/// NaN or infinite values.
pub fn mean_squared_error(expected: &[f32], actual: &[f32]) -> Result<f64, MetricError> {
    check_comparable(expected, actual)?;
    Ok(mean_square(expected, actual))
}

/// Returns an error for inputs of different lengths, empty inputs, and values that are not finite.
pub(super) fn check_comparable(expected: &[f32], actual: &[f32]) -> Result<(), MetricError> {
    if expected.len() != actual.len() {
        return Err(MetricError::LengthMismatch {
            expected: expected.len(),
            actual: actual.len(),
        });
    }
    if expected.is_empty() {
        return Err(MetricError::Empty { field: "expected" });
    }
    for (field, values) in [("expected", expected), ("actual", actual)] {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(MetricError::NotFinite { field, index });
        }
    }
    Ok(())
}

pub(super) fn mean_square(expected: &[f32], actual: &[f32]) -> f64 {
    let sum: f64 = expected
        .iter()
        .zip(actual)
        .map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2))
        .sum();
    sum / expected.len() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_uniform_error_has_a_closed_form() {
        // A constant difference d gives the error d².
        assert_eq!(mean_squared_error(&[0.0; 12], &[0.5; 12]).unwrap(), 0.25);
        let error = mean_squared_error(&[0.0; 2], &[1.0, 0.0625]).unwrap();
        assert_eq!(error, (1.0 + 1.0 / 256.0) / 2.0);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let mismatch = MetricError::LengthMismatch {
            expected: 2,
            actual: 3,
        };
        assert_eq!(mean_squared_error(&[0.0; 2], &[0.0; 3]), Err(mismatch));
        let empty = MetricError::Empty { field: "expected" };
        assert_eq!(mean_squared_error(&[], &[]), Err(empty));
        for (expected, actual, field) in [
            ([f32::INFINITY], [0.0], "expected"),
            ([0.0], [f32::NAN], "actual"),
        ] {
            let index = 0;
            assert_eq!(
                mean_squared_error(&expected, &actual),
                Err(MetricError::NotFinite { field, index })
            );
        }
    }

    proptest! {
        #[test]
        fn symmetric_and_quadratic(
            pairs in proptest::collection::vec((0f32..=1.0, 0f32..=1.0), 1..50),
        ) {
            let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let error = mean_squared_error(&x, &y).unwrap();
            prop_assert_eq!(error, mean_squared_error(&y, &x).unwrap());
            // Doubling is exact in binary.
            let doubled = |values: &[f32]| values.iter().map(|v| 2.0 * v).collect::<Vec<_>>();
            let four = mean_squared_error(&doubled(&x), &doubled(&y)).unwrap();
            prop_assert!((four - 4.0 * error).abs() < 1e-12);
        }
    }
}
