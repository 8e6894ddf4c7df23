//! The receiver operating characteristic.

use serde::Serialize;

use super::ranking::RankedScores;

/// A point of a [`RocCurve`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RocPoint {
    /// Share of in-distribution items called out-of-distribution.
    pub false_positive_rate: f64,
    /// Share of out-of-distribution items called out-of-distribution.
    pub true_positive_rate: f64,
    /// The lowest score called out-of-distribution. It is `+∞` in the first point of a curve, at
    /// which no item is called so (JSON has no infinity; it becomes null).
    pub threshold: f64,
}

/// The receiver operating characteristic: TPR against FPR for every threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RocCurve {
    /// One point per distinct score, highest first, from (0, 0), where no item is called
    /// out-of-distribution, to (1, 1), where all items are. Equal scores of both kinds make one
    /// slanted step.
    pub points: Vec<RocPoint>,
}

impl RankedScores {
    /// The whole curve.
    pub fn curve(&self) -> RocCurve {
        let start = RocPoint {
            false_positive_rate: 0.0,
            true_positive_rate: 0.0,
            threshold: f64::INFINITY,
        };
        let points = self.cumulative().map(|(score, inside, outside)| RocPoint {
            false_positive_rate: inside as f64 / self.count_in() as f64,
            true_positive_rate: outside as f64 / self.count_out() as f64,
            threshold: score,
        });
        RocCurve {
            points: std::iter::once(start).chain(points).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ranking::tests::{naive_rates, ranked, scores};

    #[test]
    fn equal_scores_make_one_step() {
        assert_eq!(ranked(&[7.0; 3], &[7.0]).curve().points.len(), 2);
    }

    #[test]
    fn infinite_scores_have_an_order_and_zeros_are_equal() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        let curve = ranked(&[low, 0.0], &[high, -0.0]).curve();
        let thresholds: Vec<f64> = curve.points.iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [high, high, 0.0, low]);
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting(inside in scores(), outside in scores()) {
            let ranked = ranked(&inside, &outside);
            let mut area = 0.0;
            for pair in ranked.curve().points.windows(2) {
                let (fpr, tpr, _) = naive_rates(&inside, &outside, pair[1].threshold);
                prop_assert_eq!(fpr, pair[1].false_positive_rate);
                prop_assert_eq!(tpr, pair[1].true_positive_rate);
                prop_assert!(pair[0].threshold > pair[1].threshold);
                area += (fpr - pair[0].false_positive_rate)
                    * (tpr + pair[0].true_positive_rate) / 2.0;
            }
            // The area under the curve by trapezoids is the Mann-Whitney statistic.
            prop_assert!((ranked.auroc() - area).abs() < 1e-12);
        }
    }
}
