//! A file of uncompressed images that any of them is read from in one step.
//!
//! It is made once from a compressed source ([`convert`]) and then read at random. Complete
//! files have the final name, a complete header and the right length; a conversion writes to
//! the same name with `.partial` appended and renames it at the very end, so that nothing
//! half-written can be taken for complete.
//!
//! # Why it is read and not mapped
//!
//! Of a file of 60,000 images (12,288 bytes each) on two shared cores, random images per second:
//!
//! | | one read per image | memory map |
//! |---|---|---|
//! | file in memory, 1 thread | 160,000 | 260,000 to 320,000 |
//! | file in memory, 2 threads | 170,000 | 315,000 to 330,000 |
//! | file on disk, 1 thread | 6,300 to 13,000 | 7,000 |
//! | file on disk, 2 threads | 15,000 to 16,600 | 7,800 |
//!
//! Both are far beyond what training asks for. A map needs `unsafe`, and where the file is cut
//! short behind its back the process is killed (SIGBUS) where a read returns an error. So it is read.

mod convert;
mod error;
mod layout;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;

use sha2::{Digest, Sha256};

pub(crate) use convert::{BlockSource, convert};
pub use error::{RawCacheError, RawCacheProblem};
use layout::HEADER_BYTES;
pub(crate) use layout::{Geometry, Header, Sha256Bytes, SourceStamp};

use crate::positioned_file::PositionedFile;

type Result<T> = std::result::Result<T, RawCacheProblem>;

/// A complete cache file.
#[derive(Debug)]
pub(crate) struct ImageCache {
    name: String,
    file: PositionedFile,
    header: Header,
}

impl ImageCache {
    /// Opens a complete file; `None` where there is none.
    ///
    /// A file that is a cache but cannot be used is [`RawCacheProblem::Damaged`].
    pub(crate) fn open(path: &Path) -> std::result::Result<Option<Self>, RawCacheError> {
        let name = path.display().to_string();
        match open(path) {
            Ok(Some((file, header))) => Ok(Some(Self { name, file, header })),
            Ok(None) => Ok(None),
            Err(problem) => Err(RawCacheError {
                file: name,
                problem,
            }),
        }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// What every image shows: its number in the factor grid.
    pub(crate) fn items(&self) -> std::result::Result<Vec<u32>, RawCacheError> {
        let geometry = &self.header.geometry;
        // The file is as long as the header says, so the allocation is not beyond it.
        let mut bytes = vec![0; 4 * geometry.images as usize];
        self.file
            .read_exact_at(&mut bytes, geometry.items_offset())
            .map_err(RawCacheProblem::io("read"))
            .map_err(|problem| self.named(problem))?;
        let (numbers, _) = bytes.as_chunks();
        Ok(numbers.iter().map(|&n| u32::from_le_bytes(n)).collect())
    }

    /// The values of one image, `[C, H, W]`: 0 to 255.
    pub(crate) fn read(&self, index: usize) -> std::result::Result<Vec<u8>, RawCacheError> {
        let geometry = &self.header.geometry;
        if index as u64 >= geometry.images {
            return Err(self.named(RawCacheProblem::OutOfRange {
                index,
                images: geometry.images as usize,
            }));
        }
        let mut stored = vec![0; geometry.image_bytes()];
        self.file
            .read_exact_at(&mut stored, geometry.image_offset(index as u64))
            .map_err(RawCacheProblem::io("read"))
            .map_err(|problem| self.named(problem))?;
        if geometry.bits == 8 {
            return Ok(stored);
        }
        let mut values: Vec<u8> = stored
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| if byte >> bit & 1 == 1 { 255 } else { 0 }))
            .collect();
        values.truncate(geometry.values());
        Ok(values)
    }

    /// Reads the whole file once, from start to end, for the system to keep it in memory.
    pub(crate) fn warm(&self) -> std::result::Result<(), RawCacheError> {
        let end = self.header.geometry.file_bytes();
        self.file
            .read_through(end)
            .map_err(RawCacheProblem::io("read"))
            .map_err(|problem| self.named(problem))
    }

    /// Reads the whole file and compares it with its own checksums.
    pub(crate) fn verify(&self) -> std::result::Result<(), RawCacheError> {
        let damaged = RawCacheProblem::Damaged {
            reason: "its content does not match its checksums",
        };
        let checked = convert::digests(&self.file, &self.header.geometry)
            .and_then(|stored| {
                // Again: the file may have changed since it was opened.
                let content = convert::content_digest(&self.file, &self.header.geometry, &stored)?;
                let wrong = convert::wrong_blocks(&self.file, &self.header.geometry, &stored)?;
                Ok(wrong.is_empty() && Some(content) == self.header.content)
            })
            .and_then(|right| if right { Ok(()) } else { Err(damaged) });
        checked.map_err(|problem| self.named(problem))
    }

    fn named(&self, problem: RawCacheProblem) -> RawCacheError {
        RawCacheError {
            file: self.name.clone(),
            problem,
        }
    }
}

fn open(path: &Path) -> Result<Option<(PositionedFile, Header)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RawCacheProblem::io("open")(error)),
    };
    let length = file.metadata().map_err(RawCacheProblem::io("open"))?.len();
    let file = PositionedFile::new(file);
    let mut bytes = [0; HEADER_BYTES];
    let there = length.min(HEADER_BYTES as u64) as usize;
    file.read_exact_at(&mut bytes[..there], 0)
        .map_err(RawCacheProblem::io("read"))?;
    if !Header::has_magic(&bytes) {
        return Err(RawCacheProblem::NotACache);
    }
    let damaged = |reason| Err(RawCacheProblem::Damaged { reason });
    let Some(header) = Header::decode(&bytes) else {
        return damaged("its header is damaged, or of another version");
    };
    if header.content.is_none() {
        return damaged("it was never finished");
    }
    if header.geometry.file_bytes() != length {
        return damaged("it is shorter or longer than its header says");
    }
    // All but the images, which are many: what they show, and their digests.
    let digests = convert::digests(&file, &header.geometry)?;
    if Some(convert::content_digest(&file, &header.geometry, &digests)?) != header.content {
        return damaged("its list of items or of checksums is damaged");
    }
    Ok(Some((file, header)))
}

/// SHA-256 of a whole file.
pub(crate) fn file_digest(path: &Path) -> std::io::Result<Sha256Bytes> {
    use std::io::Read;
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
