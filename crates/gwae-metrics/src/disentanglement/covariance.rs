//! Covariances of codes.

/// Unbiased covariances of columns divided by the square of the largest absolute value, which is
/// given too; row-major. So huge and tiny codes are safe.
pub(super) fn scaled_covariance(codes: &[&[f64]]) -> (Vec<f64>, f64) {
    let values = codes.iter().copied().flatten();
    let largest = values.fold(0.0f64, |most, value| most.max(value.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let centred: Vec<Vec<f64>> = codes.iter().map(|code| centred(code, unit)).collect();
    let divisor = (codes[0].len() as f64 - 1.0).max(1.0);
    let mut covariance = Vec::with_capacity(codes.len() * codes.len());
    for a in &centred {
        for b in &centred {
            let sum: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            covariance.push(sum / divisor);
        }
    }
    (covariance, unit)
}

/// Values divided by `unit`, minus their mean. Equal values give 0.
fn centred(values: &[f64], unit: f64) -> Vec<f64> {
    if values.iter().all(|&value| value == values[0]) {
        return vec![0.0; values.len()];
    }
    let mean = values.iter().map(|value| value / unit).sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value / unit - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariances_are_those_of_the_scaled_values() {
        let (found, unit) = scaled_covariance(&[&[2.0, 4.0, 0.0], &[1.0, -1.0, 3.0]]);
        assert_eq!(unit, 4.0);
        // Covariances 4, −4, 4 of the values themselves.
        let expected = [4.0, -4.0, -4.0, 4.0].map(|value| value / 16.0);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(scaled_covariance(&[&[0.1; 3]]).0, [0.0]);
    }
}
