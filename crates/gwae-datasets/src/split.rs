//! The items for training, validation and test. A split is drawn once and stored with the run.

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::draws::Draws;
use crate::error::{BatchError, DatasetError, SplitError};
use crate::order::choose;

/// A division of a dataset. Indices refer to the whole dataset (official training part, official
/// validation part if there is one, official test part) and ascend within each part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// [`Dataset::fingerprint`] of the data of the split.
    pub fingerprint: String,
    /// Items for training.
    pub train: Vec<u32>,
    /// Items for early stopping and for choosing the best checkpoint.
    pub validation: Vec<u32>,
    /// Items for final numbers only: the official test part.
    pub test: Vec<u32>,
}

impl Split {
    /// Draws a split. Validation gets `round(validation_fraction · train_len)` items of the
    /// official training part, chosen uniformly by `seed` (at least one if the fraction is not
    /// zero). Training gets the rest of that part. The official test part stays the test part.
    /// Items of an official validation part are not used; [`Split::official`] uses that part.
    ///
    /// # Errors
    /// [`SplitError::ValidationFraction`] unless `0 ≤ validation_fraction < 1` and an item is left
    /// for training; [`SplitError::TooManyItems`] beyond 32-bit indices.
    pub fn draw(
        dataset: &dyn Dataset,
        validation_fraction: f64,
        seed: u64,
    ) -> Result<Self, DatasetError> {
        let len = index_bound(dataset)?;
        let train_len = dataset.train_len();
        let wrong_fraction = || {
            DatasetError::Split(SplitError::ValidationFraction {
                fraction: validation_fraction,
                train_len,
            })
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
        Draws::new("validation split", seed, 0).shuffle(&mut train);
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

    /// The official division of the dataset: training, validation and test part, unchanged. If
    /// there is no official validation part, `validation` is empty.
    ///
    /// # Errors
    /// [`BatchError::NoItems`] if the training part is empty; [`SplitError::TooManyItems`] beyond
    /// 32-bit indices.
    pub fn official(dataset: &dyn Dataset) -> Result<Self, DatasetError> {
        let len = index_bound(dataset)?;
        let train: Vec<u32> = (0..len.min(dataset.train_len() as u32)).collect();
        if train.is_empty() {
            return Err(DatasetError::Batch(BatchError::NoItems));
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

    /// The same split with at most `limit` items in each part, chosen uniformly by `seed`, for
    /// quick runs. The choice of a smaller limit is part of the choice of a larger one.
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

    /// Items that a model was not trained on: the test part or, if it is empty, the validation
    /// part.
    pub fn held_out(&self) -> &[u32] {
        match &self.test[..] {
            [] => &self.validation,
            test => test,
        }
    }

    /// Checks a stored split against the current data.
    ///
    /// # Errors
    /// [`SplitError::FingerprintMismatch`] if the data changed; [`SplitError::OutOfRange`] and
    /// [`SplitError::Overlap`] if the split itself was damaged; [`BatchError::NoItems`] if it has
    /// nothing to train on.
    pub fn check(&self, dataset: &dyn Dataset) -> Result<(), DatasetError> {
        if !dataset.has_fingerprint(&self.fingerprint) {
            return Err(DatasetError::Split(SplitError::FingerprintMismatch {
                dataset: dataset.name().to_owned(),
                expected: self.fingerprint.clone(),
                found: dataset.fingerprint(),
            }));
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
                        return Err(DatasetError::Split(SplitError::Overlap {
                            part,
                            position,
                            index,
                            other,
                        }));
                    }
                    None => {
                        return Err(DatasetError::Split(SplitError::OutOfRange {
                            dataset: dataset.name().to_owned(),
                            part,
                            position,
                            index,
                            len: dataset.len(),
                        }));
                    }
                }
            }
        }
        if self.train.is_empty() {
            return Err(DatasetError::Batch(BatchError::NoItems));
        }
        Ok(())
    }
}

/// The items after the training and the validation part.
fn test_part(dataset: &dyn Dataset, len: u32) -> Vec<u32> {
    let start = dataset.train_len().saturating_add(dataset.validation_len());
    (u32::try_from(start).unwrap_or(len).min(len)..len).collect()
}

/// The dataset's length as a 32-bit number.
fn index_bound(dataset: &dyn Dataset) -> Result<u32, DatasetError> {
    u32::try_from(dataset.len()).map_err(|_| {
        DatasetError::Split(SplitError::TooManyItems {
            dataset: dataset.name().to_owned(),
            len: dataset.len(),
        })
    })
}
