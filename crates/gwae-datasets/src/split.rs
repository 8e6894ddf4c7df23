//! Which items train, validate and test: drawn once, stored with the run, never redrawn.

use serde::{Deserialize, Serialize};

use crate::order::{choose, generator, shuffle};
use crate::{Dataset, DatasetError};

/// A division of a dataset. Indices count over the whole dataset (official training part,
/// official validation part if there is one, official test part) and ascend within each part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// [`Dataset::fingerprint`] of the data that the split was drawn over.
    pub fingerprint: String,
    /// Items to train on.
    pub train: Vec<u32>,
    /// Items that decide when to stop and which checkpoint is best.
    pub validation: Vec<u32>,
    /// Items for final numbers only: the official test part.
    pub test: Vec<u32>,
}

impl Split {
    /// Draws a split: `round(validation_fraction · train_len)` items of the official training
    /// part, chosen uniformly by `seed`, validate (at least one where the fraction is not zero);
    /// the rest of that part trains; the official test part stays the test part. Items of an
    /// official validation part are in none; [`Split::official`] takes that part as it is.
    ///
    /// # Errors
    /// [`DatasetError::ValidationFraction`] unless `0 ≤ validation_fraction < 1` and something is
    /// left to train on; [`DatasetError::TooManyItems`] beyond 32-bit indices.
    pub fn draw(
        dataset: &dyn Dataset,
        validation_fraction: f64,
        seed: u64,
    ) -> Result<Self, DatasetError> {
        let len = index_bound(dataset)?;
        let train_len = dataset.train_len();
        let wrong_fraction = || DatasetError::ValidationFraction {
            fraction: validation_fraction,
            train_len,
        };
        if !(0.0..1.0).contains(&validation_fraction) {
            return Err(wrong_fraction());
        }
        let mut count = (validation_fraction * train_len as f64).round() as usize;
        if validation_fraction > 0.0 {
            count = count.max(1);
        }
        if count >= train_len {
            return Err(wrong_fraction());
        }
        let mut train: Vec<u32> = (0..train_len as u32).collect();
        shuffle(&mut train, &mut generator("validation split", seed, 0));
        let mut validation = train.split_off(train_len - count);
        train.sort_unstable();
        validation.sort_unstable();
        Ok(Self {
            fingerprint: dataset.fingerprint(),
            train,
            validation,
            test: test_part(dataset, len),
        })
    }

    /// The division that was published with the dataset: training, validation and test part as
    /// they are. Without an official validation part, `validation` is empty.
    ///
    /// # Errors
    /// [`DatasetError::NoItems`] where the training part is empty; [`DatasetError::TooManyItems`]
    /// beyond 32-bit indices.
    pub fn official(dataset: &dyn Dataset) -> Result<Self, DatasetError> {
        let len = index_bound(dataset)?;
        let train: Vec<u32> = (0..len.min(dataset.train_len() as u32)).collect();
        if train.is_empty() {
            return Err(DatasetError::NoItems);
        }
        let test = test_part(dataset, len);
        let validation = train.len() as u32..len - test.len() as u32;
        Ok(Self {
            fingerprint: dataset.fingerprint(),
            validation: validation.collect(),
            train,
            test,
        })
    }

    /// The same with at most `limit` items in each part, chosen uniformly by `seed`: for quick runs. A
    /// smaller limit chooses among those of a larger one.
    pub fn limited(mut self, limit: usize, seed: u64) -> Self {
        for (part, stream) in [
            (&mut self.train, "limited training part"),
            (&mut self.validation, "limited validation part"),
            (&mut self.test, "limited test part"),
        ] {
            *part = choose(part, limit, stream, seed);
        }
        self
    }

    /// What a model was not trained on: the test part, or where there is none the validation part.
    pub fn held_out(&self) -> &[u32] {
        match &self.test[..] {
            [] => &self.validation,
            test => test,
        }
    }

    /// Checks a stored split against the data that is there now.
    ///
    /// # Errors
    /// [`DatasetError::FingerprintMismatch`] where the data changed since,
    /// [`DatasetError::SplitOutOfRange`] and [`DatasetError::SplitOverlap`] where the split itself
    /// was damaged, [`DatasetError::NoItems`] where it has nothing to train on.
    pub fn check(&self, dataset: &dyn Dataset) -> Result<(), DatasetError> {
        let found = dataset.fingerprint();
        if self.fingerprint != found {
            return Err(DatasetError::FingerprintMismatch {
                dataset: dataset.name().to_owned(),
                expected: self.fingerprint.clone(),
                found,
            });
        }
        let parts = [
            ("train", &self.train),
            ("validation", &self.validation),
            ("test", &self.test),
        ];
        let mut owner: Vec<Option<&'static str>> = vec![None; dataset.len()];
        for (part, indices) in parts {
            for (position, &index) in indices.iter().enumerate() {
                match owner.get_mut(index as usize) {
                    Some(free @ None) => *free = Some(part),
                    Some(Some(other)) => {
                        return Err(DatasetError::SplitOverlap {
                            part,
                            position,
                            index,
                            other,
                        });
                    }
                    None => {
                        return Err(DatasetError::SplitOutOfRange {
                            dataset: dataset.name().to_owned(),
                            part,
                            position,
                            index,
                            len: dataset.len(),
                        });
                    }
                }
            }
        }
        if self.train.is_empty() {
            return Err(DatasetError::NoItems);
        }
        Ok(())
    }
}

/// What is behind the training and the validation part.
fn test_part(dataset: &dyn Dataset, len: u32) -> Vec<u32> {
    let start = dataset.train_len().saturating_add(dataset.validation_len());
    (u32::try_from(start).unwrap_or(len).min(len)..len).collect()
}

/// The dataset's length as a bound of 32-bit indices.
fn index_bound(dataset: &dyn Dataset) -> Result<u32, DatasetError> {
    u32::try_from(dataset.len()).map_err(|_| DatasetError::TooManyItems {
        dataset: dataset.name().to_owned(),
        len: dataset.len(),
    })
}
