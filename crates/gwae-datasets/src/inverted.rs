//! Any dataset with black and white exchanged.

use std::sync::Arc;

use crate::rendered::settings_fingerprint;
use crate::{Dataset, DatasetError, FactorSpec, Item};

/// Another dataset with every pixel value `v` as `255 − v`; factors, order and parts are the same.
///
/// **Use.** The other polarity of a set: where strokes are black on white in one and white on
/// black in the other, the mean of the pixels alone tells them apart, and a score that does so too
/// has shown nothing. Both polarities together say how much of a score is brightness. Inverted
/// digits themselves are the set that differs from digits in nothing but that.
pub struct Inverted {
    dataset: Arc<dyn Dataset>,
    name: String,
}

impl Inverted {
    /// `dataset` inverted. Its name is that of the dataset with `-inverted` appended.
    pub fn new(dataset: Arc<dyn Dataset>) -> Self {
        Self {
            name: format!("{}-inverted", dataset.name()),
            dataset,
        }
    }

    fn invert(mut item: Item) -> Item {
        for value in &mut item.image.pixels {
            *value = 255 - *value;
        }
        item
    }

    fn rename(&self, error: DatasetError) -> DatasetError {
        rename(error, &self.name)
    }
}

/// The error with the name of the dataset that was asked.
pub(crate) fn rename(error: DatasetError, name: &str) -> DatasetError {
    match error {
        DatasetError::IndexOutOfRange { index, len, .. } => DatasetError::IndexOutOfRange {
            dataset: name.to_owned(),
            index,
            len,
        },
        other => other,
    }
}

impl Dataset for Inverted {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn train_len(&self) -> usize {
        self.dataset.train_len()
    }

    fn validation_len(&self) -> usize {
        self.dataset.validation_len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let item = self.dataset.item(index);
        item.map(Self::invert).map_err(|error| self.rename(error))
    }

    fn cropped_item(&self, index: usize, side: usize) -> Result<Item, DatasetError> {
        let item = self.dataset.cropped_item(index, side);
        item.map(Self::invert).map_err(|error| self.rename(error))
    }

    fn factors(&self) -> &[FactorSpec] {
        self.dataset.factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        self.dataset.value_names(factor)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.dataset.find(factors)
    }

    fn warm(&self) -> Result<(), DatasetError> {
        self.dataset.warm()
    }

    fn fingerprint(&self) -> String {
        settings_fingerprint(&format!("inverted, of {}", self.dataset.fingerprint()))
    }
}
