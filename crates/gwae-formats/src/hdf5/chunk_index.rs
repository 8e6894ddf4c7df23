//! Finds every chunk of a dataset in the file: B-tree (version 1), fixed array, or no index.

use std::collections::BTreeMap;

use super::error::{Hdf5Problem, Result};
use super::filter::most_stored;
use super::message::ChunkIndex;
use super::source::{Source, UNDEFINED};

/// Maximum size in bytes of one chunk without its filters: 300 times the size that h5py chooses. It
/// limits, per thread, how far a small damaged file can expand.
const MAX_CHUNK_BYTES: u64 = 64 << 20;

/// Maximum number of levels of a B-tree; four levels hold a billion chunks.
const MAX_LEVELS: u8 = 16;

/// The stored bytes of one chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) filter_mask: u32,
}

/// The division of a dataset into chunks.
pub(super) struct ChunkGrid<'a> {
    pub(super) dataset: &'a str,
    /// Sizes of the dataset.
    pub(super) sizes: &'a [u64],
    /// Sizes that the dataset may grow to. Some indices number the chunks by these.
    pub(super) maximum: &'a [u64],
    /// Sizes of a chunk.
    pub(super) chunk: &'a [u64],
    pub(super) element_size: usize,
}

impl ChunkGrid<'_> {
    fn damaged(&self, offset: u64, reason: impl Into<String>) -> Hdf5Problem {
        Hdf5Problem::damaged(&self.what(), offset, reason)
    }

    fn what(&self) -> String {
        format!("dataset {}: chunk index", self.dataset)
    }

    /// Number of chunks along each axis of an array of `sizes`.
    fn counts(&self, sizes: &[u64]) -> Vec<u64> {
        sizes
            .iter()
            .zip(self.chunk)
            .map(|(size, chunk)| size.div_ceil(*chunk))
            .collect()
    }

    /// Number of chunks of an array of `sizes`; `None` if it does not fit into 64 bits.
    fn total(&self, sizes: &[u64]) -> Option<u64> {
        self.counts(sizes)
            .iter()
            .try_fold(1_u64, |product, count| product.checked_mul(*count))
    }

    /// Size of a chunk in bytes without its filters.
    pub(super) fn chunk_bytes(&self) -> Result<u64> {
        self.chunk
            .iter()
            .try_fold(self.element_size as u64, |product, &size| {
                product.checked_mul(size)
            })
            .filter(|&bytes| bytes <= MAX_CHUNK_BYTES)
            .ok_or_else(|| {
                Hdf5Problem::unsupported(
                    &format!("dataset {}", self.dataset),
                    format!("a chunk of more than {MAX_CHUNK_BYTES} bytes"),
                )
            })
    }

    /// Number of chunks.
    pub(super) fn count(&self) -> Result<usize> {
        self.total(self.sizes)
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| self.damaged(0, "the dataset has more chunks than can be counted"))
    }

    /// All chunks that were written, by their numbers in row-major order.
    pub(super) fn chunks(
        &self,
        source: &Source,
        index: &ChunkIndex,
        filtered: bool,
    ) -> Result<BTreeMap<usize, Chunk>> {
        let bytes = self.chunk_bytes()?;
        let count = self.count()? as u64;
        let mut found = Found {
            grid: self,
            source,
            most: if filtered { most_stored(bytes) } else { bytes },
            least: if filtered { 1 } else { bytes },
            count,
            chunks: BTreeMap::new(),
        };
        match *index {
            ChunkIndex::BTree { address } => {
                let mut nodes_left = source.length / NODE_HEADER;
                found.b_tree(address, MAX_LEVELS, &mut nodes_left)?;
            }
            ChunkIndex::Single {
                address,
                length,
                filter_mask,
            } => {
                if count != 1 {
                    return Err(self.damaged(address, format!("is for one chunk, not {count}")));
                }
                found.put(0, address, length.unwrap_or(bytes), filter_mask)?;
            }
            ChunkIndex::Implicit { address } => {
                let total = count.saturating_mul(bytes);
                if address != UNDEFINED {
                    source.check(&self.what(), address, total)?;
                    // In every other index, an entry takes at least eight bytes of the file.
                    if count > source.length / 8 {
                        return Err(Hdf5Problem::unsupported(
                            &self.what(),
                            "chunks of fewer than eight bytes",
                        ));
                    }
                    if self.sizes != self.maximum {
                        return Err(Hdf5Problem::unsupported(
                            &self.what(),
                            "a resizable dataset",
                        ));
                    }
                    for place in 0..count {
                        found.put(place, address + place * bytes, bytes, 0)?;
                    }
                }
            }
            ChunkIndex::FixedArray { address } => found.fixed_array(address, bytes, filtered)?,
        }
        Ok(found.chunks)
    }
}

/// The chunks found so far.
struct Found<'a> {
    grid: &'a ChunkGrid<'a>,
    source: &'a Source,
    /// The valid range of stored lengths.
    least: u64,
    most: u64,
    /// Number of chunks of the dataset.
    count: u64,
    chunks: BTreeMap<usize, Chunk>,
}

const NODE_HEADER: u64 = 24;

impl Found<'_> {
    fn put(&mut self, place: u64, offset: u64, length: u64, filter_mask: u32) -> Result<()> {
        if offset == UNDEFINED {
            return Ok(());
        }
        if !(self.least..=self.most).contains(&length) {
            return Err(self.grid.damaged(
                offset,
                format!("chunk {place} has a stored length of {length} bytes"),
            ));
        }
        let what = format!("dataset {}: chunk {place}", self.grid.dataset);
        self.source.check(&what, offset, length)?;
        if place >= self.count {
            let reason = format!("chunk {place} is beyond the dataset");
            return Err(self.grid.damaged(offset, reason));
        }
        let chunk = Chunk {
            offset,
            // Less than `most`, which is little more than `MAX_CHUNK_BYTES`.
            length: length as u32,
            filter_mask,
        };
        match self.chunks.insert(place as usize, chunk) {
            None => Ok(()),
            Some(_) => {
                let reason = format!("chunk {place} is there twice");
                Err(self.grid.damaged(offset, reason))
            }
        }
    }

    /// The chunks below the node at `address`. The level of the node must be less than `levels`.
    fn b_tree(&mut self, address: u64, levels: u8, nodes_left: &mut u64) -> Result<()> {
        const WHAT: &str = "chunk B-tree node";
        if address == UNDEFINED {
            return Ok(());
        }
        let header = self.source.block(WHAT, address, NODE_HEADER)?;
        *nodes_left = nodes_left
            .checked_sub(1)
            .ok_or_else(|| header.damaged("belongs to a tree with more nodes than fit the file"))?;
        let mut cursor = header.cursor();
        cursor.signature(b"TREE")?;
        let (kind, level, used) = (cursor.u8()?, cursor.u8()?, u64::from(cursor.u16()?));
        if kind != 1 {
            return Err(header.damaged("is not a node of chunks"));
        }
        if level >= levels {
            return Err(header.damaged(format!("is on level {level}, not below its parent")));
        }
        if used == 0 && level > 0 {
            return Err(header.damaged("has no children"));
        }
        let grid = self.grid;
        let dimensions = grid.sizes.len();
        // Stored length, filter mask, one offset per dimension and one for the element, child.
        let entry = 8 + 8 * (dimensions as u64 + 1) + 8;
        let entries = self
            .source
            .block(WHAT, address.saturating_add(NODE_HEADER), used * entry)?;
        let counts = grid.counts(grid.sizes);
        let mut cursor = entries.cursor();
        for _ in 0..used {
            let length = u64::from(cursor.u32()?);
            let filter_mask = cursor.u32()?;
            let mut place = Some(0_u64);
            for (chunk, count) in grid.chunk.iter().zip(&counts) {
                let start = cursor.u64()?;
                let along = start / chunk;
                place = place
                    .filter(|_| start % chunk == 0 && along < *count)
                    .and_then(|place| place.checked_mul(*count)?.checked_add(along));
            }
            let _element = cursor.u64()?;
            let child = cursor.u64()?;
            if level > 0 {
                self.b_tree(child, level, nodes_left)?;
            } else if let Some(place) = place {
                self.put(place, child, length, filter_mask)?;
            } else {
                return Err(header.damaged("has a chunk that is not part of the dataset"));
            }
        }
        Ok(())
    }

    fn fixed_array(&mut self, address: u64, bytes: u64, filtered: bool) -> Result<()> {
        if address == UNDEFINED {
            return Ok(());
        }
        let header = self.source.block("fixed array header", address, 28)?;
        header.verify_checksum()?;
        let mut cursor = header.cursor();
        cursor.signature(b"FAHD")?;
        let (version, client) = (cursor.u8()?, cursor.u8()?);
        if version != 0 || client != u8::from(filtered) {
            return Err(header.damaged("is of no known version, or not for these filters"));
        }
        let entry = u64::from(cursor.u8()?);
        let page_bits = cursor.u8()?;
        let count = cursor.u64()?;
        let data = cursor.u64()?;
        // Address; with filters also the stored length (the rest) and the filter mask (4).
        let plausible = if filtered { 13..=20 } else { 8..=8 };
        if !plausible.contains(&entry) || page_bits > 20 {
            return Err(header.damaged("has entries or pages of impossible size"));
        }
        // Chunks are numbered by the sizes that the dataset may grow to.
        if Some(count) != self.grid.total(self.grid.maximum) || count > self.source.length / entry {
            return Err(header.damaged(format!("has {count} entries, not one per chunk")));
        }
        if data == UNDEFINED {
            return Ok(());
        }
        const PREFIX: u64 = 14;
        let page = 1_u64 << page_bits;
        let paged = count > page;
        let pages = if paged { count.div_ceil(page) } else { 0 };
        let bitmap_length = pages.div_ceil(8);
        let in_prefix = if paged { 0 } else { count * entry };
        let prefix = self.source.block(
            "fixed array data block",
            data,
            PREFIX + bitmap_length + in_prefix + 4,
        )?;
        prefix.verify_checksum()?;
        let mut cursor = prefix.cursor();
        cursor.signature(b"FADB")?;
        cursor.skip(10)?;
        let bitmap = cursor.bytes(bitmap_length as usize)?;
        if !paged {
            return self.entries(&mut cursor, 0..count, entry, bytes, filtered);
        }
        let mut offset = data.saturating_add(PREFIX + bitmap_length + 4);
        for number in 0..pages {
            let places = number * page..count.min((number + 1) * page);
            let length = (places.end - places.start) * entry + 4;
            // Pages without a set bit were never written.
            if bitmap[(number / 8) as usize] & (0x80 >> (number % 8)) != 0 {
                let block = self.source.block("fixed array page", offset, length)?;
                block.verify_checksum()?;
                self.entries(&mut block.cursor(), places, entry, bytes, filtered)?;
            }
            offset = offset.saturating_add(page * entry + 4);
        }
        Ok(())
    }

    /// The entries of a fixed array for the chunks `places`, which are numbered by the maximum
    /// sizes.
    fn entries(
        &mut self,
        cursor: &mut super::source::Cursor<'_>,
        places: std::ops::Range<u64>,
        entry: u64,
        bytes: u64,
        filtered: bool,
    ) -> Result<()> {
        let most = self.grid.counts(self.grid.maximum);
        let counts = self.grid.counts(self.grid.sizes);
        for place in places {
            let offset = cursor.u64()?;
            let (length, filter_mask) = if filtered {
                (cursor.number(entry as usize - 12)?, cursor.u32()?)
            } else {
                (bytes, 0)
            };
            if let Some(place) = renumbered(place, &most, &counts) {
                self.put(place, offset, length, filter_mask)?;
            }
        }
        Ok(())
    }
}

/// Converts a chunk number: `place` counts over `most` chunks per axis, the result over `counts`.
/// `None` if the chunk is outside `counts`.
fn renumbered(place: u64, most: &[u64], counts: &[u64]) -> Option<u64> {
    let mut rest = place;
    let mut number = 0;
    let mut stride = 1_u64;
    for (most, count) in most.iter().zip(counts).rev() {
        let along = rest % most;
        if along >= *count {
            return None;
        }
        number += along * stride;
        stride *= count;
        rest /= most;
    }
    Some(number)
}
