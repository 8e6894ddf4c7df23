//! The interface of all datasets.

use crate::error::DatasetError;
use crate::float_image::FloatImage;
use crate::item::{FactorSpec, Item};

/// A finite, ordered set of images that is read by index.
///
/// The set need not be in memory: an implementation may read or render an item on request. If there is an
/// official division, the items are in the order *training part, validation part (if there is one), test
/// part*.
pub trait Dataset: Send + Sync {
    /// The name in reports, such as `mnist`.
    fn name(&self) -> &str;

    /// Number of items of all parts together.
    fn len(&self) -> usize;

    /// Whether the dataset has no items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of items of the official training part, which is items `0..train_len()`. The official
    /// validation part ([`Dataset::validation_len`]) and then the official test part follow. The default, for
    /// datasets without an official division, is all items.
    fn train_len(&self) -> usize {
        self.len()
    }

    /// Number of items of the official validation part, which follows the training part. The default is 0: no
    /// such part.
    fn validation_len(&self) -> usize {
        0
    }

    /// The item at `index`. The same index always gives the same item.
    ///
    /// # Errors
    /// [`DatasetError::IndexOutOfRange`] for `index ≥ len()`, and any error of reading the item.
    fn item(&self, index: usize) -> Result<Item, DatasetError>;

    /// The image of the item as numbers, for datasets that are more precise than the bytes of
    /// [`Dataset::item`]. `None`, the default, if there are only the bytes, or if the index is out of range.
    fn float_image(&self, _index: usize) -> Option<FloatImage> {
        None
    }

    /// Like [`Dataset::item`], for callers that need only the square of `side`×`side` pixels in the image's
    /// centre. The image is that square, or the whole image if that is as fast, as in the default.
    /// [`Transform`](crate::Transform) gives the same result for both.
    ///
    /// # Errors
    /// The same as [`Dataset::item`].
    fn cropped_item(&self, index: usize, _side: usize) -> Result<Item, DatasetError> {
        self.item(index)
    }

    /// The items at `indices`, in that order and equal to those of [`Dataset::item`], if reading them
    /// together is faster than one by one. `None`, the default, if it is not.
    ///
    /// # Errors
    /// The same as [`Dataset::item`].
    fn items_together(&self, _indices: &[usize]) -> Option<Result<Vec<Item>, DatasetError>> {
        None
    }

    /// The factors whose values every item has. Empty by default.
    fn factors(&self) -> &[FactorSpec] {
        &[]
    }

    /// Names of the values of the factor at this index of [`Dataset::factors`], one per value. `None`, the
    /// default, if the values have only numbers.
    fn value_names(&self, _factor: usize) -> Option<&[String]> {
        None
    }

    /// The first item with exactly these factor values, one per factor. `None` if there is none. The default
    /// is also `None`, because finding the item would require reading all items. Datasets that are a grid of
    /// their factors override it.
    fn find(&self, _factors: &[u32]) -> Option<usize> {
        None
    }

    /// Reads the files once from start to end, so that the system keeps them in memory if there is room;
    /// scattered reads from a disk are slow. Run it in a separate thread when training starts. Does nothing
    /// by default.
    ///
    /// # Errors
    /// If a read fails.
    fn warm(&self) -> Result<(), DatasetError> {
        Ok(())
    }

    /// SHA-256 in lower-case hexadecimal over the content (images, factors, order and official division). A
    /// resumed run uses it to detect changed data.
    fn fingerprint(&self) -> String;

    /// The fingerprints that earlier versions of this program gave the same data. A run that began with one of
    /// them can go on. None by default.
    fn former_fingerprints(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the data have this fingerprint, or had it in an earlier version.
    fn has_fingerprint(&self, fingerprint: &str) -> bool {
        self.fingerprint() == fingerprint
            || self
                .former_fingerprints()
                .iter()
                .any(|former| former == fingerprint)
    }

    /// What a user should know about the data, one line each, such as the files that were passed over. Nothing by
    /// default.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The error for an index that `dataset` does not have.
pub(crate) fn out_of_range(dataset: &(impl Dataset + ?Sized), index: usize) -> DatasetError {
    DatasetError::IndexOutOfRange {
        dataset: dataset.name().to_owned(),
        index,
        len: dataset.len(),
    }
}
