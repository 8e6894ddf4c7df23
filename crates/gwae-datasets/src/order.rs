//! In which order an epoch visits its items: a pure function of seed and epoch.

use std::fmt;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::DatasetError;

/// A place in the infinite sequence of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Number of complete passes over the items before this one.
    pub epoch: u64,
    /// Number of batches before this one in its epoch.
    pub batch: u64,
}

impl Position {
    /// The first batch of all.
    pub const START: Self = Self { epoch: 0, batch: 0 };

    /// The position that follows this one where every epoch has `batches_per_epoch` batches.
    pub fn next(self, batches_per_epoch: u64) -> Self {
        if self.batch.saturating_add(1) < batches_per_epoch {
            Self {
                batch: self.batch + 1,
                ..self
            }
        } else {
            Self {
                epoch: self.epoch.saturating_add(1),
                batch: 0,
            }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "epoch {}, batch {}", self.epoch, self.batch)
    }
}

/// Number of batches of every epoch over `items` items: `⌊items / batch_size⌋` with
/// `drop_last` (what is left over is dropped), else `⌈items / batch_size⌉` (the last batch is
/// smaller).
///
/// # Errors
/// [`DatasetError::ZeroBatch`], [`DatasetError::NoItems`] and [`DatasetError::BatchTooLarge`]
/// (a batch larger than all items, with or without `drop_last`).
pub fn batches_per_epoch(
    items: usize,
    batch_size: usize,
    drop_last: bool,
) -> Result<u64, DatasetError> {
    if batch_size == 0 {
        return Err(DatasetError::ZeroBatch);
    }
    if items == 0 {
        return Err(DatasetError::NoItems);
    }
    if batch_size > items {
        return Err(DatasetError::BatchTooLarge { batch_size, items });
    }
    let batches = if drop_last {
        items / batch_size
    } else {
        items.div_ceil(batch_size)
    };
    Ok(batches as u64)
}

/// `indices` in the order of `epoch`: every one exactly once, uniformly shuffled
/// (Fisher–Yates with ChaCha8). Depends on `indices`, `seed` and `epoch` only, so that any
/// epoch can be entered without the ones before it.
pub fn epoch_order(indices: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = indices.to_vec();
    shuffle(&mut order, &mut generator("epoch order", seed, epoch));
    order
}

/// `count` of the indices, a uniform choice by `seed`, ascending; all of them, as they are, where there
/// are no more. Choices for different purposes are independent, and a smaller one for the same purpose
/// is among a larger one.
pub fn choose(indices: &[u32], count: usize, purpose: &str, seed: u64) -> Vec<u32> {
    let mut chosen = indices.to_vec();
    if count < chosen.len() {
        shuffle(&mut chosen, &mut generator(purpose, seed, 0));
        chosen.truncate(count);
        chosen.sort_unstable();
    }
    chosen
}

/// A generator for one purpose. The purpose is hashed into the key, so that shuffling shares
/// no random words with other generators that start from the same run seed.
pub(crate) fn generator(purpose: &str, seed: u64, number: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets\0");
    hash.update(purpose.as_bytes());
    hash.update([0]);
    hash.update(seed.to_le_bytes());
    hash.update(number.to_le_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// Fisher–Yates, written out: the order belongs to a run's record, and the library's own
/// shuffle may change between its versions.
pub(crate) fn shuffle(values: &mut [u32], generator: &mut ChaCha8Rng) {
    for last in (1..values.len()).rev() {
        values.swap(last, below(last as u64 + 1, generator) as usize);
    }
}

/// A uniform draw from `0..bound` without bias (Lemire 2019, arXiv:1805.10941).
pub(crate) fn below(bound: u64, generator: &mut ChaCha8Rng) -> u64 {
    // 2⁶⁴ mod bound: low halves below it belong to the values that would be drawn too often.
    let threshold = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(generator.next_u64()) * u128::from(bound);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_visits_every_index_once_in_its_own_order() {
        let indices: Vec<u32> = (100..200).collect();
        let first = epoch_order(&indices, 7, 0);
        let second = epoch_order(&indices, 7, 1);
        for order in [&first, &second] {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, indices);
        }
        assert_ne!(first, second);
        assert_ne!(first, epoch_order(&indices, 8, 0));
        assert_eq!(first, epoch_order(&indices, 7, 0));
    }

    #[test]
    fn all_orders_of_three_are_equally_likely() {
        let mut counts = std::collections::HashMap::new();
        let draws = 6000;
        for epoch in 0..draws {
            *counts.entry(epoch_order(&[0, 1, 2], 1, epoch)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Binomial(6000, 1/6): mean 1000, standard deviation 28.9; five of them.
        assert!(
            counts
                .values()
                .all(|&count: &i32| (count - 1000).abs() < 145)
        );
    }

    #[test]
    fn choices_are_repeatable_nested_and_uniform() {
        let all: Vec<u32> = (10..110).collect();
        let some = choose(&all, 30, "test", 1);
        assert_eq!(some, choose(&all, 30, "test", 1));
        assert_ne!(some, choose(&all, 30, "test", 2));
        assert_ne!(some, choose(&all, 30, "other", 1));
        assert_eq!(some.len(), 30);
        assert!(some.windows(2).all(|pair| pair[0] < pair[1]));
        let fewer = choose(&all, 12, "test", 1);
        assert!(fewer.iter().all(|index| some.contains(index)));
        assert_eq!(choose(&all, 100, "test", 1), all);
        assert_eq!(choose(&[7, 3], 5, "test", 1), [7, 3]);
        assert!(choose(&all, 0, "test", 1).is_empty());
        let mut counts = [0i32; 5];
        for seed in 0..5_000 {
            for index in choose(&[0, 1, 2, 3, 4], 2, "test", seed) {
                counts[index as usize] += 1;
            }
        }
        // Binomial(5000, 2/5): mean 2000, standard deviation 34.6; five of them.
        assert!(
            counts.iter().all(|count| (count - 2_000).abs() < 173),
            "{counts:?}"
        );
    }

    #[test]
    fn counts_batches() {
        assert_eq!(batches_per_epoch(10, 3, true).unwrap(), 3);
        assert_eq!(batches_per_epoch(10, 3, false).unwrap(), 4);
        assert_eq!(batches_per_epoch(9, 3, false).unwrap(), 3);
        assert_eq!(batches_per_epoch(3, 3, true).unwrap(), 1);
        assert!(matches!(
            batches_per_epoch(3, 0, true),
            Err(DatasetError::ZeroBatch)
        ));
        assert!(matches!(
            batches_per_epoch(0, 1, true),
            Err(DatasetError::NoItems)
        ));
        assert!(matches!(
            batches_per_epoch(3, 4, false),
            Err(DatasetError::BatchTooLarge {
                batch_size: 4,
                items: 3
            })
        ));
    }

    #[test]
    fn positions_follow_one_another() {
        let mut position = Position::START;
        let mut visited = Vec::new();
        for _ in 0..5 {
            visited.push((position.epoch, position.batch));
            position = position.next(2);
        }
        assert_eq!(visited, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]);
    }
}
