//! Labels of images.

use gwae_datasets::{Dataset, DatasetError};

/// The labels of images: the values of one factor of the dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The label of each image, from 0.
    pub values: Vec<usize>,
    /// Names of the labels.
    pub names: Vec<String>,
}

impl Labels {
    /// The labels of the items at `indices` by the factor at this place of [`Dataset::factors`].
    /// `None` if the factor does not exist or has only one value.
    ///
    /// # Errors
    /// When an item cannot be read.
    pub fn of(
        dataset: &dyn Dataset,
        indices: &[u32],
        factor: usize,
    ) -> Result<Option<Self>, DatasetError> {
        let Some(spec) = dataset.factors().get(factor).filter(|spec| spec.values > 1) else {
            return Ok(None);
        };
        let items = indices.iter().map(|index| dataset.item(*index as usize));
        let values = items.map(|item| Ok(item?.factors[factor] as usize));
        let numbers = || (0..spec.values).map(|n| n.to_string()).collect();
        Ok(Some(Self {
            values: values.collect::<Result<_, DatasetError>>()?,
            names: dataset
                .value_names(factor)
                .map_or_else(numbers, <[_]>::to_vec),
        }))
    }

    /// The number of the given images with each label.
    pub(super) fn counts(&self, images: impl Iterator<Item = usize>) -> Vec<u64> {
        let mut counts = vec![0; self.names.len()];
        for image in images {
            if let Some(count) = counts.get_mut(self.values[image]) {
                *count += 1;
            }
        }
        counts
    }
}
