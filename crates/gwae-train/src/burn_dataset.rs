//! Our datasets as Burn datasets, for Burn's data loaders, samplers and transformations.
//!
//! A run does not use this. It uses [`gwae_datasets::BatchStream`], which can begin anywhere in an
//! epoch, as a resumed run must, and which decodes on its own threads.

use std::sync::Arc;

use gwae_datasets::{Dataset, DatasetError, Item};

/// Some items of one of our datasets as a Burn dataset, for example the training part of a
/// [`Split`](gwae_datasets::Split).
///
/// ```
/// use std::sync::Arc;
/// use burn_dataset::Dataset;
/// use gwae_datasets::{Split, embedded_digits};
/// use gwae_train::burn_dataset::BurnDataset;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let digits = Arc::new(embedded_digits()?);
/// let split = Split::draw(digits.as_ref(), 0.1, 42)?;
/// let training = BurnDataset::new(digits, split.train)?;
/// assert_eq!(training.len(), 7_200);
/// let item = training.get(0)?;
/// assert_eq!((item.image.height, item.factors.len()), (28, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BurnDataset {
    dataset: Arc<dyn Dataset>,
    indices: Arc<[u32]>,
}

impl BurnDataset {
    /// The items at `indices`, in that order.
    ///
    /// # Errors
    /// [`DatasetError::IndexOutOfRange`] for an index that the dataset does not have.
    pub fn new(dataset: Arc<dyn Dataset>, indices: Vec<u32>) -> Result<Self, DatasetError> {
        let len = dataset.len();
        if let Some(wrong) = indices.iter().find(|index| **index as usize >= len) {
            return Err(DatasetError::IndexOutOfRange {
                dataset: dataset.name().to_owned(),
                index: *wrong as usize,
                len,
            });
        }
        Ok(Self {
            dataset,
            indices: indices.into(),
        })
    }
}

impl burn_dataset::Dataset<Item> for BurnDataset {
    /// The error is Burn's type, which its data loaders need; it contains a [`DatasetError`].
    fn get(&self, index: usize) -> Result<Item, burn_dataset::DatasetError> {
        let item = self.dataset.item(self.indices[index] as usize);
        item.map_err(burn_dataset::DatasetError::new)
    }

    fn len(&self) -> usize {
        self.indices.len()
    }
}

#[cfg(test)]
mod tests {
    use super::BurnDataset;
    use burn_dataset::Dataset;
    use burn_dataset::transform::PartialDataset;
    use gwae_datasets::{Dataset as _, DatasetError, Item, RenderedDsprites};
    use std::sync::Arc;

    #[test]
    fn burn_sees_the_chosen_items() {
        let sprites = Arc::new(RenderedDsprites::new(8).unwrap());
        let chosen = BurnDataset::new(sprites.clone(), vec![700_000, 3, 12]).unwrap();
        assert_eq!(chosen.len(), 3);
        assert_eq!(chosen.get(1).unwrap(), sprites.item(3).unwrap());
        let part = PartialDataset::new(chosen.clone(), 1, 3);
        assert_eq!(part.get(1).unwrap(), sprites.item(12).unwrap());
        let items: Vec<Item> = chosen.iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(items.len(), 3);
        assert!(matches!(
            BurnDataset::new(sprites, vec![737_280]),
            Err(DatasetError::IndexOutOfRange { index: 737_280, .. })
        ));
    }
}
