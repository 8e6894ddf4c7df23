//! Any dataset with black and white exchanged.

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::derived::source::Derived;
use crate::error::DatasetError;
use crate::item::Item;
use crate::recipe::settings_fingerprint;

/// A dataset in which every pixel value `v` becomes `255 − v`. Factors, order and parts do not
/// change.
///
/// **Use.** The opposite polarity of a dataset. If one dataset has black strokes on white and
/// another has white strokes on black, the mean of the pixels alone distinguishes them, and a score
/// that distinguishes them proves nothing. Results for both polarities show how much of a score is
/// brightness. Inverted digits differ from digits only in polarity.
pub struct Inverted {
    dataset: Arc<dyn Dataset>,
    name: String,
}

impl Inverted {
    /// `dataset` inverted. Its name is the name of the dataset with `-inverted` appended.
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

    fn fingerprint_over(&self, original: &str) -> String {
        settings_fingerprint(&format!("inverted, of {original}"))
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
