//! How well one score tells out-of-distribution items from in-distribution ones.
//!
//! A score is higher for what looks more out-of-distribution, and out-of-distribution is the
//! positive class: at threshold `t`, every item with `score ≥ t` is called out-of-distribution;
//! the true positive rate (TPR) is the share of out-of-distribution items called so, the false
//! positive rate (FPR) that of in-distribution items. Everything here depends on the order of the
//! scores only, and items of equal score are never separated.

use serde::Serialize;

use crate::MetricError;

/// The items that share one score.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tie {
    score: f64,
    /// Number of in-distribution items with this score.
    inside: usize,
    /// Number of out-of-distribution items with this score.
    outside: usize,
}

/// Both score arrays merged: one entry per distinct score, highest first.
///
/// Every metric of this file is a pass over these entries, so one sort serves them all.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedScores {
    ties: Vec<Tie>,
    count_in: usize,
    count_out: usize,
}

/// A point of a [`RocCurve`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RocPoint {
    /// Share of in-distribution items called out-of-distribution.
    pub false_positive_rate: f64,
    /// Share of out-of-distribution items called out-of-distribution.
    pub true_positive_rate: f64,
    /// The lowest score called out-of-distribution. `+∞` in the first point of a curve, where
    /// nothing is called so (JSON has no infinity and writes it as null).
    pub threshold: f64,
}

/// The receiver operating characteristic: TPR against FPR for every threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RocCurve {
    /// From (0, 0), where nothing is called out-of-distribution, to (1, 1), where everything is:
    /// one point per distinct score, highest first. Equal scores of both kinds make one
    /// slanted step.
    pub points: Vec<RocPoint>,
}

impl RankedScores {
    /// Sorts and merges two score arrays of any lengths, in O(n log n). `−0` equals `+0`.
    ///
    /// # Errors
    /// [`MetricError::Empty`] and [`MetricError::NotANumber`]. Infinite scores are allowed.
    pub fn new(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<Self, MetricError> {
        let inside = sorted("in_distribution", in_distribution)?;
        let outside = sorted("out_of_distribution", out_of_distribution)?;
        let mut ties = Vec::new();
        let (mut i, mut o) = (0, 0);
        while i < inside.len() || o < outside.len() {
            let score = match (inside.get(i), outside.get(o)) {
                (Some(&a), Some(&b)) => a.max(b),
                (Some(&a), None) => a,
                (None, Some(&b)) => b,
                (None, None) => break,
            };
            let tie = Tie {
                score,
                inside: run_length(&inside[i..], score),
                outside: run_length(&outside[o..], score),
            };
            i += tie.inside;
            o += tie.outside;
            ties.push(tie);
        }
        Ok(Self {
            ties,
            count_in: inside.len(),
            count_out: outside.len(),
        })
    }

    /// Number of in-distribution items.
    pub fn count_in(&self) -> usize {
        self.count_in
    }

    /// Number of out-of-distribution items.
    pub fn count_out(&self) -> usize {
        self.count_out
    }

    /// Number of distinct scores.
    pub(crate) fn distinct(&self) -> usize {
        self.ties.len()
    }

    /// For each in-distribution item, the place of its score among the distinct ones; and the
    /// same for each out-of-distribution item. Highest scores first.
    pub(crate) fn places(&self) -> (Vec<usize>, Vec<usize>) {
        let repeat = |count: fn(&Tie) -> usize| {
            let ties = self.ties.iter().enumerate();
            ties.flat_map(|(place, tie)| std::iter::repeat_n(place, count(tie)))
                .collect()
        };
        (repeat(|tie| tie.inside), repeat(|tie| tie.outside))
    }

    /// The whole curve.
    pub fn curve(&self) -> RocCurve {
        let start = RocPoint {
            false_positive_rate: 0.0,
            true_positive_rate: 0.0,
            threshold: f64::INFINITY,
        };
        let points = self.cumulative().map(|(score, inside, outside)| RocPoint {
            false_positive_rate: inside as f64 / self.count_in as f64,
            true_positive_rate: outside as f64 / self.count_out as f64,
            threshold: score,
        });
        RocCurve {
            points: std::iter::once(start).chain(points).collect(),
        }
    }

    /// Area under the ROC curve: the probability that an out-of-distribution item scores higher
    /// than an in-distribution one, equal scores counted half. It is the Mann-Whitney statistic
    /// `U / (n_in·n_out)`; 0.5 is chance, 0 a perfect score turned round. Counted in integers,
    /// hence exact up to one rounding.
    pub fn auroc(&self) -> f64 {
        let counts = self.ties.iter().map(|tie| (tie.inside, tie.outside));
        auroc_of_counts(counts, self.count_in, self.count_out)
    }

    /// Average precision `Σₙ (Rₙ − Rₙ₋₁)·Pₙ` over the distinct thresholds from the highest down,
    /// with recall R (which is the TPR) and precision P: the step-wise area under the
    /// precision-recall curve (AUPR), as scikit-learn's `average_precision_score`.
    ///
    /// Precision is not interpolated linearly between thresholds, which would flatter the score
    /// (Davis & Goadrich 2006). Chance is `n_out / (n_in + n_out)`.
    pub fn average_precision(&self) -> f64 {
        let mut before = 0;
        let mut sum = 0.0;
        for (_, inside, outside) in self.cumulative() {
            let precision = outside as f64 / (inside + outside) as f64;
            sum += (outside - before) as f64 * precision;
            before = outside;
        }
        sum / self.count_out as f64
    }

    /// The lowest false positive rate of any threshold with a true positive rate of at least
    /// `true_positive_rate`; smaller is better. With 0.95: the share of in-distribution items
    /// given up so that 95 % of the out-of-distribution ones are found.
    ///
    /// Only thresholds that exist count: nothing is interpolated, so where many scores are
    /// equal, the whole tie is called out-of-distribution. Some papers take in-distribution as
    /// the positive class instead and report the share of out-of-distribution items that pass
    /// when 95 % of in-distribution ones do, which is another number.
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
        // Both numbers are the doubles next to their fractions, so 19 of 20 reaches 0.95.
        let reached = self
            .cumulative()
            .find(|&(_, _, outside)| outside as f64 / self.count_out as f64 >= true_positive_rate);
        Ok(reached.map_or(1.0, |(_, inside, _)| inside as f64 / self.count_in as f64))
    }

    /// Each distinct score, highest first, with the number of in-distribution and of
    /// out-of-distribution items that reach it.
    fn cumulative(&self) -> impl Iterator<Item = (f64, usize, usize)> {
        self.ties.iter().scan((0, 0), |(inside, outside), tie| {
            *inside += tie.inside;
            *outside += tie.outside;
            Some((tie.score, *inside, *outside))
        })
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
pub(crate) fn auroc_of_counts(
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

/// Sorted from the highest to the lowest.
fn sorted(field: &'static str, scores: &[f64]) -> Result<Vec<f64>, MetricError> {
    if scores.is_empty() {
        return Err(MetricError::Empty { field });
    }
    if let Some(index) = scores.iter().position(|score| score.is_nan()) {
        return Err(MetricError::NotANumber { field, index });
    }
    // Adding zero turns −0 into +0, which the total order would tell apart.
    let mut scores: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    Ok(scores)
}

fn run_length(sorted: &[f64], score: f64) -> usize {
    sorted.iter().take_while(|&&other| other == score).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranked(inside: &[f64], outside: &[f64]) -> RankedScores {
        RankedScores::new(inside, outside).unwrap()
    }

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

    /// (FPR, TPR, precision) of "score ≥ threshold", counted item by item.
    fn naive_rates(inside: &[f64], outside: &[f64], threshold: f64) -> (f64, f64, f64) {
        let called = |scores: &[f64]| scores.iter().filter(|&&s| s >= threshold).count() as f64;
        let (i, o) = (called(inside), called(outside));
        (
            i / inside.len() as f64,
            o / outside.len() as f64,
            o / (i + o),
        )
    }

    #[test]
    fn small_cases_have_closed_forms() {
        // Pairs (out, in): 4>1, 4>3, 2>1, 2<3: three of four.
        let scores = ranked(&[1.0, 3.0], &[2.0, 4.0]);
        assert_eq!(scores.auroc(), 0.75);
        // Precision 1/1 at recall 1/2, 2/3 at recall 1.
        assert_eq!(scores.average_precision(), (1.0 + 2.0 / 3.0) / 2.0);
        // Both out-of-distribution items are found at threshold 2, with one of two false alarms.
        assert_eq!(scores.false_positive_rate_at(0.95).unwrap(), 0.5);
        assert_eq!(scores.false_positive_rate_at(0.5).unwrap(), 0.0);
        // Perfect, perfectly wrong, and a constant score.
        let perfect = ranked(&[0.0, 1.0], &[2.0, 3.0, 4.0]);
        assert_eq!((perfect.auroc(), perfect.average_precision()), (1.0, 1.0));
        assert_eq!(perfect.false_positive_rate_at(1.0).unwrap(), 0.0);
        let wrong = ranked(&[2.0, 3.0], &[0.0, 1.0]);
        assert_eq!(wrong.auroc(), 0.0);
        assert_eq!(wrong.false_positive_rate_at(0.95).unwrap(), 1.0);
        let constant = ranked(&[7.0; 3], &[7.0]);
        assert_eq!(constant.auroc(), 0.5);
        assert_eq!(constant.average_precision(), 0.25);
        assert_eq!(constant.false_positive_rate_at(0.95).unwrap(), 1.0);
        assert_eq!(constant.curve().points.len(), 2);
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
    fn infinite_scores_have_an_order_and_zeros_are_equal() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        assert_eq!(auroc(&[low, 0.0], &[high, -0.0]).unwrap(), 3.5 / 4.0);
        assert_eq!(auroc(&[high], &[high]).unwrap(), 0.5);
        let curve = ranked(&[low, 0.0], &[high, -0.0]).curve();
        let thresholds: Vec<f64> = curve.points.iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [high, high, 0.0, low]);
    }

    #[test]
    fn what_has_no_order_is_refused() {
        let empty = |field| Err(MetricError::Empty { field });
        assert_eq!(auroc(&[], &[1.0]), empty("in_distribution"));
        assert_eq!(auroc(&[1.0], &[]), empty("out_of_distribution"));
        let index = 1;
        for (inside, outside, field) in [
            ([0.0, f64::NAN], [0.0, 1.0], "in_distribution"),
            ([0.0, 1.0], [0.0, -f64::NAN], "out_of_distribution"),
        ] {
            let refused = Err(MetricError::NotANumber { field, index });
            assert_eq!(auroc(&inside, &outside), refused);
        }
        for rate in [0.0, -0.5, 1.5, f64::NAN] {
            assert!(matches!(
                ranked(&[0.0], &[1.0]).false_positive_rate_at(rate),
                Err(MetricError::OutOfRange { .. })
            ));
        }
    }

    /// Few distinct values, so that ties are common.
    fn scores() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec((-6i32..6).prop_map(|n| f64::from(n) / 2.0), 1..40)
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting(inside in scores(), outside in scores()) {
            let ranked = ranked(&inside, &outside);
            prop_assert!((ranked.auroc() - naive_auroc(&inside, &outside)).abs() < 1e-12);

            let curve = ranked.curve();
            let mut area = 0.0;
            let mut precision_area = 0.0;
            for pair in curve.points.windows(2) {
                let (fpr, tpr, precision) = naive_rates(&inside, &outside, pair[1].threshold);
                prop_assert_eq!(fpr, pair[1].false_positive_rate);
                prop_assert_eq!(tpr, pair[1].true_positive_rate);
                prop_assert!(pair[0].threshold > pair[1].threshold);
                area += (fpr - pair[0].false_positive_rate)
                    * (tpr + pair[0].true_positive_rate) / 2.0;
                precision_area += (tpr - pair[0].true_positive_rate) * precision;
            }
            // The trapezoidal area under the curve is the Mann-Whitney statistic.
            prop_assert!((ranked.auroc() - area).abs() < 1e-12);
            prop_assert!((ranked.average_precision() - precision_area).abs() < 1e-12);

            for target in [0.1, 0.5, 0.95, 1.0] {
                let naive = inside.iter().chain(&outside)
                    .map(|&threshold| naive_rates(&inside, &outside, threshold))
                    .filter(|&(_, tpr, _)| tpr >= target)
                    .map(|(fpr, _, _)| fpr)
                    .fold(f64::INFINITY, f64::min);
                prop_assert_eq!(ranked.false_positive_rate_at(target).unwrap(), naive);
            }
        }

        /// Only the order counts, and negated scores turn everything round.
        #[test]
        fn invariant_under_monotone_maps(inside in scores(), outside in scores()) {
            let map = |scores: &[f64], f: fn(f64) -> f64| -> Vec<f64> {
                scores.iter().map(|&score| f(score)).collect()
            };
            let before = ranked(&inside, &outside);
            let f = |x: f64| 3.0 * x.exp() - 7.0;
            let after = ranked(&map(&inside, f), &map(&outside, f));
            prop_assert_eq!(before.auroc(), after.auroc());
            prop_assert_eq!(before.average_precision(), after.average_precision());
            let negated = ranked(&map(&inside, |x| -x), &map(&outside, |x| -x));
            prop_assert!((before.auroc() + negated.auroc() - 1.0).abs() < 1e-15);
            prop_assert!((before.auroc() + auroc(&outside, &inside).unwrap() - 1.0).abs() < 1e-15);
        }
    }
}
