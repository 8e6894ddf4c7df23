//! Any dataset with black and white exchanged.

use std::sync::Arc;

use crate::derived::Derived;
use crate::rendered::settings_fingerprint;
use crate::{Dataset, DatasetError, Item};

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
}

impl Derived for Inverted {
    fn original(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> String {
        settings_fingerprint(&format!("inverted, of {}", self.dataset.fingerprint()))
    }

    fn change(&self, _index: usize, mut item: Item) -> Result<Item, DatasetError> {
        for value in &mut item.image.pixels {
            *value = 255 - *value;
        }
        Ok(item)
    }

    fn changes_pixel_by_pixel(&self) -> bool {
        true
    }
}
