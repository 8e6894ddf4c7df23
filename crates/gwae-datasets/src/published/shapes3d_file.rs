//! 3D Shapes from its published file, `3dshapes.h5`: streamed, or from an uncompressed copy.

use std::ops::Range;
use std::path::Path;

use crate::dataset::Dataset;
use crate::error::{DatasetError, behind};
use crate::factor_grid::{FactorGrid, shapes3d_grid, shapes3d_value_names, shapes3d_values};
use crate::item::{FactorSpec, Image, Item};
use crate::published::cached_file::{Found, cache_path, checked_items, find, fingerprint};
use crate::published::grid_items::GridItems;
use crate::published::raw_cache::{
    BlockSource, Geometry, Header, ImageCache, Sha256Bytes, SourceStamp, convert, file_digest,
};
use gwae_formats::hdf5::{Hdf5Dataset, Hdf5Element, Hdf5Error, Hdf5File, Hdf5Problem};
use gwae_formats::hexadecimal::hexadecimal;

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
pub struct Shapes3dFile {
    items: GridItems,
    height: usize,
    width: usize,
    storage: Storage,
    fingerprint: Sha256Bytes,
}

#[derive(Debug)]
enum Storage {
    Streamed(Hdf5Dataset),
    Cached(ImageCache),
}

impl Shapes3dFile {
    /// Opens the HDF5 file at `path` and reads its labels. It also reads the whole file once for
    /// the fingerprint (0.3 seconds for the published file, if the system has it in memory).
    ///
    /// # Errors
    /// The problem of the file ([`Hdf5Problem`]), or of its shapes or labels ([`Shapes3dProblem`]).
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
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
        let digest = file_digest(path).map_err(|error| Hdf5Error {
            file: name(),
            problem: Hdf5Problem::Io(error),
        })?;
        Ok(Self {
            items: GridItems::new(grid, combinations),
            height: height as usize,
            width: width as usize,
            storage: Storage::Streamed(images),
            fingerprint: fingerprint("3D Shapes file", &digest),
        })
    }

    /// Like [`Shapes3dFile::open`], but through an uncompressed copy of all images (5.9 GB for the
    /// published file). The first call makes the copy: in `directory`, or beside the file, with the
    /// file's name and `.gwae-cache` appended. From the copy, every image takes one read.
    ///
    /// Making the copy may be interrupted at any moment; the next call continues. `progress` gets
    /// the number of finished images and their total. A copy with other content is made again. Once
    /// the copy is complete, the file itself is no longer needed.
    ///
    /// # Errors
    /// The errors of [`Shapes3dFile::open`], and those of the copy
    /// ([`RawCacheProblem`](crate::RawCacheProblem)): a full disk, a directory without write
    /// access, another process that makes the copy.
    pub fn open_cached(
        path: &Path,
        directory: Option<&Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, DatasetError> {
        let cache_path = cache_path(path, directory);
        let accept = |geometry: &Geometry| (geometry.channels, geometry.bits) == (3, 8);
        let unsure = match find(&cache_path, path, accept)? {
            Found::Current(cache) => return Self::from_cache(cache, &cache_path),
            Found::Unsure(cache) => Some(cache),
            Found::Nothing => None,
        };
        // The stamp is taken before the file is read. If the file changes in between, the stamp
        // does not match.
        let stamp = std::fs::metadata(path).map(|metadata| SourceStamp::of(&metadata));
        let stamp = stamp.map_err(|error| Hdf5Error {
            file: path.display().to_string(),
            problem: Hdf5Problem::Io(error),
        })?;
        let streamed = Self::open(path)?;
        if let Some(cache) = unsure
            && cache.header().fingerprint == streamed.fingerprint
        {
            return Self::from_cache(cache, &cache_path);
        }
        let Storage::Streamed(images) = &streamed.storage else {
            return Ok(streamed);
        };
        let header = Header::new(streamed.geometry(images), stamp, streamed.fingerprint);
        let source = Planar {
            images,
            channels: 3,
        };
        let combinations = streamed.items.combinations();
        let cache = convert(&cache_path, &header, &combinations, &source, progress)?;
        Self::from_cache(cache, &cache_path)
    }

    fn from_cache(cache: ImageCache, path: &Path) -> Result<Self, DatasetError> {
        let grid = shapes3d_grid();
        let items = checked_items(&cache, path, &grid)?;
        let Header {
            geometry,
            fingerprint,
            ..
        } = cache.header().clone();
        Ok(Self {
            items: GridItems::new(grid, items),
            height: geometry.height as usize,
            width: geometry.width as usize,
            storage: Storage::Cached(cache),
            fingerprint,
        })
    }

    fn check_index(&self, index: usize) -> Result<(), DatasetError> {
        if index < self.len() {
            return Ok(());
        }
        Err(DatasetError::IndexOutOfRange {
            dataset: self.name().to_owned(),
            index,
            len: self.len(),
        })
    }

    fn with_factors(&self, index: usize, pixels: Vec<u8>) -> Result<Item, DatasetError> {
        Ok(Item {
            image: Image {
                channels: 3,
                height: self.height,
                width: self.width,
                pixels,
            },
            factors: self.items.values_of(index)?,
        })
    }

    /// Items in any order. Parts that the file stores together are decompressed once for all of
    /// them.
    fn streamed_items(
        &self,
        images: &Hdf5Dataset,
        indices: &[usize],
    ) -> Result<Vec<Item>, DatasetError> {
        indices
            .iter()
            .try_for_each(|&index| self.check_index(index))?;
        let rows: Vec<u64> = indices.iter().map(|&index| index as u64).collect();
        let mut pixels = vec![0; indices.len() * images.row_bytes()];
        images.read_scattered_rows(&rows, &mut pixels)?;
        make_planar(&mut pixels, images.row_bytes(), 3);
        let pixels = pixels.chunks_exact(images.row_bytes());
        let items = indices.iter().zip(pixels);
        items
            .map(|(&index, pixels)| self.with_factors(index, pixels.to_vec()))
            .collect()
    }

    fn geometry(&self, images: &Hdf5Dataset) -> Geometry {
        let count = self.items.len() as u64;
        let image_bytes = images.row_bytes() as u64;
        let together = images.rows_per_chunk().min(count);
        let layer = together * (LAYER_BYTES / image_bytes / together).max(1);
        let block_bytes = if images.keeps_rows(0..layer.min(count)) {
            BLOCK_BYTES
        } else {
            LARGE_BLOCK_BYTES
        };
        Geometry {
            channels: 3,
            height: self.height as u32,
            width: self.width as u32,
            bits: 8,
            images: count,
            layer,
            block: (block_bytes / image_bytes).clamp(1, layer),
        }
    }

    /// The grid of the items' factor values.
    pub fn grid(&self) -> &FactorGrid {
        self.items.grid()
    }

    /// Whether item `i` is combination `i` of [`Shapes3dFile::grid`] for all items, as in the
    /// published file.
    pub fn is_whole_grid(&self) -> bool {
        self.items.is_whole_grid()
    }

    /// The first item with these factor values, one per factor; `None` if a smaller file does not
    /// have it.
    ///
    /// # Errors
    /// If a factor does not have its value.
    pub fn index_of(&self, factors: &[u32]) -> Result<Option<usize>, DatasetError> {
        Ok(self.items.item_of(factors)?)
    }

    /// Reads the copy once, from start to end, so that the system keeps it in memory if there is
    /// room. Does nothing for a streamed file. Run it in a separate thread before the first epoch:
    /// in a measurement, scattered reads from a disk gave 550 images per second, reading the whole
    /// copy once took 13 seconds, and reads from memory gave 240,000 images per second.
    ///
    /// # Errors
    /// If a read fails.
    pub fn warm_cache(&self) -> Result<(), DatasetError> {
        match &self.storage {
            Storage::Streamed(_) => Ok(()),
            Storage::Cached(cache) => Ok(cache.warm()?),
        }
    }

    /// Reads the whole copy and compares it with its checksums. A streamed file is checked while it
    /// is read, if it has checksums.
    ///
    /// # Errors
    /// [`RawCacheProblem::Damaged`](crate::RawCacheProblem::Damaged).
    pub fn verify_cache(&self) -> Result<(), DatasetError> {
        match &self.storage {
            Storage::Streamed(_) => Ok(()),
            Storage::Cached(cache) => Ok(cache.verify()?),
        }
    }
}

impl Dataset for Shapes3dFile {
    fn name(&self) -> &str {
        "shapes3d"
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        self.check_index(index)?;
        let pixels = match &self.storage {
            Storage::Cached(cache) => cache.read(index)?,
            Storage::Streamed(images) => {
                let mut pixels = vec![0; images.row_bytes()];
                let index = index as u64;
                Planar {
                    images,
                    channels: 3,
                }
                .read(index..index + 1, &mut pixels)?;
                pixels
            }
        };
        self.with_factors(index, pixels)
    }

    fn items_together(&self, indices: &[usize]) -> Option<Result<Vec<Item>, DatasetError>> {
        match &self.storage {
            Storage::Cached(_) => None,
            Storage::Streamed(images) => Some(self.streamed_items(images, indices)),
        }
    }

    fn factors(&self) -> &[FactorSpec] {
        self.items.grid().factors()
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
        hexadecimal(&self.fingerprint)
    }
}

/// The images of an HDF5 dataset `[N, H, W, C]` as `[C, H, W]`.
struct Planar<'a> {
    images: &'a Hdf5Dataset,
    channels: usize,
}

impl BlockSource for Planar<'_> {
    fn prepare(&self, images: Range<u64>) -> Result<(), DatasetError> {
        Ok(self.images.prefetch_rows(images)?)
    }

    fn read(&self, images: Range<u64>, stored: &mut [u8]) -> Result<(), DatasetError> {
        self.images.read_rows(images, stored)?;
        make_planar(stored, self.images.row_bytes(), self.channels);
        Ok(())
    }
}

/// Converts images of `[H, W, C]` to `[C, H, W]`. Each image has `image_bytes` bytes.
fn make_planar(images: &mut [u8], image_bytes: usize, channels: usize) {
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
