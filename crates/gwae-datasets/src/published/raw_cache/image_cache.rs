//! Complete cache files.

use std::fs::File;
use std::path::Path;

use gwae_formats::positioned_file::PositionedFile;

use super::digests::{content_digest, digests, wrong_blocks};
use super::error::{RawCacheError, RawCacheProblem, Result};
use super::layout::{HEADER_BYTES, Header};

/// A complete cache file.
#[derive(Debug)]
pub(crate) struct ImageCache {
    name: String,
    file: PositionedFile,
    header: Header,
}

impl ImageCache {
    /// Opens a complete file; `None` if there is none.
    ///
    /// A cache that cannot be used is [`RawCacheProblem::Damaged`].
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

    /// The number in the factor grid of every image.
    pub(crate) fn items(&self) -> std::result::Result<Vec<u32>, RawCacheError> {
        let geometry = &self.header.geometry;
        // The header's sizes have been checked against the file's length, which limits the
        // allocation.
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

    /// Reads the whole file once, from start to end, so that the system keeps it in memory.
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
        let checked = digests(&self.file, &self.header.geometry)
            .and_then(|stored| {
                // Checked again, because the file may have changed since it was opened.
                let content = content_digest(&self.file, &self.header.geometry, &stored)?;
                let wrong = wrong_blocks(&self.file, &self.header.geometry, &stored)?;
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
    // Everything but the images: the grid numbers and the digests. Reading the images would take
    // long.
    let digests = digests(&file, &header.geometry)?;
    if Some(content_digest(&file, &header.geometry, &digests)?) != header.content {
        return damaged("its list of items or of checksums is damaged");
    }
    Ok(Some((file, header)))
}
