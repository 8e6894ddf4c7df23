//! Images at the model's size in one file. They are decoded and resized once, on first use.
//!
//! A record of the file holds the pixels of an item (`[C, H, W]`, u8) and its factors (u32, little-endian).

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, out_of_range};
use crate::decoder_version::DECODER_VERSION;
use crate::derived::transformed::in_bytes;
use crate::error::{BatchError, DatasetError};
use crate::image_shape::ImageShape;
use crate::item::{FactorSpec, Image, Item};
use crate::transform::Transform;
use crate::transform::in_item;
use gwae_formats::atomic::FileError;
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::parallel::default_threads;
use gwae_formats::records::{Division, Head, Progress, RecordFile, RecordSource, open_or_make};

/// Number of images that a thread makes before they are written.
const BLOCK: u64 = 128;

/// A dataset whose images were decoded, cropped and resized once and are then read from a file.
///
/// Name, factors, order, parts and fingerprint are those of the original dataset, so a split of the
/// original is valid for this dataset. Pixels are those of [`Transform::apply`] rounded to 8 bits,
/// so they differ from uncached ones by at most half a level (1/510). The file is read by index,
/// never as a whole.
pub struct CachedImages {
    dataset: Arc<dyn Dataset>,
    shape: ImageShape,
    file: RecordFile,
}

impl CachedImages {
    /// Opens the cache of `dataset` under `transform` in `directory`. If it does not exist, this makes it, with
    /// one thread per core (at most eight).
    ///
    /// The file's name identifies its content, so one directory may hold the caches of many datasets and sizes.
    /// Making it may be interrupted at any moment; the next call continues. If another process makes the file,
    /// this call waits. A file that is damaged or in the format of an earlier version is made again; `progress`
    /// names the reason.
    ///
    /// # Errors
    /// If the [`Transform`] is out of range or [`Dataset::item`] fails; [`DatasetError::Item`] if an image cannot
    /// be transformed; [`RecordsError`](gwae_formats::records::RecordsError) if the file cannot be written or
    /// read.
    pub fn open_or_create(
        dataset: Arc<dyn Dataset>,
        transform: Transform,
        directory: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DatasetError> {
        transform.check()?;
        if dataset.is_empty() {
            return Err(BatchError::NoItems.into());
        }
        let key = key(dataset.as_ref(), transform);
        let path = directory.join(file_name(dataset.name(), transform, &key));
        fs::create_dir_all(directory)
            .map_err(FileError::on("create", directory))
            .map_err(|error| DatasetError::Files(Box::new(error)))?;
        let shape = transform.shape;
        let head = Head {
            description: key.to_vec(),
            records: dataset.len() as u64,
            record_bytes: (shape.values() + 4 * dataset.factors().len()) as u64,
        };
        let division = Division {
            layer: BLOCK * default_threads().get() as u64,
            block: BLOCK,
        };
        let source = Transforming {
            dataset: dataset.as_ref(),
            transform,
        };
        let file = open_or_make(&path, &head, division, &source, progress)?;
        Ok(Self {
            dataset,
            shape,
            file,
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Dataset for CachedImages {
    fn name(&self) -> &str {
        self.dataset.name()
    }

    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn train_len(&self) -> usize {
        self.dataset.train_len()
    }

    fn validation_len(&self) -> usize {
        self.dataset.validation_len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        if index >= self.len() {
            return Err(out_of_range(self, index));
        }
        let mut pixels = self.file.read(index)?;
        let factors = pixels.split_off(self.shape.values());
        let (factors, _) = factors.as_chunks();
        Ok(Item {
            image: Image::new(self.shape, pixels),
            factors: factors.iter().map(|&n| u32::from_le_bytes(n)).collect(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        self.dataset.factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        self.dataset.value_names(factor)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.dataset.find(factors)
    }

    fn warm(&self) -> Result<(), DatasetError> {
        Ok(self.file.read_through()?)
    }

    fn fingerprint(&self) -> String {
        self.dataset.fingerprint()
    }

    fn former_fingerprints(&self) -> Vec<String> {
        self.dataset.former_fingerprints()
    }

    fn notes(&self) -> Vec<String> {
        self.dataset.notes()
    }
}

/// The items of a dataset as records.
struct Transforming<'a> {
    dataset: &'a dyn Dataset,
    transform: Transform,
}

impl RecordSource for Transforming<'_> {
    type Error = DatasetError;

    fn make(&self, records: Range<u64>, bytes: &mut [u8]) -> Result<(), DatasetError> {
        let Self { dataset, transform } = *self;
        let length = bytes.len() / (records.end - records.start) as usize;
        for (index, record) in records.zip(bytes.chunks_exact_mut(length)) {
            let index = index as usize;
            let Item { image, factors } = transform.item_of(dataset, index)?;
            let values = transform
                .apply(&image)
                .map_err(|error| in_item(dataset, index, error))?;
            let (pixels, numbers) = record.split_at_mut(values.len());
            pixels.copy_from_slice(&in_bytes(&values));
            for (number, factor) in numbers.as_chunks_mut().0.iter_mut().zip(factors) {
                *number = factor.to_le_bytes();
            }
        }
        Ok(())
    }
}

fn key(dataset: &dyn Dataset, transform: Transform) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets: copy of images, version 2\0");
    hash.update(DECODER_VERSION.to_le_bytes());
    // It covers the content of the files.
    hash.update(dataset.fingerprint().as_bytes());
    let Transform { shape, crop, fit } = transform;
    for number in [
        shape.channels,
        shape.height,
        shape.width,
        crop.unwrap_or(0),
        fit as usize,
        dataset.len(),
        dataset.factors().len(),
    ] {
        hash.update((number as u64).to_le_bytes());
    }
    hash.finalize().into()
}

/// The part of the file name that identifies the cache, in characters that every file system
/// accepts.
fn file_name(dataset: &str, transform: Transform, key: &[u8; 32]) -> String {
    let Transform { shape, crop, .. } = transform;
    let ImageShape {
        channels,
        height,
        width,
    } = shape;
    let dataset: String = dataset
        .chars()
        .take(40)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let crop = crop.map(|side| format!("-crop{side}")).unwrap_or_default();
    let key = hexadecimal(&key[..8]);
    format!("{dataset}{crop}-{channels}x{height}x{width}-{key}.images")
}
