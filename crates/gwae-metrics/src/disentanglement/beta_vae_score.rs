//! The score of the β-VAE paper.

use super::factor_vae_score::VoteScore;
use super::labelled_codes::LabelledCodes;
use super::learners::logistic_regression::{LogisticRegression, LogisticSettings};
use crate::random::{below, generator};

/// Pairs of items in one answer.
const BATCH: usize = 64;
/// Answers that train the classifier.
const TRAINING: usize = 10_000;
/// Answers that test it.
const TEST: usize = 5_000;

/// The β-VAE score (Higgins et al. 2017) as in disentanglement_lib (protocol `beta-vae`): the accuracy
/// with which a logistic regression (penalty C = 1) names the factor that 64 pairs of items share, from
/// the mean absolute differences of their codes. 10,000 answers train it, 5,000 test it.
///
/// The first item of a pair is drawn from all items, the second from those with the same value of the
/// factor. With a single factor the score is 1. Codes that tell nothing score `1/factors`.
pub fn beta_vae_score(labelled: &LabelledCodes, seed: u64) -> VoteScore {
    let factors = labelled.factor_count();
    if factors == 1 {
        return VoteScore::new(TEST, TEST);
    }
    let groups: Vec<Vec<Vec<usize>>> = labelled
        .factors()
        .iter()
        .map(|factor| factor.items_of_classes())
        .collect();
    let dimensions = labelled.dimensions();
    let mut generator = generator(seed, 0);
    let mut draw = |count: usize| {
        let mut rows = vec![0.0; count * dimensions];
        let classes: Vec<usize> = rows
            .chunks_exact_mut(dimensions)
            .map(|row| {
                let factor = below(&mut generator, factors);
                for _ in 0..BATCH {
                    let first = below(&mut generator, labelled.items());
                    let members = &groups[factor][labelled.factors()[factor].classes[first]];
                    let second = members[below(&mut generator, members.len())];
                    for (sum, code) in row.iter_mut().zip(labelled.codes()) {
                        *sum += (code[first] - code[second]).abs() / BATCH as f64;
                    }
                }
                factor
            })
            .collect();
        (rows, classes)
    };
    let (rows, classes) = draw(TRAINING);
    let settings = LogisticSettings {
        penalty: 1.0,
        balanced: false,
    };
    let model = LogisticRegression::fit(&rows, dimensions, &classes, factors, settings);
    let (rows, classes) = draw(TEST);
    let right = rows
        .chunks_exact(dimensions)
        .zip(classes)
        .filter(|&(row, factor)| model.predict(row) == factor);
    VoteScore::new(right.count(), TEST)
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::{combinations, weighted};
    use super::*;

    #[test]
    fn ideal_and_rotated_codes_are_linear_in_the_answer_and_dead_ones_are_chance() {
        let score = |code: &[[f64; 2]]| beta_vae_score(&weighted(code), 0).score;
        assert_eq!(score(&[[1.0, 0.0], [0.0, -2.0]]), 1.0);
        assert!((score(&[[0.0, 0.0]]) - 0.5).abs() < 0.03);
        let single = combinations(1, 5, |row| row.to_vec());
        assert_eq!(beta_vae_score(&single, 0).score, 1.0);
    }
}
