//! The order of the items in an epoch: a pure function of seed and epoch.

use crate::draws::Draws;
use crate::error::{BatchError, DatasetError};

/// Number of batches of every epoch over `items` items. With `drop_last`, it is `⌊items / batch_size⌋` and
/// the remaining items are dropped. Otherwise it is `⌈items / batch_size⌉` and the last batch is smaller.
///
/// # Errors
/// [`BatchError::ZeroBatch`], [`BatchError::NoItems`], and [`BatchError::BatchTooLarge`] if a batch is larger
/// than all items, with or without `drop_last`.
pub fn batches_per_epoch(
    items: usize,
    batch_size: usize,
    drop_last: bool,
) -> Result<u64, DatasetError> {
    if batch_size == 0 {
        return Err(DatasetError::Batch(BatchError::ZeroBatch));
    }
    if items == 0 {
        return Err(DatasetError::Batch(BatchError::NoItems));
    }
    if batch_size > items {
        return Err(DatasetError::Batch(BatchError::BatchTooLarge {
            batch_size,
            items,
        }));
    }
    let batches = if drop_last {
        items / batch_size
    } else {
        items.div_ceil(batch_size)
    };
    Ok(batches as u64)
}

/// `indices` in the order of `epoch`: each exactly once, uniformly shuffled (Fisher–Yates with ChaCha8). The
/// result depends only on `indices`, `seed` and `epoch`, so any epoch can be computed without the earlier
/// ones.
pub fn epoch_order(indices: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = indices.to_vec();
    Draws::new("epoch order", seed, epoch).shuffle(&mut order);
    order
}

/// `count` of the indices, chosen uniformly by `seed`, ascending. If there are no more than `count`, all of
/// them, unchanged. Choices for different purposes are independent. A smaller choice for the same purpose is
/// part of a larger one.
pub fn choose(indices: &[u32], count: usize, purpose: &str, seed: u64) -> Vec<u32> {
    let mut chosen = indices.to_vec();
    if count < chosen.len() {
        Draws::new(purpose, seed, 0).shuffle(&mut chosen);
        chosen.truncate(count);
        chosen.sort_unstable();
    }
    chosen
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
        // Binomial(6000, 1/6): mean 1000, standard deviation 28.9; the bound is five standard deviations.
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
        // Binomial(5000, 2/5): mean 2000, standard deviation 34.6; the bound is five standard deviations.
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
            Err(DatasetError::Batch(BatchError::ZeroBatch))
        ));
        assert!(matches!(
            batches_per_epoch(0, 1, true),
            Err(DatasetError::Batch(BatchError::NoItems))
        ));
        assert!(matches!(
            batches_per_epoch(3, 4, false),
            Err(DatasetError::Batch(BatchError::BatchTooLarge {
                batch_size: 4,
                items: 3
            }))
        ));
    }
}
