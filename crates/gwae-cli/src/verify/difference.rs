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
    /// Where: a step or a parameter name, or what made the comparison impossible. Empty without
    /// any comparison.
    pub at: String,
    /// The two numbers there; none where there was no pair to compare.
    pub pair: Option<Pair>,
    /// How many pairs were compared.
    pub compared: usize,
}

/// A number and its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// What was computed here.
    pub actual: f64,
    /// The reference.
    pub expected: f64,
}

impl LargestDifference {
    /// Takes one more pair in.
    pub fn compare(&mut self, at: impl Into<String>, actual: f64, expected: f64) {
        self.compared += 1;
        let value = relative_difference(actual, expected);
        if value > self.value || self.at.is_empty() {
            self.value = value;
            self.at = at.into();
            self.pair = Some(Pair { actual, expected });
        }
    }

    /// Takes two equally long series in; with other lengths they never agree.
    pub fn compare_all(&mut self, at: &str, actual: &[f64], expected: &[f64]) {
        if actual.len() != expected.len() {
            let (found, wanted) = (actual.len(), expected.len());
            return self.impossible(format!("{at}: {found} values instead of {wanted}"));
        }
        for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
            self.compare(format!("{at}[{index}]"), *a, *e);
        }
    }

    /// Notes that something could not be compared at all.
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
