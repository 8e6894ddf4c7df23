//! Which values of a score indicate out-of-distribution items.

use serde::{Deserialize, Serialize};

use crate::error::MetricError;

/// Which values of a score indicate out-of-distribution items.
///
/// The metrics of [`detection`](crate::detection) need scores that are [`HigherIsOutside`]. A score
/// with the opposite direction, such as a log density, must be negated where it is computed.
///
/// [`HigherIsOutside`]: Self::HigherIsOutside
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreDirection {
    /// Higher means further from the training data: a reconstruction error, a negative
    /// log-likelihood.
    HigherIsOutside,
    /// Both unusually high and unusually low values are outside: a critic's potential, for example.
    /// It is trained only between two distributions, so its sign far from both is arbitrary.
    /// [`distance_from_median`] makes such a score one-sided.
    TwoSided,
}

/// Turns a two-sided score into a one-sided one, [`ScoreDirection::HigherIsOutside`]:
/// `|score − median(reference)|` for every score.
///
/// `reference` has scores of known items only, such as those of the training data. The median of an
/// even number of references is the mean of the middle two. An infinite score has an infinite
/// distance.
///
/// # Errors
/// [`MetricError::Empty`] for no reference (an empty list of scores is allowed),
/// [`MetricError::NotANumber`], and [`MetricError::NotFinite`] for an infinite median, with the
/// place of an infinite reference.
pub fn distance_from_median(scores: &[f64], reference: &[f64]) -> Result<Vec<f64>, MetricError> {
    for (field, values) in [("scores", scores), ("reference", reference)] {
        if let Some(index) = values.iter().position(|value| value.is_nan()) {
            return Err(MetricError::NotANumber { field, index });
        }
    }
    if reference.is_empty() {
        return Err(MetricError::Empty { field: "reference" });
    }
    let median = median(reference);
    if !median.is_finite() {
        let index = reference.iter().position(|value| !value.is_finite());
        return Err(MetricError::NotFinite {
            field: "reference",
            index: index.unwrap_or(0),
        });
    }
    Ok(scores.iter().map(|score| (score - median).abs()).collect())
}

/// The median of non-empty values without NaN.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    let odd = !values.len().is_multiple_of(2);
    let (lower, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    match lower.iter().copied().max_by(f64::total_cmp) {
        // Halved before the addition, which then cannot overflow.
        Some(below) if !odd => below / 2.0 + upper / 2.0,
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directions_are_written_in_snake_case() {
        let json =
            serde_json::to_string(&[ScoreDirection::HigherIsOutside, ScoreDirection::TwoSided]);
        assert_eq!(json.unwrap(), r#"["higher_is_outside","two_sided"]"#);
    }

    #[test]
    fn distances_have_closed_forms() {
        let distances = distance_from_median(&[0.0, 5.0, f64::INFINITY], &[3.0, 1.0, 2.0]);
        assert_eq!(distances.unwrap(), [2.0, 3.0, f64::INFINITY]);
        // Even number: the mean of 2 and 4. One infinite reference of four does not matter.
        let reference = [4.0, f64::INFINITY, 2.0, 0.0];
        assert_eq!(distance_from_median(&[1.0], &reference).unwrap(), [2.0]);
        assert_eq!(
            distance_from_median(&[0.0], &[f64::MAX, f64::MAX]).unwrap(),
            [f64::MAX]
        );
        assert!(distance_from_median(&[], &[1.0]).unwrap().is_empty());
    }

    #[test]
    fn what_has_no_median_is_refused() {
        let empty = MetricError::Empty { field: "reference" };
        assert_eq!(distance_from_median(&[1.0], &[]), Err(empty));
        let (field, index) = ("scores", 1);
        assert_eq!(
            distance_from_median(&[1.0, f64::NAN], &[1.0]),
            Err(MetricError::NotANumber { field, index })
        );
        let (field, index) = ("reference", 0);
        assert_eq!(
            distance_from_median(&[1.0], &[f64::NAN]),
            Err(MetricError::NotANumber { field, index })
        );
        for reference in [
            vec![f64::INFINITY],
            vec![f64::NEG_INFINITY, f64::INFINITY],
            vec![f64::INFINITY, 1.0],
        ] {
            assert_eq!(
                distance_from_median(&[1.0], &reference),
                Err(MetricError::NotFinite { field, index })
            );
        }
    }

    proptest! {
        #[test]
        fn the_median_is_that_of_sorted_values(
            values in proptest::collection::vec(-10.0..10.0f64, 1..30),
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let n = sorted.len();
            let expected = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
            prop_assert!((median(&values) - expected).abs() < 1e-12);
        }
    }
}
