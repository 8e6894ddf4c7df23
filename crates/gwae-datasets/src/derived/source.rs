//! Datasets made from other datasets, item by item.

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::item::{FactorSpec, Item};
use crate::transform::in_item;

/// A dataset with the items of another one and changed images. Number, order, parts and factors
/// stay the same; this module passes them on.
pub(crate) trait Derived: Send + Sync {
    /// The other dataset.
    fn original(&self) -> &dyn Dataset;

    /// The same as [`Dataset::name`].
    fn name(&self) -> &str;

    /// The fingerprint of this dataset if the original has this one.
    fn fingerprint_over(&self, original: &str) -> String;

    /// The item of the original, or only the part that [`Derived::change`] needs.
    fn read(&self, index: usize) -> Result<Item, DatasetError> {
        self.original().item(index)
    }

    /// Changes an item of the original. An error need not name the item.
    fn change(&self, index: usize, item: Item) -> Result<Item, DatasetError>;

    /// Whether each pixel is changed independently, so that cropping before or after gives the same
    /// result.
    fn changes_pixel_by_pixel(&self) -> bool {
        false
    }
}

impl<T: Derived> Dataset for T {
    fn name(&self) -> &str {
        Derived::name(self)
    }

    fn len(&self) -> usize {
        self.original().len()
    }

    fn train_len(&self) -> usize {
        self.original().train_len()
    }

    fn validation_len(&self) -> usize {
        self.original().validation_len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        finish(self, index, self.read(index))
    }

    fn cropped_item(&self, index: usize, side: usize) -> Result<Item, DatasetError> {
        if self.changes_pixel_by_pixel() {
            finish(self, index, self.original().cropped_item(index, side))
        } else {
            self.item(index)
        }
    }

    fn items_together(&self, indices: &[usize]) -> Option<Result<Vec<Item>, DatasetError>> {
        let items = match self.original().items_together(indices)? {
            Ok(items) => items,
            Err(error) => return Some(Err(rename(error, Derived::name(self)))),
        };
        let items = indices.iter().zip(items);
        Some(
            items
                .map(|(index, item)| finish(self, *index, Ok(item)))
                .collect(),
        )
    }

    fn factors(&self) -> &[FactorSpec] {
        self.original().factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        self.original().value_names(factor)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.original().find(factors)
    }

    fn warm(&self) -> Result<(), DatasetError> {
        self.original().warm()
    }

    fn fingerprint(&self) -> String {
        self.fingerprint_over(&self.original().fingerprint())
    }

    fn former_fingerprints(&self) -> Vec<String> {
        let former = self.original().former_fingerprints();
        former
            .iter()
            .map(|former| self.fingerprint_over(former))
            .collect()
    }

    fn notes(&self) -> Vec<String> {
        self.original().notes()
    }
}

/// Changes an item that was read. Errors name the derived dataset.
fn finish<T: Derived>(
    dataset: &T,
    index: usize,
    item: Result<Item, DatasetError>,
) -> Result<Item, DatasetError> {
    let item = item.map_err(|error| rename(error, Derived::name(dataset)))?;
    let changed = dataset.change(index, item);
    changed.map_err(|error| in_item(dataset, index, error))
}

/// The error with the name of the derived dataset.
fn rename(error: DatasetError, name: &str) -> DatasetError {
    match error {
        DatasetError::IndexOutOfRange { index, len, .. } => DatasetError::IndexOutOfRange {
            dataset: name.to_owned(),
            index,
            len,
        },
        other => other,
    }
}
