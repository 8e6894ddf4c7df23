//! dSprites from its published file, `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::dataset::Dataset;
use crate::error::{DatasetError, behind};
use crate::factor_grid::{FactorGrid, dsprites_grid, dsprites_value_names};
use crate::item::{FactorSpec, Image, Item};
use crate::published::cached_file::{Found, cache_path, checked_items, find, fingerprint};
use crate::published::grid_items::GridItems;
use crate::published::raw_cache::{
    BlockSource, Geometry, Header, ImageCache, SourceStamp, convert, file_digest,
};
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::npz::{NpyStream, NpzError, NpzFile, NpzProblem};

/// The error for a file of dSprites that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct DspritesError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: DspritesProblem,
}

behind!(Files, DspritesError);

/// A problem of a file of dSprites.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DspritesProblem {
    /// The file has more images than there are combinations of factors.
    #[error("holds {images} images, more than the {most} that dSprites has; check the file")]
    TooMany {
        /// Number of images.
        images: u64,
        /// Number of combinations.
        most: usize,
    },

    /// A pixel is neither black nor white.
    #[error(
        "imgs.npy: image {image} has a pixel of value {value} instead of 0 or 1; check the file"
    )]
    Pixel {
        /// Index of the image.
        image: u64,
        /// The value.
        value: u8,
    },

    /// The classes of an image are not a combination of factor values.
    #[error(
        "latents_classes.npy: image {image} has the classes {classes:?}, which are out of range; \
         check that it is the right file"
    )]
    Classes {
        /// Index of the image.
        image: u64,
        /// Its classes: colour, shape, scale, orientation, position x, position y.
        classes: [i64; 6],
    },
}

const IMAGES: &str = "imgs.npy";
const CLASSES: &str = "latents_classes.npy";

/// Largest side of an image.
const MAX_SIDE: u64 = 4096;

/// Approximate size, before packing, of the images that are decompressed and written together.
const BLOCK_BYTES: u64 = 16 << 20;

/// dSprites as published: 737,280 images of 64×64 in black (0) and white (255), one for each
/// combination of [`dsprites_grid`]. Files of the same layout with fewer images or another image
/// size work too; their `latents_classes` give the factor values of each image.
///
/// The published file is one compressed stream without random access. It is read once and stored as
/// a file with one bit per pixel (378 MB). From that copy, every image takes one read.
#[derive(Debug)]
pub struct DspritesFile {
    items: GridItems,
    height: usize,
    width: usize,
    cache: ImageCache,
}

impl DspritesFile {
    /// Opens the `.npz` file at `path` through its packed copy. The first call makes the copy: in
    /// `directory`, or beside the file, with the file's name and `.gwae-cache` appended.
    ///
    /// Making the copy may be interrupted at any moment; the next call continues. `progress` gets
    /// the number of finished images and their total. A copy with other content is made again. Once
    /// the copy is complete, the file itself is no longer needed.
    ///
    /// # Errors
    /// The problem of the archive ([`NpzProblem`]), its arrays ([`DspritesProblem`]) or the copy
    /// ([`RawCacheProblem`](crate::RawCacheProblem)).
    pub fn open_cached(
        path: &Path,
        directory: Option<&Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, DatasetError> {
        let cache_path = cache_path(path, directory);
        let accept = |geometry: &Geometry| (geometry.channels, geometry.bits) == (1, 1);
        let unsure = match find(&cache_path, path, accept)? {
            Found::Current(cache) => return Self::from_cache(cache, &cache_path),
            Found::Unsure(cache) => Some(cache),
            Found::Nothing => None,
        };
        let archive = Archive {
            path: path.to_owned(),
        };
        // The stamp is taken before the file is read. If the file changes in between, the stamp
        // does not match.
        let stamp = std::fs::metadata(path).map(|metadata| SourceStamp::of(&metadata));
        let stamp = stamp.map_err(|error| archive.damaged(NpzProblem::Io(error)))?;
        let digest = file_digest(path).map_err(|error| archive.damaged(NpzProblem::Io(error)))?;
        let fingerprint = fingerprint("dSprites file", &digest);
        if let Some(cache) = unsure
            && cache.header().fingerprint == fingerprint
        {
            return Self::from_cache(cache, &cache_path);
        }
        let mut npz = archive.open()?;
        let images = npz
            .array(IMAGES, "|u1", 1)
            .map_err(|problem| archive.damaged(problem))?;
        let geometry = archive.geometry(images.shape())?;
        let combinations = archive.combinations(geometry.images)?;
        let header = Header::new(geometry, stamp, fingerprint);
        let source = Packed {
            archive: &archive,
            image_values: geometry.values(),
            stream: Mutex::new(Some(images)),
        };
        let cache = convert(&cache_path, &header, &combinations, &source, progress)?;
        Self::from_cache(cache, &cache_path)
    }

    fn from_cache(cache: ImageCache, path: &Path) -> Result<Self, DatasetError> {
        let grid = dsprites_grid();
        let items = checked_items(&cache, path, &grid)?;
        let geometry = cache.header().geometry;
        Ok(Self {
            items: GridItems::new(grid, items),
            height: geometry.height as usize,
            width: geometry.width as usize,
            cache,
        })
    }

    /// The grid of the items' factor values.
    pub fn grid(&self) -> &FactorGrid {
        self.items.grid()
    }

    /// Whether item `i` is combination `i` of [`DspritesFile::grid`] for all items, as in the
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

    /// Reads the packed copy once, from start to end, so that the system keeps it in memory. This
    /// is much faster than scattered reads from a disk.
    ///
    /// # Errors
    /// If a read fails.
    pub fn warm_cache(&self) -> Result<(), DatasetError> {
        Ok(self.cache.warm()?)
    }

    /// Reads the whole packed copy and compares it with its checksums.
    ///
    /// # Errors
    /// [`RawCacheProblem::Damaged`](crate::RawCacheProblem::Damaged).
    pub fn verify_cache(&self) -> Result<(), DatasetError> {
        Ok(self.cache.verify()?)
    }
}

impl Dataset for DspritesFile {
    fn name(&self) -> &str {
        "dsprites"
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        if index >= self.len() {
            return Err(DatasetError::IndexOutOfRange {
                dataset: self.name().to_owned(),
                index,
                len: self.len(),
            });
        }
        Ok(Item {
            image: Image {
                channels: 1,
                height: self.height,
                width: self.width,
                pixels: self.cache.read(index)?,
            },
            factors: self.items.values_of(index)?,
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        self.items.grid().factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        dsprites_value_names().get(factor).map(Vec::as_slice)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.index_of(factors).ok().flatten()
    }

    fn warm(&self) -> Result<(), DatasetError> {
        self.warm_cache()
    }

    fn fingerprint(&self) -> String {
        hexadecimal(&self.cache.header().fingerprint)
    }
}

/// The published archive.
struct Archive {
    path: PathBuf,
}

impl Archive {
    fn open(&self) -> Result<NpzFile, DatasetError> {
        NpzFile::open(&self.path).map_err(|problem| self.damaged(problem))
    }

    fn damaged(&self, problem: NpzProblem) -> DatasetError {
        NpzError {
            file: self.path.display().to_string(),
            problem,
        }
        .into()
    }

    fn wrong(&self, problem: DspritesProblem) -> DatasetError {
        DspritesError {
            file: self.path.display().to_string(),
            problem,
        }
        .into()
    }

    fn wrong_shape(&self, entry: &'static str, shape: &[u64], expected: String) -> DatasetError {
        self.damaged(NpzProblem::Array {
            entry,
            found: format!("shape {shape:?}"),
            expected,
        })
    }

    fn geometry(&self, shape: &[u64]) -> Result<Geometry, DatasetError> {
        let sides = 1..=MAX_SIDE;
        let &[images, height, width] = shape else {
            return Err(self.wrong_shape(IMAGES, shape, "[images, height, width]".to_owned()));
        };
        if images == 0 || !sides.contains(&height) || !sides.contains(&width) {
            let expected = format!("[images, height, width], sides of 1 to {MAX_SIDE}");
            return Err(self.wrong_shape(IMAGES, shape, expected));
        }
        let most = dsprites_grid().len();
        if images > most as u64 {
            return Err(self.wrong(DspritesProblem::TooMany { images, most }));
        }
        // One block per layer: layers follow each other, so the stream is read in order.
        let block = (BLOCK_BYTES / (height * width)).clamp(1, images);
        Ok(Geometry {
            channels: 1,
            height: height as u32,
            width: width as u32,
            bits: 1,
            images,
            layer: block,
            block,
        })
    }

    /// The grid combination of every image.
    fn combinations(&self, images: u64) -> Result<Vec<u32>, DatasetError> {
        let mut npz = self.open()?;
        let mut classes = npz
            .array(CLASSES, "<i8", 8)
            .map_err(|problem| self.damaged(problem))?;
        if *classes.shape() != [images, 6] {
            let expected = format!("[{images}, 6], as many as there are images");
            return Err(self.wrong_shape(CLASSES, classes.shape(), expected));
        }
        let grid = dsprites_grid();
        let mut combinations = Vec::new();
        for image in 0..images {
            let mut row = [0; 6 * 8];
            classes
                .read(&mut row)
                .map_err(|problem| self.damaged(problem))?;
            let mut found = [0; 6];
            for (class, bytes) in found.iter_mut().zip(row.as_chunks().0) {
                *class = i64::from_le_bytes(*bytes);
            }
            // The first class is the colour, which has only one value.
            let combination = match found {
                [0, rest @ ..] => rest
                    .iter()
                    .map(|&class| u32::try_from(class).ok())
                    .collect::<Option<Vec<u32>>>()
                    .and_then(|values| grid.index_of(&values).ok()),
                _ => None,
            };
            let Some(combination) = combination else {
                return Err(self.wrong(DspritesProblem::Classes {
                    image,
                    classes: found,
                }));
            };
            combinations.push(combination as u32);
        }
        Ok(combinations)
    }
}

/// The images of an archive with one bit per pixel, eight pixels per byte, lowest bit first.
struct Packed<'a> {
    archive: &'a Archive,
    image_values: usize,
    /// The current position; `None` after an error.
    stream: Mutex<Option<NpyStream<'a>>>,
}

impl BlockSource for Packed<'_> {
    fn read(&self, images: Range<u64>, stored: &mut [u8]) -> Result<(), DatasetError> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let start = images.start * self.image_values as u64;
        if let Some(open) = stream.as_mut().filter(|open| open.position() <= start) {
            let result = self.pack(open, images, stored);
            if result.is_err() {
                *stream = None;
            }
            return result;
        }
        // To make an earlier block again, a new stream reads from the start.
        let mut npz = self.archive.open()?;
        let mut again = npz
            .array(IMAGES, "|u1", 1)
            .map_err(|problem| self.archive.damaged(problem))?;
        self.pack(&mut again, images, stored)
    }
}

impl Packed<'_> {
    fn pack(
        &self,
        stream: &mut NpyStream<'_>,
        images: Range<u64>,
        stored: &mut [u8],
    ) -> Result<(), DatasetError> {
        let damaged = |problem| self.archive.damaged(problem);
        let start = images.start * self.image_values as u64;
        stream
            .skip(start.saturating_sub(stream.position()))
            .map_err(damaged)?;
        let mut values = vec![0; self.image_values];
        let packed = stored.chunks_exact_mut(self.image_values.div_ceil(8));
        for (image, packed) in images.zip(packed) {
            stream.read(&mut values).map_err(damaged)?;
            if let Some(&value) = values.iter().find(|&&value| value > 1) {
                return Err(self.archive.wrong(DspritesProblem::Pixel { image, value }));
            }
            for (byte, values) in packed.iter_mut().zip(values.chunks(8)) {
                *byte = values.iter().rev().fold(0, |byte, value| byte << 1 | value);
            }
        }
        Ok(())
    }
}
