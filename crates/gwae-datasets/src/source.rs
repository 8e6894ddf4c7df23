//! The items of a dataset as model input. Each is transformed only once if memory allows.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::dataset::Dataset;
use crate::error::{BatchError, DatasetError};
use crate::item::Item;
use crate::transform::Transform;
use gwae_formats::parallel::{default_threads, in_ranges};

/// Maximum memory for transformed images: 512 MiB. This is 131,072 grey images of 32×32, or 32,768
/// of 64×64. Larger datasets are transformed again in every epoch.
///
/// Repeated planes count once: a grey image costs one plane, whatever the model's channels.
pub const CACHE_LIMIT_BYTES: usize = 512 << 20;

/// A dataset seen through a [`Transform`]. The training stream, validation and plots share it; any
/// thread can load from it.
pub struct ImageSource {
    dataset: Arc<dyn Dataset>,
    transform: Transform,
    threads: NonZeroUsize,
    /// One slot per item, filled at its first use; empty if the dataset is too large.
    cache: Vec<OnceLock<Box<[f32]>>>,
    /// Number of bytes in the slots. It is counted because images may have different numbers of
    /// planes.
    cached: AtomicUsize,
}

/// Minimum number of images that justifies a separate thread.
const LEAST_PER_THREAD: usize = 16;

/// A batch of images as [`ImageSource::load`] returns it.
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
    /// [`SettingError::Size`](crate::SettingError::Size),
    /// [`SettingError::Channels`](crate::SettingError::Channels) and
    /// [`SettingError::Crop`](crate::SettingError::Crop) if the transform is out of range,
    /// [`BatchError::NoItems`] for an empty dataset, and the error of the first item, which is read
    /// to learn how much memory the dataset takes.
    pub fn new(dataset: Arc<dyn Dataset>, transform: Transform) -> Result<Self, DatasetError> {
        transform.check()?;
        if dataset.is_empty() {
            return Err(DatasetError::Batch(BatchError::NoItems));
        }
        let first = transform.item_of(dataset.as_ref(), 0)?;
        let first = transform.planes_of(dataset.as_ref(), 0, &first)?;
        let bytes = dataset.len().checked_mul(size_of_val(first.as_slice()));
        let slots = match bytes {
            Some(bytes) if bytes <= CACHE_LIMIT_BYTES => dataset.len(),
            _ => 0,
        };
        Ok(Self {
            dataset,
            transform,
            threads: default_threads(),
            cached: AtomicUsize::new(0),
            cache: (0..slots).map(|_| OnceLock::new()).collect(),
        })
    }

    /// The same source with another number of threads that read, decode and transform. These are
    /// the workers of each [`BatchStream`](crate::BatchStream), and the threads of each
    /// [`ImageSource::load`] of images that are not in memory. The number changes no value and no
    /// order.
    ///
    /// The default is one thread per core, at most eight. The threads belong to the source and not
    /// to the thread pool that a model computes on: a pool thread that works on an image would
    /// delay a whole kernel. They sleep while enough batches are ready, so they take only the time
    /// that the images need.
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// Number of threads that read, decode and transform.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// The dataset.
    pub fn dataset(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    /// The transform of every image.
    pub fn transform(&self) -> Transform {
        self.transform
    }

    /// The images at `indices`, in that order, as one batch; for validation and pictures.
    ///
    /// The errors of [`Dataset::item`], and [`DatasetError::Item`] with the errors of
    /// [`Transform::apply`].
    /// Those of [`Dataset::item`], and [`DatasetError::Item`] with those of [`Transform::apply`].
    pub fn load(&self, indices: &[u32]) -> Result<LoadedImages, DatasetError> {
        let missing = indices.iter().filter(|&&index| !self.is_cached(index));
        let useful = missing.count() / LEAST_PER_THREAD;
        let threads = self.threads.get().min(useful);
        if threads < 2 {
            return self.load_here(indices);
        }
        let parts = in_ranges(threads, indices.len(), |range| {
            self.load_here(&indices[range]).map(|part| part.images)
        })?;
        Ok(self.loaded(parts.concat(), indices.len()))
    }

    /// Like [`ImageSource::load`], but on the calling thread only.
    pub(crate) fn load_here(&self, indices: &[u32]) -> Result<LoadedImages, DatasetError> {
        let mut images = Vec::with_capacity(indices.len() * self.transform.output_len());
        let mut together = self.read_together(indices)?.into_iter();
        for &index in indices {
            self.append(index as usize, together.next().flatten(), &mut images)?;
        }
        Ok(self.loaded(images, indices.len()))
    }

    fn loaded(&self, images: Vec<f32>, count: usize) -> LoadedImages {
        let shape = self.transform.shape;
        LoadedImages {
            images,
            shape: [count, shape.channels, shape.height, shape.width],
        }
    }

    fn is_cached(&self, index: u32) -> bool {
        let slot = self.cache.get(index as usize);
        slot.is_some_and(|slot| slot.get().is_some())
    }

    /// The items that are not in memory, each at its position, if the dataset reads items together;
    /// otherwise empty.
    fn read_together(&self, indices: &[u32]) -> Result<Vec<Option<Item>>, DatasetError> {
        let missing: Vec<usize> = indices
            .iter()
            .filter(|&&index| !self.is_cached(index))
            .map(|&index| index as usize)
            .collect();
        let Some(items) = self.dataset.items_together(&missing) else {
            return Ok(Vec::new());
        };
        let mut items = missing.iter().zip(items?).peekable();
        let placed = indices.iter().map(|&index| {
            // Another thread may have cached one since; it is in `missing` anyway.
            let item = items.next_if(|(missing, _)| **missing == index as usize);
            item.map(|(_, item)| item)
        });
        Ok(placed.collect())
    }

    fn append(
        &self,
        index: usize,
        item: Option<Item>,
        images: &mut Vec<f32>,
    ) -> Result<(), DatasetError> {
        let slot = self.cache.get(index);
        if let Some(planes) = slot.and_then(OnceLock::get) {
            self.append_planes(planes, images);
            return Ok(());
        }
        let dataset = self.dataset.as_ref();
        let planes = match dataset.float_image(index) {
            Some(image) => self.transform.float_planes_of(dataset, index, &image)?,
            None => {
                let item = match item {
                    Some(item) => item,
                    None => self.transform.item_of(dataset, index)?,
                };
                if slot.is_none() {
                    return self.transform.append_item(dataset, index, &item, images);
                }
                self.transform.planes_of(dataset, index, &item)?
            }
        };
        match slot {
            Some(slot) if self.reserve(size_of_val(planes.as_slice())) => {
                let planes = slot.get_or_init(|| planes.into_boxed_slice());
                self.append_planes(planes, images);
            }
            _ => self.append_planes(&planes, images),
        }
        Ok(())
    }

    /// Appends the planes, repeated up to the model's channels.
    fn append_planes(&self, planes: &[f32], images: &mut Vec<f32>) {
        for _ in 0..self.transform.output_len() / planes.len() {
            images.extend_from_slice(planes);
        }
    }

    /// Whether `bytes` more bytes may be cached. If so, they are counted.
    fn reserve(&self, bytes: usize) -> bool {
        let add = |cached: usize| {
            let sum = cached.checked_add(bytes)?;
            (sum <= CACHE_LIMIT_BYTES).then_some(sum)
        };
        self.cached
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok()
    }
}
