//! Two score arrays, sorted and merged once for all metrics.

use crate::error::MetricError;

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
/// Each metric of [`detection`](crate::detection) is a method that passes over these entries once,
/// so all metrics share one sort.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedScores {
    ties: Vec<Tie>,
    count_in: usize,
    count_out: usize,
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

    /// The index of each in-distribution item's score among the distinct ones, and the same for each
    /// out-of-distribution item. Highest scores first.
    pub(crate) fn places(&self) -> (Vec<usize>, Vec<usize>) {
        let repeat = |count: fn(&Tie) -> usize| {
            let ties = self.ties.iter().enumerate();
            ties.flat_map(|(place, tie)| std::iter::repeat_n(place, count(tie)))
                .collect()
        };
        (repeat(|tie| tie.inside), repeat(|tie| tie.outside))
    }

    /// Number of (in-distribution, out-of-distribution) items at each distinct score, highest first.
    pub(super) fn counts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.ties.iter().map(|tie| (tie.inside, tie.outside))
    }

    /// Each distinct score, highest first, with the number of in-distribution and of
    /// out-of-distribution items that reach it.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, usize, usize)> {
        self.ties.iter().scan((0, 0), |(inside, outside), tie| {
            *inside += tie.inside;
            *outside += tie.outside;
            Some((tie.score, *inside, *outside))
        })
    }
}

/// Sorts from the highest to the lowest.
fn sorted(field: &'static str, scores: &[f64]) -> Result<Vec<f64>, MetricError> {
    if scores.is_empty() {
        return Err(MetricError::Empty { field });
    }
    if let Some(index) = scores.iter().position(|score| score.is_nan()) {
        return Err(MetricError::NotANumber { field, index });
    }
    // Adding zero turns −0 into +0. Otherwise the total order would separate them.
    let mut scores: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    Ok(scores)
}

fn run_length(sorted: &[f64], score: f64) -> usize {
    sorted.iter().take_while(|&&other| other == score).count()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::detection) fn ranked(inside: &[f64], outside: &[f64]) -> RankedScores {
        RankedScores::new(inside, outside).unwrap()
    }

    /// (FPR, TPR, precision) of "score ≥ threshold", counted item by item.
    pub(in crate::detection) fn naive_rates(
        inside: &[f64],
        outside: &[f64],
        threshold: f64,
    ) -> (f64, f64, f64) {
        let called = |scores: &[f64]| scores.iter().filter(|&&s| s >= threshold).count() as f64;
        let (i, o) = (called(inside), called(outside));
        (
            i / inside.len() as f64,
            o / outside.len() as f64,
            o / (i + o),
        )
    }

    /// Few distinct values, so that ties are common.
    pub(in crate::detection) fn scores() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec((-6i32..6).prop_map(|n| f64::from(n) / 2.0), 1..40)
    }

    /// The scores after a strictly increasing function.
    pub(in crate::detection) fn mapped(scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|score| 3.0 * score.exp() - 7.0).collect()
    }

    #[test]
    fn what_has_no_order_is_refused() {
        let empty = |field| Err(MetricError::Empty { field });
        assert_eq!(RankedScores::new(&[], &[1.0]), empty("in_distribution"));
        assert_eq!(RankedScores::new(&[1.0], &[]), empty("out_of_distribution"));
        let index = 1;
        for (inside, outside, field) in [
            ([0.0, f64::NAN], [0.0, 1.0], "in_distribution"),
            ([0.0, 1.0], [0.0, -f64::NAN], "out_of_distribution"),
        ] {
            let refused = Err(MetricError::NotANumber { field, index });
            assert_eq!(RankedScores::new(&inside, &outside), refused);
        }
    }
}
