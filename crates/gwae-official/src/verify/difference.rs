//! The difference between a number and its reference.

/// For references closer to zero, the difference is absolute, in units of this value.
const FLOOR: f64 = 1e-3;

/// `|actual − expected| / max(|expected|, 1e-3)`; infinite if `actual` is NaN.
pub fn relative_difference(actual: f64, expected: f64) -> f64 {
    let difference = (actual - expected).abs() / expected.abs().max(FLOOR);
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}

/// The largest [`relative_difference`] of a series, and its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LargestDifference {
    /// The difference.
    pub value: f64,
    /// A step, a parameter name, or the reason why the comparison was impossible. Empty if nothing
    /// was compared.
    pub at: String,
    /// The two numbers at that place; `None` if no pair was compared.
    pub pair: Option<Pair>,
    /// Number of compared pairs.
    pub compared: usize,
}

/// A number and its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The number that this program computed.
    pub actual: f64,
    /// The reference.
    pub expected: f64,
}

impl LargestDifference {
    /// Adds a pair.
    pub fn compare(&mut self, at: impl Into<String>, actual: f64, expected: f64) {
        self.compared += 1;
        let value = relative_difference(actual, expected);
        if value > self.value || self.at.is_empty() {
            self.value = value;
            self.at = at.into();
            self.pair = Some(Pair { actual, expected });
        }
    }

    /// Adds the pairs of two lists. Lists of different lengths never agree.
    pub fn compare_all(&mut self, at: &str, actual: &[f64], expected: &[f64]) {
        if actual.len() != expected.len() {
            let (found, wanted) = (actual.len(), expected.len());
            return self.impossible(format!("{at}: {found} values instead of {wanted}"));
        }
        for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
            self.compare(format!("{at}[{index}]"), *a, *e);
        }
    }

    /// Records that something could not be compared.
    pub fn impossible(&mut self, why: impl Into<String>) {
        self.value = f64::INFINITY;
        self.at = why.into();
        self.pair = None;
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
    fn the_largest_is_kept_with_its_place() {
        let mut largest = LargestDifference::default();
        largest.compare_all("mean", &[1.0, 2.5, 3.0], &[1.0, 2.0, 3.0]);
        assert_eq!((largest.value, largest.at.as_str()), (0.25, "mean[1]"));
        let pair = largest.pair.unwrap();
        assert_eq!((pair.actual, pair.expected), (2.5, 2.0));
        assert_eq!(largest.compared, 3);
    }

    #[test]
    fn series_of_other_lengths_never_agree() {
        let mut largest = LargestDifference::default();
        largest.compare_all("mean", &[1.0], &[1.0, 2.0]);
        largest.compare("mean", 1.0, 1.0);
        assert_eq!(largest.value, f64::INFINITY);
        assert!(largest.at.contains("1 values instead of 2"));
    }
}
