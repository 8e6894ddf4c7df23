//! Images at the model's size in one file. They are decoded and resized once, on first use.
//!
//! | offset | content |
//! |---|---|
//! | 0 | `gwaeimg2` |
//! | 8 | SHA-256 over everything that decides the content: fingerprint of the dataset, transform, number of items and of factors |
//! | 40 | one record per item: the pixels (`[C, H, W]`, u8), the factors (u32, little-endian), CRC-32 of both (u32, little-endian) |
//!
//! All records have the same length. It follows from the dataset and the transform, so no size is
//! read from the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use sha2::{Digest, Sha256};

use crate::dataset::Dataset;
use crate::derived::transformed::in_bytes;
use crate::error::{DatasetError, behind};
use crate::image_shape::ImageShape;
use crate::item::{FactorSpec, Image, Item};
use crate::transform::Transform;
use crate::transform::in_item;
use gwae_formats::atomic::rename_synced;
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::parallel::{default_threads, in_ranges};
use gwae_formats::positioned_file::SharedReader;

const MAGIC: &[u8; 8] = b"gwaeimg2";
const HEADER_LEN: u64 = 40;

/// Number of images that a thread makes before they are written.
const BLOCK: usize = 128;

/// The error for a cache of images that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct ImageCacheError {
    /// The cache file, or its directory.
    pub file: String,
    /// The problem.
    pub problem: ImageCacheProblem,
}

behind!(Files, ImageCacheError);

/// A problem of a cache of images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageCacheProblem {
    /// The file cannot be read.
    #[error("cannot read it: {0}; check its permissions, or delete it to have it made again")]
    Read(#[source] io::Error),

    /// The file cannot be written; the disk may be full.
    #[error(
        "cannot write it: {error}; it takes {bytes} bytes, so make room or choose another directory"
    )]
    Write {
        /// The error of the system.
        error: io::Error,
        /// Size of the whole file.
        bytes: u64,
    },

    /// The content of an item differs from what was written.
    #[error("item {index} is damaged; delete the file to have it made again")]
    Damaged {
        /// Index of the item.
        index: usize,
    },
}

/// A dataset whose images were decoded, cropped and resized once and are then read from a file.
///
/// Name, factors, order, parts and fingerprint are those of the original dataset, so a split of the
/// original is valid for this dataset. Pixels are those of [`Transform::apply`] rounded to 8 bits,
/// so they differ from uncached ones by at most half a level (1/510). The file is read by index,
/// never as a whole.
pub struct CachedImages {
    dataset: Arc<dyn Dataset>,
    layout: Layout,
    file: SharedReader,
    path: PathBuf,
}

/// The layout of the file.
#[derive(Clone, Copy)]
struct Layout {
    shape: ImageShape,
    factors: usize,
    items: usize,
}

impl CachedImages {
    /// Opens the cache of `dataset` under `transform` in `directory`. If it does not exist, this
    /// makes it, with one thread per core (at most eight). `progress` gets the number of finished
    /// images and their total.
    ///
    /// The file's name identifies its content, so one directory may hold the caches of many
    /// datasets and sizes. The file is written as `….partial` and renamed when it is completely on
    /// the disk. The next attempt overwrites what an interrupted one left. A file of the wrong
    /// length is made again. If another process is making the file, this call waits.
    ///
    /// # Errors
    /// If the [`Transform`] is out of range or [`Dataset::item`] fails; [`DatasetError::Item`] if
    /// an image cannot be transformed; [`ImageCacheError`] if the file cannot be written or read.
    pub fn open_or_create(
        dataset: Arc<dyn Dataset>,
        transform: Transform,
        directory: &Path,
        progress: impl FnMut(usize, usize),
    ) -> Result<Self, DatasetError> {
        transform.check()?;
        let layout = Layout {
            shape: transform.shape,
            factors: dataset.factors().len(),
            items: dataset.len(),
        };
        let key = key(dataset.as_ref(), transform);
        let path = directory.join(file_name(dataset.name(), transform, &key));
        let file = match open_complete(&path, &key, layout)? {
            Some(file) => file,
            None => create(dataset.as_ref(), transform, layout, &key, &path, progress)?,
        };
        Ok(Self {
            dataset,
            layout,
            file,
            path,
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Dataset for CachedImages {
    fn name(&self) -> &str {
        self.dataset.name()
    }

    fn len(&self) -> usize {
        self.layout.items
    }

    fn train_len(&self) -> usize {
        self.dataset.train_len()
    }

    fn validation_len(&self) -> usize {
        self.dataset.validation_len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let layout = self.layout;
        if index >= layout.items {
            return Err(DatasetError::IndexOutOfRange {
                dataset: self.name().to_owned(),
                index,
                len: layout.items,
            });
        }
        let mut record = vec![0; layout.record_len()];
        let offset = HEADER_LEN + index as u64 * record.len() as u64;
        self.file
            .read_exact_at(&mut record, offset)
            .map_err(|error| problem(&self.path, ImageCacheProblem::Read(error)))?;
        let values = record.split_off(layout.pixels());
        let (numbers, _) = values.as_chunks::<4>();
        let mut factors: Vec<u32> = numbers.iter().map(|&n| u32::from_le_bytes(n)).collect();
        let checksum = factors.pop();
        let mut crc = Crc::new();
        crc.update(&record);
        crc.update(&values[..4 * layout.factors]);
        if checksum != Some(crc.sum()) {
            return Err(problem(&self.path, ImageCacheProblem::Damaged { index }));
        }
        Ok(Item {
            image: Image::new(layout.shape, record),
            factors,
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
        self.file
            .read_through()
            .map_err(|error| problem(&self.path, ImageCacheProblem::Read(error)))
    }

    fn fingerprint(&self) -> String {
        self.dataset.fingerprint()
    }
}

impl Layout {
    fn pixels(&self) -> usize {
        self.shape.values()
    }

    fn record_len(&self) -> usize {
        self.pixels() + 4 * self.factors + 4
    }

    fn file_len(&self) -> u64 {
        HEADER_LEN + self.items as u64 * self.record_len() as u64
    }
}

fn problem(path: &Path, problem: ImageCacheProblem) -> DatasetError {
    ImageCacheError {
        file: path.display().to_string(),
        problem,
    }
    .into()
}

fn key(dataset: &dyn Dataset, transform: Transform) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(dataset.fingerprint().as_bytes());
    let Transform { shape, crop } = transform;
    for number in [
        shape.height,
        shape.channels,
        crop.unwrap_or(0),
        dataset.len(),
        dataset.factors().len(),
    ] {
        hash.update((number as u64).to_le_bytes());
    }
    // Squares keep the keys from before other shapes were supported.
    if shape.width != shape.height {
        hash.update((shape.width as u64).to_le_bytes());
    }
    hash.finalize().into()
}

/// The part of the file name that identifies the cache, in characters that every file system
/// accepts.
fn file_name(dataset: &str, transform: Transform, key: &[u8; 32]) -> String {
    let Transform { shape, crop } = transform;
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

/// The file at `path`, if it is a complete cache with this key.
fn open_complete(
    path: &Path,
    key: &[u8; 32],
    layout: Layout,
) -> Result<Option<SharedReader>, DatasetError> {
    let failed = |error| problem(path, ImageCacheProblem::Read(error));
    let file = match File::open(path) {
        Ok(file) => SharedReader::new(file).map_err(failed)?,
        // Making the file shows whether this is possible.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    if file.length() != layout.file_len() {
        return Ok(None);
    }
    let mut header = [0; HEADER_LEN as usize];
    file.read_exact_at(&mut header, 0).map_err(failed)?;
    let is_ours = header.starts_with(MAGIC) && header[MAGIC.len()..] == key[..];
    Ok(is_ours.then_some(file))
}

fn create(
    dataset: &dyn Dataset,
    transform: Transform,
    layout: Layout,
    key: &[u8; 32],
    path: &Path,
    progress: impl FnMut(usize, usize),
) -> Result<SharedReader, DatasetError> {
    let bytes = layout.file_len();
    let failed = |error| problem(path, ImageCacheProblem::Write { error, bytes });
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed)?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&partial)
        .map_err(failed)?;
    // Some network file systems have no locks. On them, two processes must not do this at once.
    let _ = file.lock();
    if let Some(complete) = open_complete(path, key, layout)? {
        // Another process has made it since. If `partial` exists, it does not belong to that
        // process.
        return Ok(complete);
    }
    let result = file.set_len(0).map_err(failed).and_then(|()| {
        let mut writer = BufWriter::with_capacity(1 << 20, &file);
        write_header(&mut writer, key).map_err(failed)?;
        write_records(dataset, transform, layout, &mut writer, failed, progress)?;
        writer.flush().map_err(failed)?;
        drop(writer);
        file.sync_all().map_err(failed)?;
        rename_synced(&partial, path).map_err(failed)
    });
    if let Err(error) = result {
        // This frees the disk space. The name stays, because the next attempt may be waiting for
        // its lock.
        let _ = file.set_len(0);
        return Err(error);
    }
    match open_complete(path, key, layout)? {
        Some(complete) => Ok(complete),
        None => Err(failed(io::Error::other("it is not what was written"))),
    }
}

fn write_header(writer: &mut impl Write, key: &[u8; 32]) -> io::Result<()> {
    writer.write_all(MAGIC)?;
    writer.write_all(key)
}

fn write_records(
    dataset: &dyn Dataset,
    transform: Transform,
    layout: Layout,
    writer: &mut impl Write,
    failed: impl Fn(io::Error) -> DatasetError,
    mut progress: impl FnMut(usize, usize),
) -> Result<(), DatasetError> {
    let threads = default_threads().get();
    let block = BLOCK * threads;
    for start in (0..layout.items).step_by(block) {
        let count = block.min(layout.items - start);
        let records = in_ranges(threads, count, |range| {
            let mut records = Vec::with_capacity(range.len() * layout.record_len());
            for index in range {
                append_record(dataset, transform, start + index, &mut records)?;
            }
            Ok::<_, DatasetError>(records)
        })?;
        for records in records {
            writer.write_all(&records).map_err(&failed)?;
        }
        progress(start + count, layout.items);
    }
    Ok(())
}

fn append_record(
    dataset: &dyn Dataset,
    transform: Transform,
    index: usize,
    records: &mut Vec<u8>,
) -> Result<(), DatasetError> {
    let Item { image, factors } = transform.item_of(dataset, index)?;
    let values = transform
        .apply(&image)
        .map_err(|error| in_item(dataset, index, error))?;
    let start = records.len();
    records.extend(in_bytes(&values));
    records.extend(factors.iter().flat_map(|factor| factor.to_le_bytes()));
    let mut crc = Crc::new();
    crc.update(&records[start..]);
    records.extend(crc.sum().to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with this much free space.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let count = bytes.len().min(self.0);
            self.0 -= count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_an_error_wherever_it_fills() {
        let digits = crate::published::embedded::embedded_digits().unwrap();
        let layout = Layout {
            shape: ImageShape::square(2, 1),
            factors: 1,
            items: 300,
        };
        let bytes = layout.file_len();
        assert_eq!(bytes, 40 + 300 * 12);
        let write = |room| {
            let failed = |error| {
                let file = Path::new("cache");
                problem(file, ImageCacheProblem::Write { error, bytes })
            };
            let transform = Transform::new(2, 1);
            write_records(
                &digits,
                transform,
                layout,
                &mut Disk(room),
                failed,
                |_, _| {},
            )
        };
        write(300 * 12).unwrap();
        for room in [0, 1, 1234, 300 * 12 - 1] {
            let error = write(room).unwrap_err();
            assert!(error.to_string().starts_with("cache: cannot write it: "));
            let ImageCacheError { problem, .. } = error.downcast().unwrap();
            assert!(
                matches!(&problem, ImageCacheProblem::Write { error, bytes: 3640 }
                    if error.kind() == io::ErrorKind::StorageFull),
                "{problem:?}"
            );
        }
    }
}
