//! Items of a dataset as model input, by index, each transformed only once where memory allows.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::parallel::{default_threads, in_ranges};
use crate::{Dataset, DatasetError, Item, Transform};

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
    threads: NonZeroUsize,
    /// One slot per item, filled at its first use; empty where the set is too large.
    cache: Vec<OnceLock<Box<[f32]>>>,
    /// Bytes in the slots. Where images have different numbers of planes the first one does not
    /// tell how many there will be.
    cached: AtomicUsize,
}

/// Fewest images that are worth a thread of their own.
const LEAST_PER_THREAD: usize = 16;

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
    /// [`DatasetError::Size`], [`DatasetError::Channels`] and [`DatasetError::Crop`] for a transform
    /// out of range, [`DatasetError::NoItems`] for an empty dataset, and the error of its first item, which is
    /// read to learn how much memory the set takes.
    pub fn new(dataset: Arc<dyn Dataset>, transform: Transform) -> Result<Self, DatasetError> {
        transform.check()?;
        if dataset.is_empty() {
            return Err(DatasetError::NoItems);
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

    /// The same with another number of threads that read, decode and transform: the workers of
    /// each [`BatchStream`](crate::BatchStream), and those of each [`ImageSource::load`] of images
    /// that are not in memory. It changes no value and no order.
    ///
    /// Without this call it is one thread per core, at most eight. The threads are the source's
    /// own, not those of a pool that a model computes on: a pool's thread that picked up an image
    /// would keep a whole kernel waiting for it. They sleep while enough batches are ready, so
    /// they take from the model only the time that its images cost.
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// How many threads read, decode and transform.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
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

    /// As [`ImageSource::load`], all of it on the calling thread.
    pub(crate) fn load_here(&self, indices: &[u32]) -> Result<LoadedImages, DatasetError> {
        let mut images = Vec::with_capacity(indices.len() * self.transform.output_len());
        let mut together = self.read_together(indices)?.into_iter();
        for &index in indices {
            self.append(index as usize, together.next().flatten(), &mut images)?;
        }
        Ok(self.loaded(images, indices.len()))
    }

    fn loaded(&self, images: Vec<f32>, count: usize) -> LoadedImages {
        let Transform { size, channels, .. } = self.transform;
        LoadedImages {
            images,
            shape: [count, channels, size, size],
        }
    }

    fn is_cached(&self, index: u32) -> bool {
        let slot = self.cache.get(index as usize);
        slot.is_some_and(|slot| slot.get().is_some())
    }

    /// The items that are not in memory, each in its place, where the dataset reads them together;
    /// else nothing.
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
            // Another thread may have cached one since; it is in `missing` all the same.
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
        let item = match item {
            Some(item) => item,
            None => self.transform.item_of(dataset, index)?,
        };
        let Some(slot) = slot else {
            return self.transform.append_item(dataset, index, &item, images);
        };
        let planes = self.transform.planes_of(dataset, index, &item)?;
        if self.reserve(size_of_val(planes.as_slice())) {
            let planes = slot.get_or_init(|| planes.into_boxed_slice());
            self.append_planes(planes, images);
        } else {
            self.append_planes(&planes, images);
        }
        Ok(())
    }

    /// Appends planes, repeated to as many as the model takes.
    fn append_planes(&self, planes: &[f32], images: &mut Vec<f32>) {
        for _ in 0..self.transform.output_len() / planes.len() {
            images.extend_from_slice(planes);
        }
    }

    /// Whether so many bytes more may be kept; if so, they count as kept.
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
