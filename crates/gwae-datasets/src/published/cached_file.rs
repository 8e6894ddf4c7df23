//! The copy of a published grid of images, from which every image takes one read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::error::DatasetError;
use crate::factor_grid::FactorGrid;
use crate::image_shape::ImageShape;
use crate::item::{Image, Item};
use crate::published::grid_items::GridItems;
use gwae_formats::records::{
    Division, Head, Progress, RecordFile, RecordSource, RecordsError, RecordsProblem, open_or_make,
};
use gwae_formats::regular_file::open_regular;

pub(crate) type Sha256Bytes = [u8; 32];

/// A kind of published file.
pub(crate) struct PublishedKind {
    /// Its name in fingerprints.
    pub(crate) name: &'static str,
    /// Channels of its images.
    pub(crate) channels: usize,
    /// Bits per value in the copy: 8, or 1 for images of black and white (eight values per byte, lowest bit
    /// first).
    pub(crate) bits: usize,
    /// All combinations of its factors.
    pub(crate) grid: fn() -> FactorGrid,
    /// The error of the file that cannot be read.
    pub(crate) unreadable: fn(&Path, io::Error) -> DatasetError,
}

/// The copy of a published file.
#[derive(Debug)]
pub(crate) struct CachedFile {
    file: RecordFile,
    shape: ImageShape,
    bits: usize,
    pub(crate) items: GridItems,
    pub(crate) fingerprint: Sha256Bytes,
}

/// What looking for a copy gives.
pub(crate) enum Lookup {
    /// A copy that belongs to the published file.
    Copy(CachedFile),
    /// The copy has to be made.
    Missing(MissingCopy),
}

/// A copy that has to be made.
pub(crate) struct MissingCopy {
    path: PathBuf,
    stamp: Stamp,
    pub(crate) fingerprint: Sha256Bytes,
}

/// Looks for the copy of `path` in `directory`, or beside the file.
///
/// A copy belongs to the file if the length and the modification time of the file match, or its SHA-256 does, or
/// the file is missing.
pub(crate) fn find_copy(
    path: &Path,
    directory: Option<&Path>,
    kind: &PublishedKind,
) -> Result<Lookup, DatasetError> {
    let copy_path = copy_path(path, directory);
    let copy = open_copy(&copy_path, kind)?;
    // The stamp is taken before the file is read. If the file changes in between, the stamp does not match.
    let stamp = std::fs::metadata(path).map(|metadata| Stamp::of(&metadata));
    let copy = match (&stamp, copy) {
        (Ok(stamp), Some((found, copy))) if found == *stamp => return Ok(Lookup::Copy(copy)),
        (Err(error), Some((_, copy))) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Lookup::Copy(copy));
        }
        (_, copy) => copy,
    };
    let stamp = stamp.map_err(|error| (kind.unreadable)(path, error))?;
    let fingerprint = fingerprint(path, kind)?;
    Ok(match copy {
        Some((_, copy)) if copy.fingerprint == fingerprint => Lookup::Copy(copy),
        _ => Lookup::Missing(MissingCopy {
            path: copy_path,
            stamp,
            fingerprint,
        }),
    })
}

impl MissingCopy {
    /// Makes the copy. `combinations` holds the combination of every image; `source` makes the values of images
    /// in the order `[C, H, W]`.
    pub(crate) fn make(
        self,
        kind: &PublishedKind,
        (height, width): (usize, usize),
        combinations: Vec<u32>,
        division: Division,
        source: &impl RecordSource<Error = DatasetError>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<CachedFile, DatasetError> {
        let description = Description {
            shape: ImageShape {
                channels: kind.channels,
                height,
                width,
            },
            stamp: self.stamp,
            fingerprint: self.fingerprint,
            combinations,
        };
        let head = description.head(kind);
        let file = open_or_make(&self.path, &head, division, source, progress)?;
        Ok(description.copy(kind, file))
    }
}

impl CachedFile {
    /// One image with its factors. `index` must be less than the number of items.
    pub(crate) fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let mut pixels = self.file.read(index)?;
        if self.bits == 1 {
            let bit = |place: usize| pixels[place / 8] >> (place % 8) & 1;
            pixels = (0..self.shape.values())
                .map(|place| if bit(place) == 0 { 0 } else { 255 })
                .collect();
        }
        Ok(Item {
            image: Image::new(self.shape, pixels),
            factors: self.items.values_of(index)?,
        })
    }

    /// Reads the whole copy, so that the system keeps it in memory.
    pub(crate) fn warm(&self) -> Result<(), DatasetError> {
        Ok(self.file.read_through()?)
    }

    /// Reads the whole copy and compares all checksums.
    pub(crate) fn verify(&self) -> Result<(), DatasetError> {
        Ok(self.file.verify(&mut |_, _| {})?)
    }
}

/// The path of the copy of `source`: in `directory`, or beside the file.
fn copy_path(source: &Path, directory: Option<&Path>) -> PathBuf {
    let mut name = source.file_name().unwrap_or_default().to_owned();
    name.push(".gwae-cache");
    match directory {
        Some(directory) => directory.join(name),
        None => source.with_file_name(name),
    }
}

/// The copy at `path` and the stamp of its source; `None` if there is none that can be used.
///
/// Another program's file is an error, because it must not be overwritten.
fn open_copy(
    path: &Path,
    kind: &PublishedKind,
) -> Result<Option<(Stamp, CachedFile)>, DatasetError> {
    let file = match RecordFile::open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(RecordsError {
            problem: RecordsProblem::Earlier | RecordsProblem::Damaged { .. },
            ..
        }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let description = Description::parse(&file.head().description);
    let items = (kind.grid)().len();
    let fits = |found: &Description| {
        found.shape.channels == kind.channels
            && found
                .combinations
                .iter()
                .all(|&item| (item as usize) < items)
            && found.head(kind) == *file.head()
    };
    let description = description.filter(fits);
    Ok(description.map(|found| (found.stamp, found.copy(kind, file))))
}

/// Tells states of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    /// Nanoseconds since 1970; 0 if the system does not know.
    modified: i128,
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        let modified =
            metadata
                .modified()
                .ok()
                .map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
                    Ok(after) => after.as_nanos() as i128,
                    Err(before) => -(before.duration().as_nanos() as i128),
                });
        Self {
            length: metadata.len(),
            modified,
        }
    }
}

/// What the head of a copy says about it.
struct Description {
    shape: ImageShape,
    stamp: Stamp,
    fingerprint: Sha256Bytes,
    combinations: Vec<u32>,
}

impl Description {
    /// Little-endian: channels, height, width (u32), length (u64) and modification time (i128) of the source,
    /// fingerprint, combinations (u32).
    fn head(&self, kind: &PublishedKind) -> Head {
        let ImageShape {
            channels,
            height,
            width,
        } = self.shape;
        let mut description = Vec::with_capacity(68 + 4 * self.combinations.len());
        for size in [channels, height, width] {
            description.extend((size as u32).to_le_bytes());
        }
        description.extend(self.stamp.length.to_le_bytes());
        description.extend(self.stamp.modified.to_le_bytes());
        description.extend(self.fingerprint);
        for combination in &self.combinations {
            description.extend(combination.to_le_bytes());
        }
        Head {
            description,
            records: self.combinations.len() as u64,
            record_bytes: (self.shape.values() * kind.bits).div_ceil(8) as u64,
        }
    }

    fn parse(mut bytes: &[u8]) -> Option<Self> {
        fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
            let (taken, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            Some(*taken)
        }
        const LARGEST_SIDE: u32 = 1 << 14;
        let mut sides = [0; 3];
        for side in &mut sides {
            let found = u32::from_le_bytes(take(&mut bytes)?);
            *side = usize::try_from(found.min(LARGEST_SIDE)).ok()?;
        }
        let [channels, height, width] = sides;
        Some(Self {
            shape: ImageShape {
                channels,
                height,
                width,
            },
            stamp: Stamp {
                length: u64::from_le_bytes(take(&mut bytes)?),
                modified: i128::from_le_bytes(take(&mut bytes)?),
            },
            fingerprint: take(&mut bytes)?,
            combinations: bytes
                .chunks_exact(4)
                .map(|number| {
                    number
                        .iter()
                        .rev()
                        .fold(0, |n, &byte| n << 8 | u32::from(byte))
                })
                .collect(),
        })
    }

    fn copy(self, kind: &PublishedKind, file: RecordFile) -> CachedFile {
        CachedFile {
            file,
            shape: self.shape,
            bits: kind.bits,
            items: GridItems::new((kind.grid)(), self.combinations),
            fingerprint: self.fingerprint,
        }
    }
}

/// The fingerprint of a dataset in one file: the hash of its kind and the file's SHA-256. A file and its copy
/// have the same fingerprint, so a run can resume with either.
pub(crate) fn fingerprint(path: &Path, kind: &PublishedKind) -> Result<Sha256Bytes, DatasetError> {
    let digest = file_digest(path).map_err(|error| (kind.unreadable)(path, error))?;
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets: ");
    hash.update(kind.name.as_bytes());
    hash.update(b", version 1\0");
    hash.update(digest);
    Ok(hash.finalize().into())
}

/// SHA-256 of a whole file.
fn file_digest(path: &Path) -> io::Result<Sha256Bytes> {
    let mut file = open_regular(path)?.0;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
