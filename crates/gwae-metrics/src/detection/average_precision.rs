//! Area under the precision-recall curve.

use super::ranking::RankedScores;

impl RankedScores {
    /// Average precision `Σₙ (Rₙ − Rₙ₋₁)·Pₙ` over the distinct thresholds from the highest down,
    /// with recall R (the TPR) and precision P. It is the step-wise area under the precision-recall
    /// curve (AUPR), like scikit-learn's `average_precision_score`.
    ///
    /// Precision is not interpolated linearly between thresholds, because that gives too good a
    /// value (Davis & Goadrich 2006). Chance is `n_out / (n_in + n_out)`.
    pub fn average_precision(&self) -> f64 {
        let mut before = 0;
        let mut sum = 0.0;
        for (_, inside, outside) in self.cumulative() {
            let precision = outside as f64 / (inside + outside) as f64;
            sum += (outside - before) as f64 * precision;
            before = outside;
        }
        sum / self.count_out() as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ranking::tests::{mapped, naive_rates, ranked, scores};

    #[test]
    fn small_cases_have_closed_forms() {
        // Precision 1/1 at recall 1/2, 2/3 at recall 1.
        let scores = ranked(&[1.0, 3.0], &[2.0, 4.0]);
        assert_eq!(scores.average_precision(), (1.0 + 2.0 / 3.0) / 2.0);
        let perfect = ranked(&[0.0, 1.0], &[2.0, 3.0, 4.0]);
        assert_eq!(perfect.average_precision(), 1.0);
        let constant = ranked(&[7.0; 3], &[7.0]);
        assert_eq!(constant.average_precision(), 0.25);
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting(inside in scores(), outside in scores()) {
            let ranked = ranked(&inside, &outside);
            let mut thresholds: Vec<f64> = inside.iter().chain(&outside).copied().collect();
            thresholds.sort_by(|a, b| b.total_cmp(a));
            let (mut before, mut area) = (0.0, 0.0);
            for threshold in thresholds {
                let (_, recall, precision) = naive_rates(&inside, &outside, threshold);
                area += (recall - before) * precision;
                before = recall;
            }
            prop_assert!((ranked.average_precision() - area).abs() < 1e-12);
        }

        #[test]
        fn invariant_under_monotone_maps(inside in scores(), outside in scores()) {
            let before = ranked(&inside, &outside).average_precision();
            let after = ranked(&mapped(&inside), &mapped(&outside)).average_precision();
            prop_assert_eq!(before, after);
        }
    }
}
