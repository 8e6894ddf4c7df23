//! Items of a dataset as model input, by index, each transformed only once where memory allows.

use std::sync::{Arc, OnceLock};

use crate::{Dataset, DatasetError, Transform};

/// Up to this much memory (512 MiB) is used to keep transformed images: 131,072 grey images of
/// 32×32, 32,768 of 64×64. Larger sets are transformed again every epoch.
///
/// Repeated planes count once: a grey image costs one plane, whatever the model's channels.
pub const CACHE_LIMIT_BYTES: usize = 512 << 20;

/// A dataset seen through a [`Transform`]. Shared by the training stream, validation and
/// pictures; loads from any thread.
pub struct ImageSource {
    dataset: Arc<dyn Dataset>,
    transform: Transform,
    /// One slot per item, filled at its first use; empty where the set is too large.
    cache: Vec<OnceLock<Box<[f32]>>>,
}

/// Images by index, as [`ImageSource::load`] gives them.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedImages {
    /// Row-major values in `[0, 1]`.
    pub images: Vec<f32>,
    /// `[B, C, H, W]`.
    pub shape: [usize; 4],
}

impl ImageSource {
    /// A source over all items of `dataset`.
    ///
    /// # Errors
    /// [`DatasetError::Size`] and [`DatasetError::Channels`] for a transform out of range,
    /// [`DatasetError::NoItems`] for an empty dataset, and the error of its first item, which is
    /// read to learn how much memory the set takes.
    pub fn new(dataset: Arc<dyn Dataset>, transform: Transform) -> Result<Self, DatasetError> {
        transform.check()?;
        if dataset.is_empty() {
            return Err(DatasetError::NoItems);
        }
        let first = transform.planes(&dataset.item(0)?.image)?;
        let bytes = dataset.len().checked_mul(size_of_val(first.as_slice()));
        let slots = match bytes {
            Some(bytes) if bytes <= CACHE_LIMIT_BYTES => dataset.len(),
            _ => 0,
        };
        Ok(Self {
            dataset,
            transform,
            cache: (0..slots).map(|_| OnceLock::new()).collect(),
        })
    }

    /// The dataset behind it.
    pub fn dataset(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    /// What every image is made into.
    pub fn transform(&self) -> Transform {
        self.transform
    }

    /// The images at `indices`, in that order, as one batch; for validation and pictures.
    ///
    /// # Errors
    /// Those of [`Dataset::item`] and [`Transform::apply`].
    pub fn load(&self, indices: &[u32]) -> Result<LoadedImages, DatasetError> {
        let Transform { size, channels } = self.transform;
        let mut images = Vec::with_capacity(indices.len() * self.transform.output_len());
        for &index in indices {
            self.append(index as usize, &mut images)?;
        }
        Ok(LoadedImages {
            images,
            shape: [indices.len(), channels, size, size],
        })
    }

    fn append(&self, index: usize, images: &mut Vec<f32>) -> Result<(), DatasetError> {
        let fresh: Vec<f32>;
        let slot = self.cache.get(index);
        let planes = match slot.and_then(OnceLock::get) {
            Some(planes) => planes,
            None => {
                let item = self.dataset.item(index)?;
                fresh = self.transform.planes(&item.image)?;
                match slot {
                    Some(slot) => slot.get_or_init(|| fresh.into_boxed_slice()),
                    None => fresh.as_slice(),
                }
            }
        };
        for _ in 0..self.transform.output_len() / planes.len() {
            images.extend_from_slice(planes);
        }
        Ok(())
    }
}
