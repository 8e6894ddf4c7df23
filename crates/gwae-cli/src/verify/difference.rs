//! How far a number is from its reference.

/// References closer to zero than this are compared absolutely, in units of it.
const FLOOR: f64 = 1e-3;

/// `|actual − expected| / max(|expected|, 1e-3)`; infinite where `actual` is not a number.
pub fn relative_difference(actual: f64, expected: f64) -> f64 {
    let difference = (actual - expected).abs() / expected.abs().max(FLOOR);
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}

/// The largest [`relative_difference`] of a series, with where it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LargestDifference {
    /// The difference.
    pub value: f64,
    /// Where: a step or a parameter name. Empty without any comparison.
    pub at: String,
}

impl LargestDifference {
    /// Takes one more pair in.
    pub fn compare(&mut self, at: impl Into<String>, actual: f64, expected: f64) {
        let value = relative_difference(actual, expected);
        if value > self.value || self.at.is_empty() {
            *self = Self {
                value,
                at: at.into(),
            };
        }
    }

    /// Takes two equally long series in.
    pub fn compare_all(&mut self, at: &str, actual: &[f64], expected: &[f64]) {
        if actual.len() != expected.len() {
            let at = format!("{at}: {} values for {}", actual.len(), expected.len());
            *self = Self {
                value: f64::INFINITY,
                at,
            };
            return;
        }
        for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
            self.compare(format!("{at}[{index}]"), *a, *e);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_references_are_compared_absolutely() {
        assert_eq!(relative_difference(2.2, 2.0), 0.10000000000000009);
        assert!((relative_difference(1e-4, 0.0) - 0.1).abs() < 1e-12);
        assert_eq!(relative_difference(f64::NAN, 1.0), f64::INFINITY);
    }

    #[test]
    fn series_of_other_lengths_never_agree() {
        let mut largest = LargestDifference::default();
        largest.compare_all("mean", &[1.0], &[1.0, 2.0]);
        assert_eq!(largest.value, f64::INFINITY);
    }
}
