//! What every dataset can do.

use crate::{DatasetError, FactorSpec, Item};

/// A finite, ordered set of images that is read by index.
///
/// Nothing here asks for the set to be in memory: an implementation may read or render an
/// item when it is asked for. Items with an official division are in the order
/// *training part, validation part (if there is one), test part*.
pub trait Dataset: Send + Sync {
    /// Name as reports print it, such as `mnist`.
    fn name(&self) -> &str;

    /// Number of items of all parts together.
    fn len(&self) -> usize;

    /// Whether there are no items at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of items of the official training part: items `0..train_len()`. The others are the
    /// official validation part ([`Dataset::validation_len`]), then the official test part. A
    /// dataset without an official division returns [`Dataset::len`].
    fn train_len(&self) -> usize;

    /// Number of items of the official validation part, right after the training part. 0, as here,
    /// where there is no such part.
    fn validation_len(&self) -> usize {
        0
    }

    /// The item at `index`; the same index always gives the same item.
    ///
    /// # Errors
    /// [`DatasetError::IndexOutOfRange`] for `index ≥ len()`, and whatever reading the item
    /// from its place can bring.
    fn item(&self, index: usize) -> Result<Item, DatasetError>;

    /// As [`Dataset::item`] where only the square of `side`×`side` pixels in the image's centre is
    /// wanted: the image is that square, or the whole one, as here, where that takes no longer.
    /// [`Transform`](crate::Transform) makes the same of both.
    ///
    /// # Errors
    /// As [`Dataset::item`].
    fn cropped_item(&self, index: usize, _side: usize) -> Result<Item, DatasetError> {
        self.item(index)
    }

    /// The items at `indices`, in that order and as [`Dataset::item`] gives them, where reading
    /// them together takes less work than one by one; `None`, as here, where it does not.
    ///
    /// # Errors
    /// As [`Dataset::item`].
    fn items_together(&self, _indices: &[usize]) -> Option<Result<Vec<Item>, DatasetError>> {
        None
    }

    /// The factors whose values every item carries.
    fn factors(&self) -> &[FactorSpec];

    /// Names of the values of the factor at that place of [`Dataset::factors`], one for each of its
    /// values; `None`, as here, where values have no names but their numbers.
    fn value_names(&self, _factor: usize) -> Option<&[String]> {
        None
    }

    /// The (first) item with exactly these factor values, one per factor; `None` where there is none,
    /// and, as here, where finding it would take a look at all items. Datasets that are a grid of
    /// their factors know.
    fn find(&self, _factors: &[u32]) -> Option<usize> {
        None
    }

    /// Reads what lies on the disk once from start to end, so that the system keeps it in memory as
    /// far as there is room: scattered reads from a disk are slow. Worth a thread of its own when
    /// training starts. Does nothing, as here, where that would not help.
    ///
    /// # Errors
    /// A failing read.
    fn warm(&self) -> Result<(), DatasetError> {
        Ok(())
    }

    /// SHA-256 in lower-case hexadecimal over the content (images, factors, order and official
    /// division), so that a resumed run can tell that its data changed.
    fn fingerprint(&self) -> String;
}
