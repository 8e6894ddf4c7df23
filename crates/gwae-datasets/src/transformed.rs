//! Any dataset with its images as a model takes them.

use std::sync::Arc;

use crate::derived::Derived;
use crate::{Dataset, DatasetError, Image, Item, Transform};

/// Another dataset with every image cropped and resized, and made grey where that is asked for, by a
/// [`Transform`]; factors, order and parts are the same, and so are name and fingerprint: a split drawn
/// over the one holds for the other.
///
/// Pixels are [`Transform::apply`]'s rounded to 8 bits, so they are those of
/// [`CachedImages`](crate::CachedImages), but made anew whenever they are asked for. A grey image stays
/// one: its plane is not repeated.
///
/// **Use.** What changes an image by its pixels, as [`PatchShuffled`](crate::PatchShuffled) does, and is to
/// see what the model sees.
pub struct Transformed {
    dataset: Arc<dyn Dataset>,
    transform: Transform,
}

impl Transformed {
    /// `dataset` through `transform`.
    ///
    /// # Errors
    /// Those of a [`Transform`] out of range. Whether images are large enough for its crop shows when one
    /// is asked for.
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

    fn fingerprint(&self) -> String {
        self.dataset.fingerprint()
    }

    fn read(&self, index: usize) -> Result<Item, DatasetError> {
        self.transform.item_of(self.dataset.as_ref(), index)
    }

    fn change(&self, _index: usize, item: Item) -> Result<Item, DatasetError> {
        let Transform { size, .. } = self.transform;
        let planes = self.transform.planes(&item.image)?;
        let image = Image {
            channels: planes.len() / (size * size),
            height: size,
            width: size,
            pixels: in_bytes(&planes),
        };
        Ok(Item { image, ..item })
    }
}

/// Values in `[0, 1]`, rounded to 8 bits.
pub(crate) fn in_bytes(values: &[f32]) -> Vec<u8> {
    let values = values.iter();
    values.map(|value| (value * 255.0).round() as u8).collect()
}
