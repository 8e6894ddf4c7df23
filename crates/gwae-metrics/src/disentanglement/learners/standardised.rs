//! Features with mean 0 and standard deviation 1.

/// Row-major features, each minus its mean and divided by its standard deviation.
#[derive(Clone, Debug)]
pub(in crate::disentanglement) struct Standardised {
    center: Vec<f64>,
    scale: Vec<f64>,
}

impl Standardised {
    /// Measures columns. The standard deviation is that of the given values, not of a larger
    /// population. A constant column keeps its scale, as in scikit-learn's `StandardScaler`.
    pub fn new(columns: &[&[f64]]) -> Self {
        let moments = columns.iter().map(|column| center_and_scale(column));
        let (center, scale) = moments.unzip();
        Self { center, scale }
    }

    /// The rows of columns, standardised; row-major.
    pub fn rows(&self, columns: &[&[f64]]) -> Vec<f64> {
        let items = columns[0].len();
        let mut rows = Vec::with_capacity(items * columns.len());
        for item in 0..items {
            for (feature, column) in columns.iter().enumerate() {
                rows.push((column[item] - self.center[feature]) / self.scale[feature]);
            }
        }
        rows
    }
}

/// The mean and the standard deviation, which is 1 if the values differ only by rounding.
pub(in crate::disentanglement) fn center_and_scale(values: &[f64]) -> (f64, f64) {
    // Values are divided by the largest one, so that squares of huge or tiny ones are finite.
    let largest = values
        .iter()
        .fold(0.0f64, |most, value| most.max(value.abs()));
    if largest == 0.0 {
        return (0.0, 1.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value / largest).sum::<f64>() / count;
    let square = |value: &f64| (value / largest - mean).powi(2);
    let variance = values.iter().map(square).sum::<f64>() / count;
    let rounding = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    let scale = if variance <= rounding {
        1.0
    } else {
        variance.sqrt() * largest
    };
    (mean * largest, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_have_mean_zero_and_deviation_one() {
        let columns: [&[f64]; 2] = [&[1.0, 3.0, 5.0, 7.0], &[0.1; 4]];
        let rows = Standardised::new(&columns).rows(&columns);
        // The variance of 1, 3, 5, 7 is 5.
        let step = 1.0 / 5f64.sqrt();
        for (item, place) in [-3.0, -1.0, 1.0, 3.0].into_iter().enumerate() {
            assert!((rows[2 * item] - place * step).abs() < 1e-15);
            assert!(rows[2 * item + 1].abs() < 1e-15);
        }
    }

    #[test]
    fn huge_and_tiny_values_have_a_scale() {
        for unit in [1e-200, 1.0, 1e200] {
            let (center, scale) = center_and_scale(&[unit, -unit]);
            assert_eq!((center, scale), (0.0, unit));
        }
        assert_eq!(center_and_scale(&[0.0; 3]), (0.0, 1.0));
    }
}
