//! 3D Shapes from its published file, `3dshapes.h5`: streamed, or from an uncompressed copy.

use std::ops::Range;
use std::path::Path;

use crate::dataset::{Dataset, out_of_range};
use crate::error::{DatasetError, behind};
use crate::factor_grid::{FactorGrid, shapes3d_grid, shapes3d_value_names, shapes3d_values};
use crate::image_shape::ImageShape;
use crate::item::{FactorSpec, Image, Item};
use crate::published::cached_file::{
    CachedFile, Lookup, PublishedKind, Sha256Bytes, find_copy, fingerprint,
};
use crate::published::grid_items::GridItems;
use gwae_formats::hdf5::{Hdf5Dataset, Hdf5Element, Hdf5Error, Hdf5File, Hdf5Problem};
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::records::{Division, Progress, RecordSource};

/// The error for a file of 3D Shapes that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct Shapes3dError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: Shapes3dProblem,
}

behind!(Files, Shapes3dError);

/// A problem of a file of 3D Shapes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Shapes3dProblem {
    /// The images are not colour images.
    #[error(
        "dataset images: shape {} instead of images×height×width×3 with sides of 1 to {MAX_SIDE}; \
         check that it is the right file",
        sizes(shape)
    )]
    ImageShape {
        /// The shape in the file.
        shape: Vec<u64>,
    },

    /// The labels are not six numbers per image.
    #[error(
        "dataset labels: shape {} instead of {images}×6 (as many as there are images); \
         check that it is the right file",
        sizes(shape)
    )]
    LabelShape {
        /// The shape in the file.
        shape: Vec<u64>,
        /// Number of images.
        images: u64,
    },

    /// The file has more images than there are combinations of factors.
    #[error("holds {images} images, more than the {most} that 3D Shapes has; check the file")]
    TooMany {
        /// Number of images.
        images: u64,
        /// Number of combinations.
        most: usize,
    },

    /// A label is not a value of its factor.
    #[error(
        "dataset labels: image {image} has {factor} {value}, which is none of its {values} values; \
         check that it is the right file"
    )]
    Label {
        /// Index of the image.
        image: u64,
        /// Name of the factor.
        factor: String,
        /// The label.
        value: f64,
        /// Number of values of the factor.
        values: u32,
    },
}

/// Largest side of an image.
const MAX_SIDE: u64 = 4096;

/// Maximum distance of a label from a value of its factor; the two closest values are 0.07 apart.
const TOLERANCE: f64 = 1e-4;

/// Approximate size of the images that are prepared together, unless the file stores more together.
const LAYER_BYTES: u64 = 64 << 20;

/// Number of images that are converted and written together.
const BLOCK_BYTES: u64 = 16 << 20;

/// The same if the images that the file stores together do not fit into the cache: every block then
/// decodes all of them, so there should be few blocks.
const LARGE_BLOCK_BYTES: u64 = 128 << 20;

/// 3D Shapes as published: 480,000 colour images of 64×64, one for each combination of
/// [`shapes3d_grid`]. Files of the same layout with fewer images or another image size work too;
/// their labels give the factor values of each image.
///
/// [`Shapes3dFile::open`] streams: it decompresses an image when it is asked for and keeps at most
/// [`HDF5_CHUNK_CACHE_BYTES`](gwae_formats::hdf5::HDF5_CHUNK_CACHE_BYTES) in memory. The published
/// file compresses small parts of thousands of images together. Reading it in order is therefore
/// fast, and reading it at random is slow with every reader, although the images of a batch share
/// decompressed parts ([`Dataset::items_together`]). For training, convert it once:
/// [`Shapes3dFile::open_cached`].
#[derive(Debug)]
pub struct Shapes3dFile(Storage);

#[derive(Debug)]
enum Storage {
    Streamed(Streamed),
    Cached(CachedFile),
}

/// The HDF5 file itself.
#[derive(Debug)]
struct Streamed {
    items: GridItems,
    images: Hdf5Dataset,
    height: usize,
    width: usize,
    fingerprint: Sha256Bytes,
}

const KIND: PublishedKind = PublishedKind {
    name: "3D Shapes file",
    channels: 3,
    bits: 8,
    grid: shapes3d_grid,
    unreadable: |path, error| {
        Hdf5Error {
            file: path.display().to_string(),
            problem: Hdf5Problem::Io(error),
        }
        .into()
    },
};

impl Shapes3dFile {
    /// Opens the HDF5 file at `path` and reads its labels. It also reads the whole file once for
    /// the fingerprint (0.3 seconds for the published file, if the system has it in memory).
    ///
    /// # Errors
    /// The problem of the file ([`Hdf5Problem`]), or of its shapes or labels ([`Shapes3dProblem`]).
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let fingerprint = fingerprint(path, &KIND)?;
        Streamed::open(path, fingerprint).map(|file| Self(Storage::Streamed(file)))
    }

    /// Like [`Shapes3dFile::open`], but through an uncompressed copy of all images (5.9 GB for the
    /// published file). The first call makes the copy: in `directory`, or beside the file, with the
    /// file's name and `.gwae-cache` appended. From the copy, every image takes one read, and its checksum is
    /// compared.
    ///
    /// Making the copy may be interrupted at any moment; the next call continues. If another process makes it,
    /// this call waits. A copy that is damaged, in the format of an earlier version or of another file is made
    /// again; `progress` names the reason. Once the copy is complete, the file itself is no longer needed.
    ///
    /// # Errors
    /// The errors of [`Shapes3dFile::open`], and those of the copy
    /// ([`RecordsProblem`](gwae_formats::records::RecordsProblem)): a full disk, a directory without write
    /// access.
    pub fn open_cached(
        path: &Path,
        directory: Option<&Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DatasetError> {
        let missing = match find_copy(path, directory, &KIND)? {
            Lookup::Copy(copy) => return Ok(Self(Storage::Cached(copy))),
            Lookup::Missing(missing) => missing,
        };
        let file = Streamed::open(path, missing.fingerprint)?;
        let combinations = file.items.combinations();
        let size = (file.height, file.width);
        missing
            .make(&KIND, size, combinations, file.division(), &file, progress)
            .map(|copy| Self(Storage::Cached(copy)))
    }

    fn items(&self) -> &GridItems {
        match &self.0 {
            Storage::Streamed(file) => &file.items,
            Storage::Cached(file) => &file.items,
        }
    }

    fn check_index(&self, index: usize) -> Result<(), DatasetError> {
        if index < self.len() {
            return Ok(());
        }
        Err(out_of_range(self, index))
    }

    /// The grid of the items' factor values.
    pub fn grid(&self) -> &FactorGrid {
        self.items().grid()
    }

    /// Whether item `i` is combination `i` of [`Shapes3dFile::grid`] for all items, as in the
    /// published file.
    pub fn is_whole_grid(&self) -> bool {
        self.items().is_whole_grid()
    }

    /// The first item with these factor values, one per factor; `None` if a smaller file does not
    /// have it.
    ///
    /// # Errors
    /// If a factor does not have its value.
    pub fn index_of(&self, factors: &[u32]) -> Result<Option<usize>, DatasetError> {
        Ok(self.items().item_of(factors)?)
    }

    /// Reads the copy once, from start to end, so that the system keeps it in memory if there is
    /// room. Does nothing for a streamed file. Run it in a separate thread before the first epoch:
    /// in a measurement, scattered reads from a disk gave 550 images per second, reading the whole
    /// copy once took 13 seconds, and reads from memory gave 240,000 images per second.
    ///
    /// # Errors
    /// If a read fails.
    pub fn warm_cache(&self) -> Result<(), DatasetError> {
        match &self.0 {
            Storage::Streamed(_) => Ok(()),
            Storage::Cached(cache) => cache.warm(),
        }
    }

    /// Reads the whole copy and compares it with its checksums. A streamed file is checked while it
    /// is read, if it has checksums.
    ///
    /// # Errors
    /// The first damaged item.
    pub fn verify_cache(&self) -> Result<(), DatasetError> {
        match &self.0 {
            Storage::Streamed(_) => Ok(()),
            Storage::Cached(cache) => cache.verify(),
        }
    }
}

impl Streamed {
    fn open(path: &Path, fingerprint: Sha256Bytes) -> Result<Self, DatasetError> {
        let name = || path.display().to_string();
        let wrong = |problem| Shapes3dError {
            file: name(),
            problem,
        };
        let file = Hdf5File::open(path)?;
        let images = file.dataset("images")?;
        images.require_element(Hdf5Element::U8)?;
        let labels = file.dataset("labels")?;
        let &[count, height, width, 3] = images.shape() else {
            return Err(wrong(image_shape(&images)).into());
        };
        if height > MAX_SIDE || width > MAX_SIDE {
            return Err(wrong(image_shape(&images)).into());
        }
        if *labels.shape() != [count, 6] {
            return Err(wrong(Shapes3dProblem::LabelShape {
                shape: labels.shape().to_vec(),
                images: count,
            })
            .into());
        }
        let grid = shapes3d_grid();
        if count > grid.len() as u64 {
            return Err(wrong(Shapes3dProblem::TooMany {
                images: count,
                most: grid.len(),
            })
            .into());
        }
        let combinations = combinations(&labels, &grid, &|problem| wrong(problem).into())?;
        Ok(Self {
            items: GridItems::new(grid, combinations),
            images,
            height: height as usize,
            width: width as usize,
            fingerprint,
        })
    }

    /// Items in any order; all must be in range. Parts that the file stores together are decompressed once for
    /// all of them.
    fn items(&self, indices: &[usize]) -> Result<Vec<Item>, DatasetError> {
        let images = &self.images;
        let rows: Vec<u64> = indices.iter().map(|&index| index as u64).collect();
        let mut pixels = vec![0; indices.len() * images.row_bytes()];
        images.read_scattered_rows(&rows, &mut pixels)?;
        make_planar(&mut pixels, images.row_bytes());
        let shape = ImageShape {
            channels: 3,
            height: self.height,
            width: self.width,
        };
        let pixels = pixels.chunks_exact(images.row_bytes());
        let items = indices.iter().zip(pixels);
        items
            .map(|(&index, pixels)| {
                Ok(Item {
                    image: Image::new(shape, pixels.to_vec()),
                    factors: self.items.values_of(index)?,
                })
            })
            .collect()
    }

    fn division(&self) -> Division {
        let images = &self.images;
        let count = self.items.len() as u64;
        let image_bytes = images.row_bytes() as u64;
        let together = images.rows_per_chunk().min(count);
        let layer = together * (LAYER_BYTES / image_bytes / together).max(1);
        let block_bytes = if images.keeps_rows(0..layer.min(count)) {
            BLOCK_BYTES
        } else {
            LARGE_BLOCK_BYTES
        };
        Division {
            layer,
            block: (block_bytes / image_bytes).clamp(1, layer),
        }
    }
}

impl RecordSource for Streamed {
    type Error = DatasetError;

    fn prepare(&self, images: Range<u64>) -> Result<(), DatasetError> {
        Ok(self.images.prefetch_rows(images)?)
    }

    fn make(&self, images: Range<u64>, stored: &mut [u8]) -> Result<(), DatasetError> {
        self.images.read_rows(images, stored)?;
        make_planar(stored, self.images.row_bytes());
        Ok(())
    }
}

impl Dataset for Shapes3dFile {
    fn name(&self) -> &str {
        "shapes3d"
    }

    fn len(&self) -> usize {
        self.items().len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        self.check_index(index)?;
        match &self.0 {
            Storage::Cached(file) => file.item(index),
            // One image is read like several: its chunks may be in the cache.
            Storage::Streamed(file) => file.items(&[index]).map(|mut items| items.remove(0)),
        }
    }

    fn items_together(&self, indices: &[usize]) -> Option<Result<Vec<Item>, DatasetError>> {
        match &self.0 {
            Storage::Cached(_) => None,
            Storage::Streamed(file) => {
                let mut checked = indices.iter().map(|&index| self.check_index(index));
                let checked = checked.try_for_each(|checked| checked);
                Some(checked.and_then(|()| file.items(indices)))
            }
        }
    }

    fn factors(&self) -> &[FactorSpec] {
        self.items().grid().factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        shapes3d_value_names().get(factor).map(Vec::as_slice)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.index_of(factors).ok().flatten()
    }

    fn warm(&self) -> Result<(), DatasetError> {
        self.warm_cache()
    }

    fn fingerprint(&self) -> String {
        hexadecimal(match &self.0 {
            Storage::Streamed(file) => &file.fingerprint,
            Storage::Cached(file) => &file.fingerprint,
        })
    }
}

/// Converts colour images of `[H, W, C]` to `[C, H, W]`. Each image has `image_bytes` bytes.
fn make_planar(images: &mut [u8], image_bytes: usize) {
    let channels = 3;
    let mut interleaved = vec![0; image_bytes];
    for image in images.chunks_exact_mut(image_bytes) {
        interleaved.copy_from_slice(image);
        let area = image.len() / channels;
        for (channel, plane) in image.chunks_exact_mut(area).enumerate() {
            let values = interleaved[channel..].iter().step_by(channels);
            for (value, &source) in plane.iter_mut().zip(values) {
                *value = source;
            }
        }
    }
}

/// The grid combination of every image.
fn combinations(
    labels: &Hdf5Dataset,
    grid: &FactorGrid,
    wrong: &dyn Fn(Shapes3dProblem) -> DatasetError,
) -> Result<Vec<u32>, DatasetError> {
    /// Number of labels that are read at once.
    const PIECE: u64 = 7500;
    let size = labels.element().size();
    if size == 1 {
        labels.require_element(Hdf5Element::F64)?;
    }
    let count = labels.shape()[0];
    let values = shapes3d_values();
    let mut combinations = Vec::new();
    let mut bytes = Vec::new();
    let mut start = 0;
    while start < count {
        let end = count.min(start + PIECE);
        bytes.resize((end - start) as usize * labels.row_bytes(), 0);
        labels.read_rows(start..end, &mut bytes)?;
        for (image, row) in (start..end).zip(bytes.chunks_exact(labels.row_bytes())) {
            let mut combination = Vec::with_capacity(values.len());
            for ((stored, values), factor) in
                row.chunks_exact(size).zip(&values).zip(grid.factors())
            {
                let value = number(stored);
                match values.iter().position(|v| (v - value).abs() < TOLERANCE) {
                    Some(place) => combination.push(place as u32),
                    None => {
                        return Err(wrong(Shapes3dProblem::Label {
                            image,
                            factor: factor.name.clone(),
                            value,
                            values: factor.values,
                        }));
                    }
                }
            }
            combinations.push(grid.index_of(&combination)? as u32);
        }
        start = end;
    }
    labels.forget_chunks();
    Ok(combinations)
}

/// A little-endian float of four or eight bytes.
fn number(stored: &[u8]) -> f64 {
    match (stored.first_chunk::<8>(), stored.first_chunk::<4>()) {
        (Some(bytes), _) => f64::from_le_bytes(*bytes),
        (None, Some(bytes)) => f64::from(f32::from_le_bytes(*bytes)),
        (None, None) => f64::NAN,
    }
}

fn image_shape(images: &Hdf5Dataset) -> Shapes3dProblem {
    Shapes3dProblem::ImageShape {
        shape: images.shape().to_vec(),
    }
}

fn sizes(shape: &[u64]) -> String {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    sizes.join("×")
}
