//! The uncertainty of an AUROC, computed from the scores.

use serde::{Deserialize, Serialize};

use super::auroc::auroc_of_counts;
use super::ranking::RankedScores;
use crate::error::MetricError;
use crate::random::{below, generator};

/// Largest number of resamples: 10⁷, which takes 80 MB of AUROC values.
pub const MAX_RESAMPLES: usize = 10_000_000;

/// Settings of a bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BootstrapConfig {
    /// Number of resamples; by default 1,000.
    pub resamples: usize,
    /// Share of the resampled values inside the interval; by default 0.95.
    pub confidence: f64,
    /// Seed of the draws; by default 0. The same seed gives the same interval.
    pub seed: u64,
}

impl Default for BootstrapConfig {
    fn default() -> Self {
        Self {
            resamples: 1_000,
            confidence: 0.95,
            seed: 0,
        }
    }
}

/// An interval of a metric's values, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Percentile bootstrap interval of the AUROC (Efron & Tibshirani 1993, chapter 13).
///
/// Each resample draws with replacement, separately for in-distribution and out-of-distribution
/// items, as many items as there are. The interval lies between the quantiles `(1 ∓ confidence)/2`
/// of the resampled AUROC values, interpolated linearly between order statistics. It says how much
/// the AUROC depends on the choice of scored items, not on the choice of trained model. If the
/// scores separate the items perfectly, every resample does too, and the interval has width 0. That
/// is too optimistic for few items.
///
/// A resample is a set of counts over the distinct scores, so it needs no sorting: O(n) each.
///
/// # Errors
/// [`MetricError::OutOfRange`] unless `1 ≤ resamples ≤` [`MAX_RESAMPLES`] and
/// `0 < confidence < 1`.
pub fn auroc_interval(
    scores: &RankedScores,
    config: &BootstrapConfig,
) -> Result<Interval, MetricError> {
    if !(1..=MAX_RESAMPLES).contains(&config.resamples) {
        return Err(MetricError::OutOfRange {
            field: "resamples",
            value: config.resamples.to_string(),
            allowed: "1 to 10000000",
        });
    }
    if !(config.confidence > 0.0 && config.confidence < 1.0) {
        return Err(MetricError::OutOfRange {
            field: "confidence",
            value: config.confidence.to_string(),
            allowed: "above 0 and below 1",
        });
    }
    let (inside, outside) = scores.places();
    let mut generator = generator(config.seed, 1);
    let mut counts = vec![(0, 0); scores.distinct()];
    let mut values: Vec<f64> = (0..config.resamples)
        .map(|_| {
            counts.fill((0, 0));
            for _ in 0..inside.len() {
                counts[inside[below(&mut generator, inside.len())]].0 += 1;
            }
            for _ in 0..outside.len() {
                counts[outside[below(&mut generator, outside.len())]].1 += 1;
            }
            auroc_of_counts(counts.iter().copied(), inside.len(), outside.len())
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - config.confidence) / 2.0;
    Ok(Interval {
        low: quantile(&values, tail),
        high: quantile(&values, 1.0 - tail),
    })
}

/// The quantile at `share` in `[0, 1]` of non-empty ascending values, linear between neighbours.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let position = share * (ascending.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(ascending.len() - 1);
    let weight = position - below as f64;
    ascending[below] + weight * (ascending[above] - ascending[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::fraction;

    fn interval(inside: &[f64], outside: &[f64], config: &BootstrapConfig) -> Interval {
        auroc_interval(&RankedScores::new(inside, outside).unwrap(), config).unwrap()
    }

    /// Uniform scores; the out-of-distribution scores are shifted up.
    fn uniform_scores(seed: u64, count: usize, shift: f64) -> (Vec<f64>, Vec<f64>) {
        let mut generator = generator(seed, 0);
        let mut draw = |shift: f64| -> Vec<f64> {
            (0..count)
                .map(|_| fraction(&mut generator) + shift)
                .collect()
        };
        (draw(0.0), draw(shift))
    }

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 0.25), 1.5);
        assert_eq!(quantile(&values, 0.75), 3.0);
        assert_eq!(quantile(&values, 1.0), 4.0);
        assert_eq!(quantile(&[3.0], 0.3), 3.0);
    }

    #[test]
    fn the_seed_decides() {
        let (inside, outside) = uniform_scores(3, 60, 0.2);
        let config = BootstrapConfig::default();
        let first = interval(&inside, &outside, &config);
        assert_eq!(first, interval(&inside, &outside, &config));
        let other = interval(&inside, &outside, &BootstrapConfig { seed: 1, ..config });
        assert_ne!(first, other);
        assert!((first.low - other.low).abs() < 0.02);
        assert!((first.high - other.high).abs() < 0.02);
    }

    /// With two and two items, all resamples can be listed.
    #[test]
    fn small_resamples_follow_their_exact_distribution() {
        // Scores in: 0, 2; out: 1, 3. All 16 equally likely resamples, scored by counting.
        let (inside, outside) = ([0.0, 2.0], [1.0, 3.0]);
        let mut exact = Vec::new();
        for draw in 0..16 {
            let pick = |pair: &[f64; 2], bit: usize| pair[(draw >> bit) & 1];
            let mut sum = 0.0;
            for i in [pick(&inside, 0), pick(&inside, 1)] {
                for o in [pick(&outside, 2), pick(&outside, 3)] {
                    sum += if o > i { 0.25 } else { 0.0 };
                }
            }
            exact.push(sum);
        }
        exact.sort_unstable_by(f64::total_cmp);
        // P(0) = 1/16, P(1/2) = 4/16, P(3/4) = 4/16, P(1) = 7/16: the quantiles at 1/5 and 4/5
        // lie well inside two of these steps.
        let config = BootstrapConfig {
            confidence: 0.6,
            resamples: 20_000,
            seed: 0,
        };
        let found = interval(&inside, &outside, &config);
        assert_eq!(found.low, exact[16 / 5]);
        assert_eq!(found.high, exact[16 * 4 / 5]);
        assert_eq!((found.low, found.high), (0.5, 1.0));
    }

    /// The width is that of the normal approximation with DeLong's variance, computed by its plain
    /// formula.
    #[test]
    fn the_width_agrees_with_delong() {
        let (inside, outside) = uniform_scores(5, 400, 0.3);
        let share = |count: usize, of: usize| count as f64 / of as f64;
        let above = |i: f64| share(outside.iter().filter(|&&o| o > i).count(), outside.len());
        let below = |o: f64| share(inside.iter().filter(|&&i| i < o).count(), inside.len());
        let variance = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            square / (values.len() - 1) as f64 / values.len() as f64
        };
        let error = (variance(inside.iter().map(|&i| above(i)).collect())
            + variance(outside.iter().map(|&o| below(o)).collect()))
        .sqrt();
        let area = super::super::auroc::auroc(&inside, &outside).unwrap();
        let found = interval(&inside, &outside, &BootstrapConfig::default());
        assert!((found.low - (area - 1.96 * error)).abs() < 0.15 * error);
        assert!((found.high - (area + 1.96 * error)).abs() < 0.15 * error);
    }

    /// About 95 of 100 intervals hold the true AUROC: `1 − (1 − s)²/2` for uniform scores
    /// shifted by s.
    #[test]
    fn most_intervals_hold_the_truth() {
        let shift = 0.25;
        let truth = 1.0 - (1.0f64 - shift).powi(2) / 2.0;
        let config = BootstrapConfig {
            resamples: 400,
            ..BootstrapConfig::default()
        };
        let hits = (0..200)
            .filter(|&seed| {
                let (inside, outside) = uniform_scores(100 + seed, 80, shift);
                let found = interval(&inside, &outside, &config);
                found.low <= truth && truth <= found.high
            })
            .count();
        // Binomial(200, 0.95): mean 190, standard deviation 3.1.
        assert!((178..=199).contains(&hits), "{hits} of 200");
    }

    #[test]
    fn separated_scores_have_no_width() {
        let found = interval(&[0.0, 1.0], &[2.0, 3.0], &BootstrapConfig::default());
        assert_eq!((found.low, found.high), (1.0, 1.0));
    }

    #[test]
    fn impossible_options_are_refused() {
        let scores = RankedScores::new(&[0.0], &[1.0]).unwrap();
        let config = BootstrapConfig::default();
        for resamples in [0, MAX_RESAMPLES + 1, usize::MAX] {
            let config = BootstrapConfig {
                resamples,
                ..config
            };
            assert!(matches!(
                auroc_interval(&scores, &config),
                Err(MetricError::OutOfRange {
                    field: "resamples",
                    ..
                })
            ));
        }
        for confidence in [0.0, 1.0, -1.0, f64::NAN] {
            let config = BootstrapConfig {
                confidence,
                ..config
            };
            assert!(matches!(
                auroc_interval(&scores, &config),
                Err(MetricError::OutOfRange {
                    field: "confidence",
                    ..
                })
            ));
        }
    }
}
