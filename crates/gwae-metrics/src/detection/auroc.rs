//! Area under the ROC curve.

use super::ranking::RankedScores;
use crate::error::MetricError;

impl RankedScores {
    /// Area under the ROC curve: the probability that an out-of-distribution item scores higher
    /// than an in-distribution one, with equal scores counted half. It is the Mann-Whitney
    /// statistic `U / (n_in·n_out)`. Chance is 0.5; a value of 0 means that the negated score is
    /// perfect. The count is in integers, so the result is exact up to one rounding.
    pub fn auroc(&self) -> f64 {
        auroc_of_counts(self.counts(), self.count_in(), self.count_out())
    }
}

/// [`RankedScores::auroc`] of two score arrays.
///
/// # Errors
/// Those of [`RankedScores::new`].
pub fn auroc(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<f64, MetricError> {
    Ok(RankedScores::new(in_distribution, out_of_distribution)?.auroc())
}

/// AUROC from the number of (in-distribution, out-of-distribution) items at each distinct score,
/// highest first.
pub(super) fn auroc_of_counts(
    counts: impl Iterator<Item = (usize, usize)>,
    count_in: usize,
    count_out: usize,
) -> f64 {
    // Twice the number of pairs in which the out-of-distribution item scores higher.
    let mut twice = 0u128;
    let mut outside_above = 0u128;
    for (inside, outside) in counts {
        twice += inside as u128 * (2 * outside_above + outside as u128);
        outside_above += outside as u128;
    }
    twice as f64 / (2 * count_in as u128 * count_out as u128) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ranking::tests::{mapped, ranked, scores};
    use super::*;

    fn naive_auroc(inside: &[f64], outside: &[f64]) -> f64 {
        let mut sum = 0.0;
        for o in outside {
            for i in inside {
                sum += match o.partial_cmp(i).unwrap() {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        sum / (inside.len() * outside.len()) as f64
    }

    #[test]
    fn small_cases_have_closed_forms() {
        // Pairs (out, in): 4>1, 4>3, 2>1, 2<3: three of four.
        assert_eq!(auroc(&[1.0, 3.0], &[2.0, 4.0]).unwrap(), 0.75);
        // Perfect, perfectly wrong, and a constant score.
        assert_eq!(auroc(&[0.0, 1.0], &[2.0, 3.0, 4.0]).unwrap(), 1.0);
        assert_eq!(auroc(&[2.0, 3.0], &[0.0, 1.0]).unwrap(), 0.0);
        assert_eq!(auroc(&[7.0; 3], &[7.0]).unwrap(), 0.5);
    }

    #[test]
    fn infinite_scores_have_an_order_and_zeros_are_equal() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        assert_eq!(auroc(&[low, 0.0], &[high, -0.0]).unwrap(), 3.5 / 4.0);
        assert_eq!(auroc(&[high], &[high]).unwrap(), 0.5);
    }

    #[test]
    fn what_has_no_order_is_refused() {
        let field = "in_distribution";
        assert_eq!(auroc(&[], &[1.0]), Err(MetricError::Empty { field }));
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting(inside in scores(), outside in scores()) {
            let found = auroc(&inside, &outside).unwrap();
            prop_assert!((found - naive_auroc(&inside, &outside)).abs() < 1e-12);
        }

        /// Only the order of the scores matters. Negated scores give 1 minus the AUROC.
        #[test]
        fn invariant_under_monotone_maps(inside in scores(), outside in scores()) {
            let negated = |scores: &[f64]| scores.iter().map(|x| -x).collect::<Vec<_>>();
            let before = auroc(&inside, &outside).unwrap();
            prop_assert_eq!(before, auroc(&mapped(&inside), &mapped(&outside)).unwrap());
            let negated = ranked(&negated(&inside), &negated(&outside)).auroc();
            prop_assert!((before + negated - 1.0).abs() < 1e-15);
            prop_assert!((before + auroc(&outside, &inside).unwrap() - 1.0).abs() < 1e-15);
        }
    }
}
