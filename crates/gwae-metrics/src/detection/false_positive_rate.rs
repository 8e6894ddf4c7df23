//! False positive rate at a true positive rate, such as 95 %.

use super::ranking::RankedScores;
use crate::error::MetricError;

impl RankedScores {
    /// The lowest false positive rate of any threshold with a true positive rate of at least
    /// `true_positive_rate`; smaller is better. For 0.95 it is the share of in-distribution items
    /// wrongly called out-of-distribution when 95 % of the out-of-distribution items are found.
    ///
    /// Only existing thresholds count, without interpolation. If many scores are equal, all these
    /// items are called out-of-distribution. Some papers instead take in-distribution as the
    /// positive class. They report the share of out-of-distribution items that pass as
    /// in-distribution when 95 % of the in-distribution items do, which is a different number.
    ///
    /// # Errors
    /// [`MetricError::OutOfRange`] unless `0 < true_positive_rate ≤ 1`.
    pub fn false_positive_rate_at(&self, true_positive_rate: f64) -> Result<f64, MetricError> {
        if !(true_positive_rate > 0.0 && true_positive_rate <= 1.0) {
            return Err(MetricError::OutOfRange {
                field: "true_positive_rate",
                value: true_positive_rate.to_string(),
                allowed: "above 0 and at most 1",
            });
        }
        // Both numbers are the doubles closest to their fractions, so 19 of 20 reaches 0.95.
        let reached = self.cumulative().find(|&(_, _, outside)| {
            outside as f64 / self.count_out() as f64 >= true_positive_rate
        });
        Ok(reached.map_or(1.0, |(_, inside, _)| inside as f64 / self.count_in() as f64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ranking::tests::{naive_rates, ranked, scores};
    use super::*;

    #[test]
    fn small_cases_have_closed_forms() {
        // Both out-of-distribution items are found at threshold 2, with one of two false alarms.
        let scores = ranked(&[1.0, 3.0], &[2.0, 4.0]);
        assert_eq!(scores.false_positive_rate_at(0.95).unwrap(), 0.5);
        assert_eq!(scores.false_positive_rate_at(0.5).unwrap(), 0.0);
        // Perfect, perfectly wrong, and a constant score.
        let perfect = ranked(&[0.0, 1.0], &[2.0, 3.0, 4.0]);
        assert_eq!(perfect.false_positive_rate_at(1.0).unwrap(), 0.0);
        let wrong = ranked(&[2.0, 3.0], &[0.0, 1.0]);
        assert_eq!(wrong.false_positive_rate_at(0.95).unwrap(), 1.0);
        let constant = ranked(&[7.0; 3], &[7.0]);
        assert_eq!(constant.false_positive_rate_at(0.95).unwrap(), 1.0);
    }

    #[test]
    fn nineteen_of_twenty_reach_95_percent() {
        // One out-of-distribution item lies below every in-distribution one.
        let mut outside = [2.0; 20];
        outside[0] = 0.0;
        let scores = ranked(&[1.0; 5], &outside);
        assert_eq!(scores.false_positive_rate_at(0.95).unwrap(), 0.0);
        assert_eq!(scores.false_positive_rate_at(0.96).unwrap(), 1.0);
    }

    #[test]
    fn impossible_rates_are_refused() {
        for rate in [0.0, -0.5, 1.5, f64::NAN] {
            assert!(matches!(
                ranked(&[0.0], &[1.0]).false_positive_rate_at(rate),
                Err(MetricError::OutOfRange { .. })
            ));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting(inside in scores(), outside in scores()) {
            let ranked = ranked(&inside, &outside);
            for target in [0.1, 0.5, 0.95, 1.0] {
                let naive = inside.iter().chain(&outside)
                    .map(|&threshold| naive_rates(&inside, &outside, threshold))
                    .filter(|&(_, tpr, _)| tpr >= target)
                    .map(|(fpr, _, _)| fpr)
                    .fold(f64::INFINITY, f64::min);
                prop_assert_eq!(ranked.false_positive_rate_at(target).unwrap(), naive);
            }
        }
    }
}
