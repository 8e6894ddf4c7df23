//! dSprites from its published file, `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::dataset::{Dataset, out_of_range};
use crate::error::{DatasetError, behind};
use crate::factor_grid::{FactorGrid, dsprites_grid, dsprites_value_names};
use crate::item::{FactorSpec, Item};
use crate::published::cached_file::{CachedFile, Lookup, PublishedKind, find_copy};
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::npz::{NpyStream, NpzError, NpzFile, NpzProblem};
use gwae_formats::records::{Division, Progress, RecordSource};

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
        classes: [i128; 6],
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
/// size work too; their `latents_classes` give the factor values of each image. The images may also be
/// booleans, and the classes integers of any size.
///
/// The published file is one compressed stream without random access. It is read once and stored as
/// a file with one bit per pixel (378 MB). From that copy, every image takes one read,
/// and its checksum is compared.
#[derive(Debug)]
pub struct DspritesFile(CachedFile);

const KIND: PublishedKind = PublishedKind {
    name: "dSprites file",
    channels: 1,
    bits: 1,
    grid: dsprites_grid,
    unreadable: |path, error| damaged(path, NpzProblem::Io(error)),
};

impl DspritesFile {
    /// Opens the `.npz` file at `path` through its packed copy. The first call makes the copy: in
    /// `directory`, or beside the file, with the file's name and `.gwae-cache` appended.
    ///
    /// Making the copy may be interrupted at any moment; the next call continues. If another process makes it,
    /// this call waits. A copy that is damaged, in the format of an earlier version or of another file is made
    /// again; `progress` names the reason. Once the copy is complete, the file itself is no longer needed.
    ///
    /// # Errors
    /// The problem of the archive ([`NpzProblem`]), its arrays ([`DspritesProblem`]) or the copy
    /// ([`RecordsProblem`](gwae_formats::records::RecordsProblem)).
    pub fn open_cached(
        path: &Path,
        directory: Option<&Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DatasetError> {
        let missing = match find_copy(path, directory, &KIND)? {
            Lookup::Copy(copy) => return Ok(Self(copy)),
            Lookup::Missing(missing) => missing,
        };
        let archive = Archive {
            path: path.to_owned(),
        };
        let mut npz = archive.open()?;
        let images = npz
            .bytes(IMAGES)
            .map_err(|problem| archive.damaged(problem))?;
        let [count, height, width] = archive.sizes(images.shape())?;
        let combinations = archive.combinations(count)?;
        // One block per layer: layers follow each other, so the stream is read in order.
        let block = (BLOCK_BYTES / (height * width)).clamp(1, count);
        let division = Division {
            layer: block,
            block,
        };
        let source = Packed {
            archive: &archive,
            image_values: (height * width) as usize,
            stream: Mutex::new(Some(images)),
        };
        let size = (height as usize, width as usize);
        missing
            .make(&KIND, size, combinations, division, &source, progress)
            .map(Self)
    }

    /// The grid of the items' factor values.
    pub fn grid(&self) -> &FactorGrid {
        self.0.items.grid()
    }

    /// Whether item `i` is combination `i` of [`DspritesFile::grid`] for all items, as in the
    /// published file.
    pub fn is_whole_grid(&self) -> bool {
        self.0.items.is_whole_grid()
    }

    /// The first item with these factor values, one per factor; `None` if a smaller file does not
    /// have it.
    ///
    /// # Errors
    /// If a factor does not have its value.
    pub fn index_of(&self, factors: &[u32]) -> Result<Option<usize>, DatasetError> {
        Ok(self.0.items.item_of(factors)?)
    }

    /// Reads the packed copy once, from start to end, so that the system keeps it in memory. This
    /// is much faster than scattered reads from a disk.
    ///
    /// # Errors
    /// If a read fails.
    pub fn warm_cache(&self) -> Result<(), DatasetError> {
        self.0.warm()
    }

    /// Reads the whole packed copy and compares it with its checksums.
    ///
    /// # Errors
    /// The first damaged item.
    pub fn verify_cache(&self) -> Result<(), DatasetError> {
        self.0.verify()
    }
}

impl Dataset for DspritesFile {
    fn name(&self) -> &str {
        "dsprites"
    }

    fn len(&self) -> usize {
        self.0.items.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        if index >= self.len() {
            return Err(out_of_range(self, index));
        }
        self.0.item(index)
    }

    fn factors(&self) -> &[FactorSpec] {
        self.0.items.grid().factors()
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
        hexadecimal(&self.0.fingerprint)
    }
}

fn damaged(path: &Path, problem: NpzProblem) -> DatasetError {
    NpzError {
        file: path.display().to_string(),
        problem,
    }
    .into()
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
        damaged(&self.path, problem)
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

    /// Number, height and width of the images.
    fn sizes(&self, shape: &[u64]) -> Result<[u64; 3], DatasetError> {
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
        Ok([images, height, width])
    }

    /// The grid combination of every image.
    fn combinations(&self, images: u64) -> Result<Vec<u32>, DatasetError> {
        let mut npz = self.open()?;
        let mut classes = npz
            .integers(CLASSES)
            .map_err(|problem| self.damaged(problem))?;
        if *classes.shape() != [images, 6] {
            let expected = format!("[{images}, 6], as many as there are images");
            return Err(self.wrong_shape(CLASSES, classes.shape(), expected));
        }
        let grid = dsprites_grid();
        let mut combinations = Vec::new();
        for image in 0..images {
            let mut found = [0; 6];
            classes
                .read_integers(&mut found)
                .map_err(|problem| self.damaged(problem))?;
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

impl RecordSource for Packed<'_> {
    type Error = DatasetError;

    fn make(&self, images: Range<u64>, stored: &mut [u8]) -> Result<(), DatasetError> {
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
            .bytes(IMAGES)
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
