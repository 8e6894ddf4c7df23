//! A dataset with its images in the form that a model takes.

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::derived::source::Derived;
use crate::error::DatasetError;
use crate::item::{Image, Item};
use crate::transform::Transform;

/// A dataset whose images go through a [`Transform`]: cropped, resized, and made grey if requested. Factors,
/// order, parts, name and fingerprint do not change, so a split of the original is valid for this dataset.
///
/// Pixels are those of [`Transform::apply`] rounded to 8 bits. So they equal those of
/// [`CachedImages`](crate::CachedImages), but they are computed at every access. A grey image stays grey: its
/// plane is not repeated.
///
/// **Use.** For a change such as [`PatchShuffled`](crate::PatchShuffled) that works on pixels and must see
/// the same image as the model.
pub struct Transformed {
    dataset: Arc<dyn Dataset>,
    transform: Transform,
}

impl Transformed {
    /// `dataset` through `transform`.
    ///
    /// # Errors
    /// If the [`Transform`] is out of range. An image that is too small for the crop gives an error when it
    /// is read.
    pub fn new(dataset: Arc<dyn Dataset>, transform: Transform) -> Result<Self, DatasetError> {
        transform.check()?;
        Ok(Self { dataset, transform })
    }
}

impl Derived for Transformed {
    fn original(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    fn name(&self) -> &str {
        self.dataset.name()
    }

    fn fingerprint_over(&self, original: &str) -> String {
        original.to_owned()
    }

    fn read(&self, index: usize) -> Result<Item, DatasetError> {
        self.transform.item_of(self.dataset.as_ref(), index)
    }

    fn change(&self, _index: usize, item: Item) -> Result<Item, DatasetError> {
        let shape = self.transform.shape;
        let planes = self.transform.planes(&item.image)?;
        let shape = shape.with_channels(planes.len() / shape.area());
        let image = Image::new(shape, in_bytes(&planes));
        Ok(Item { image, ..item })
    }
}

/// Rounds values in `[0, 1]` to 8 bits.
pub(crate) fn in_bytes(values: &[f32]) -> Vec<u8> {
    let values = values.iter();
    values.map(|value| (value * 255.0).round() as u8).collect()
}
