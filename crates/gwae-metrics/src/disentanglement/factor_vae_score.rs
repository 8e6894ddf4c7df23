//! The score of the FactorVAE paper.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::labelled_codes::LabelledCodes;
use crate::random::{below, generator};

/// Items that share a factor's value in one vote.
const BATCH: usize = 64;
/// Votes that choose the factor of each code.
const TRAINING_VOTES: usize = 10_000;
/// Votes that are counted.
const VOTES: usize = 5_000;
/// Codes of a smaller standard deviation take no part.
const LEAST_DEVIATION: f64 = 0.05;

/// A share of right answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoteScore {
    /// Share of right votes.
    pub score: f64,
    /// Its standard error over votes.
    pub standard_error: f64,
}

impl VoteScore {
    pub(super) fn new(right: usize, votes: usize) -> Self {
        let score = right as f64 / votes as f64;
        Self {
            score,
            standard_error: (score * (1.0 - score) / votes as f64).sqrt(),
        }
    }
}

/// The FactorVAE score (Kim & Mnih 2018) as in disentanglement_lib (protocol `factor-vae`): a vote takes
/// 64 items with the same value of a random factor, and names the code with the smallest variance
/// relative to its variance over all items. 10,000 votes choose the most frequent factor of each code,
/// 5,000 further votes test it. Codes whose standard deviation is below 0.05 take no part.
///
/// The items of a vote are drawn with replacement from the given items. With few items of a value the
/// variances are small by chance: give at least some hundreds for each value.
///
/// 1 if each factor has a code of its own. Without an active code the score is 0. Because of the least
/// deviation the scale of the codes matters.
pub fn factor_vae_score(labelled: &LabelledCodes, seed: u64) -> VoteScore {
    let variances: Vec<f64> = labelled.codes().iter().map(|code| variance(code)).collect();
    let active: Vec<usize> = (0..variances.len())
        .filter(|&code| variances[code].sqrt() >= LEAST_DEVIATION)
        .collect();
    if active.is_empty() {
        return VoteScore::new(0, VOTES);
    }
    let groups: Vec<Vec<Vec<usize>>> = labelled
        .factors()
        .iter()
        .map(|factor| factor.items_of_classes())
        .collect();
    let mut generator = generator(seed, 0);
    // A random factor, and the place of the code with the smallest relative variance.
    let vote = |generator: &mut ChaCha8Rng| {
        let factor = below(generator, groups.len());
        let item = below(generator, labelled.items());
        let members = &groups[factor][labelled.factors()[factor].classes[item]];
        let items: [usize; BATCH] =
            std::array::from_fn(|_| members[below(generator, members.len())]);
        let mut best = (0, f64::INFINITY);
        for (place, &code) in active.iter().enumerate() {
            let values = items.map(|item| labelled.codes()[code][item]);
            let relative = variance(&values) / variances[code];
            if relative < best.1 {
                best = (place, relative);
            }
        }
        (factor, best.0)
    };
    let mut counts = vec![vec![0usize; groups.len()]; active.len()];
    for _ in 0..TRAINING_VOTES {
        let (factor, place) = vote(&mut generator);
        counts[place][factor] += 1;
    }
    let factor_of: Vec<usize> = counts
        .iter()
        .map(|counts| {
            let mut best = 0;
            for (factor, &count) in counts.iter().enumerate() {
                if count > counts[best] {
                    best = factor;
                }
            }
            best
        })
        .collect();
    let right = (0..VOTES).filter(|_| {
        let (factor, place) = vote(&mut generator);
        factor_of[place] == factor
    });
    VoteScore::new(right.count(), VOTES)
}

/// The unbiased variance; 0 for a single value.
fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value / count).sum::<f64>();
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (count - 1.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::weighted;
    use super::*;

    #[test]
    fn ideal_codes_are_always_right_and_dead_codes_never() {
        for (code, expected, tolerance) in [
            (vec![[1.0, 0.0], [0.0, -2.0]], 1.0, 0.0),
            (
                vec![[1.0, 0.0], [0.0, 1.0], [3.0, 0.0], [0.0, 0.0]],
                1.0,
                0.0,
            ),
            (vec![[0.0, 0.0]], 0.0, 0.0),
            // One code cannot tell the factors apart: it names the same factor, half the time rightly.
            (vec![[1.0, 0.0]], 0.5, 0.03),
        ] {
            let found = factor_vae_score(&weighted(&code), 0);
            assert!(
                (found.score - expected).abs() <= tolerance,
                "{code:?}: {found:?}"
            );
        }
        let half = VoteScore::new(2_500, 5_000);
        assert!((half.standard_error - (0.25f64 / 5_000.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn the_seed_decides_and_little_depends_on_it() {
        let codes = weighted(&[[1.0, 0.9], [0.8, -1.0]]);
        let first = factor_vae_score(&codes, 1);
        assert_eq!(first, factor_vae_score(&codes, 1));
        let second = factor_vae_score(&codes, 2);
        assert!((first.score - second.score).abs() < 6.0 * first.standard_error + 0.02);
    }
}
