//! What every dataset can do.

use crate::{DatasetError, FactorSpec, Item};

/// A finite, ordered set of images that is read by index.
///
/// Nothing here asks for the set to be in memory: an implementation may read or render an
/// item when it is asked for. Items with an official division are in the order
/// *training part, then test part*.
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
    /// official test part. A dataset without an official division returns [`Dataset::len`].
    fn train_len(&self) -> usize;

    /// The item at `index`; the same index always gives the same item.
    ///
    /// # Errors
    /// [`DatasetError::IndexOutOfRange`] for `index ≥ len()`, and whatever reading the item
    /// from its place can bring.
    fn item(&self, index: usize) -> Result<Item, DatasetError>;

    /// The factors whose values every item carries.
    fn factors(&self) -> &[FactorSpec];

    /// SHA-256 in lower-case hexadecimal over the content (images, factors, order and official
    /// division), so that a resumed run can tell that its data changed.
    fn fingerprint(&self) -> String;
}
