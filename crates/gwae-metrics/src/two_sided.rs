//! A score that is suspicious on both sides.

use crate::MetricError;

/// `|score − median(reference)|` of every score: how far it lies from what is usual, in either
/// direction.
///
/// With a score whose direction is not known beforehand (a model may find unknown items *more*
/// likely than known ones), this needs the scores of known items alone, such as those of the
/// training data, to say what is usual. The median of an even number of references is the mean of
/// the middle two. An infinite score is infinitely far.
///
/// # Errors
/// [`MetricError::Empty`] for no reference (no scores are no error),
/// [`MetricError::NotANumber`], and [`MetricError::NotFinite`] where the median itself is
/// infinite, with the place of an infinite reference.
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

/// Of non-empty values without NaN.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    let odd = !values.len().is_multiple_of(2);
    let (lower, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    match lower.iter().copied().max_by(f64::total_cmp) {
        // Halved before they are added, which cannot overflow.
        Some(below) if !odd => below / 2.0 + upper / 2.0,
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distances_have_closed_forms() {
        let distances = distance_from_median(&[0.0, 5.0, f64::INFINITY], &[3.0, 1.0, 2.0]);
        assert_eq!(distances.unwrap(), [2.0, 3.0, f64::INFINITY]);
        // Even number: halfway between 2 and 4. One infinite reference of four does no harm.
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
