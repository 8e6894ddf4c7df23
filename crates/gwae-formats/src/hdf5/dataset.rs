//! Reading the rows of a dataset.

use std::ops::Range;
use std::sync::Arc;

use super::chunk_cache::ChunkCache;
use super::chunk_index::{Chunk, ChunkGrid};
use super::chunked::Chunked;
use super::error::{Hdf5Error, Hdf5Problem, Result};
use super::filter::decode;
use super::kind;
use super::message::{self, Hdf5Element, Layout};
use super::object_header::{Message, messages};
use super::source::{Source, UNDEFINED};
use crate::parallel::{default_threads, in_parallel};

/// Maximum memory for the cached chunks of one dataset, without those in use: 192 MiB. This is
/// enough for all chunks that hold part of one image of 3D Shapes, with the chunk sizes that h5py
/// chooses (768 chunks of 15,000×4×4×1).
pub const HDF5_CHUNK_CACHE_BYTES: usize = 192 << 20;

/// Maximum size of a dataset of which something was never written, beyond what its file can hold. It keeps a small
/// file from filling the disk.
const MOST_UNWRITTEN: u64 = 64 << 20;

/// Deflate makes data shorter by at most about this factor.
const MOST_COMPRESSION: u64 = 1100;

/// One dataset of an [`Hdf5File`](super::Hdf5File): an array. Any number of threads can read any of
/// its rows. A *row* is all elements that share an index along the first axis, such as one image.
#[derive(Debug)]
pub struct Hdf5Dataset {
    file: Arc<str>,
    source: Arc<Source>,
    name: String,
    shape: Vec<u64>,
    element: Hdf5Element,
    row_bytes: usize,
    storage: Storage,
    /// The element that stands where nothing was written; `None` if everything was.
    fill: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Storage {
    Unwritten,
    Contiguous { offset: u64 },
    Chunked(Chunked),
}

impl Hdf5Dataset {
    pub(super) fn open(
        file: Arc<str>,
        source: Arc<Source>,
        name: &str,
        address: u64,
    ) -> Result<Self> {
        let messages = messages(&source, address)?;
        let body = |kind: u16, what: &str| {
            let message = messages.iter().find(|message| message.kind == kind);
            message.map(|message| message.body()).unwrap_or_else(|| {
                let reason = format!("has no {what} message, so it is no dataset");
                Err(Hdf5Problem::damaged(
                    &format!("object {name}"),
                    address,
                    reason,
                ))
            })
        };
        if messages.iter().any(|m| m.kind == kind::EXTERNAL_FILES) {
            return Err(Hdf5Problem::unsupported(
                &format!("dataset {name}"),
                "raw data in another file (external storage)",
            ));
        }
        let shape = message::shape(body(kind::DATASPACE, "dataspace")?)?;
        let element = message::element(body(kind::DATATYPE, "datatype")?)?;
        let layout = message::layout(
            body(kind::LAYOUT, "data layout")?,
            shape.sizes.len(),
            element.size(),
        )?;
        let filters = match messages.iter().find(|m| m.kind == kind::FILTERS) {
            Some(message) => message::filters(message.body()?)?,
            None => Vec::new(),
        };
        let what = format!("dataset {name}");
        let too_large = || Hdf5Problem::damaged(&what, address, "declares an impossible size");
        let row_bytes = shape.sizes[1..]
            .iter()
            .try_fold(element.size() as u64, |product, &size| {
                product.checked_mul(size)
            })
            .ok_or_else(too_large)?;
        let total = row_bytes
            .checked_mul(shape.sizes[0])
            .filter(|&total| total <= i64::MAX as u64)
            .ok_or_else(too_large)?;
        if total == 0 {
            return Err(Hdf5Problem::damaged(&what, address, "holds nothing"));
        }
        let mut missing = 0;
        let mut expected = 1;
        let storage = match layout {
            Layout::Contiguous {
                address: UNDEFINED, ..
            } => {
                missing = 1;
                Storage::Unwritten
            }
            Layout::Contiguous { address, length } => {
                if length != total {
                    return Err(Hdf5Problem::damaged(
                        &what,
                        address,
                        format!("is stored in {length} bytes, but its shape takes {total}"),
                    ));
                }
                source.check(&what, address, total)?;
                Storage::Contiguous { offset: address }
            }
            Layout::Chunked {
                shape: chunk,
                index,
            } => {
                let grid = ChunkGrid {
                    dataset: name,
                    sizes: &shape.sizes,
                    maximum: &shape.maximum,
                    chunk: &chunk,
                    element_size: element.size(),
                };
                let chunks = grid.chunks(&source, &index, !filters.is_empty())?;
                let count = grid.count()?;
                expected = count as u64;
                missing = expected - chunks.len() as u64;
                let layers = shape.sizes[0].div_ceil(chunk[0]) as usize;
                Storage::Chunked(Chunked {
                    chunk_bytes: grid.chunk_bytes()? as usize,
                    chunks_per_layer: count / layers,
                    chunk_shape: chunk,
                    count,
                    chunks,
                    filters,
                    cache: ChunkCache::new(HDF5_CHUNK_CACHE_BYTES),
                })
            }
        };
        let fill = if missing > 0 {
            let most = source.length.saturating_mul(MOST_COMPRESSION) + MOST_UNWRITTEN;
            let fill = fill(&messages, element.size())?.filter(|_| total <= most);
            Some(fill.ok_or_else(|| Hdf5Problem::Unwritten {
                dataset: name.to_owned(),
                missing,
                expected,
            })?)
        } else {
            None
        };
        let row_bytes = usize::try_from(row_bytes).map_err(|_| too_large())?;
        Ok(Self {
            file,
            source,
            name: name.to_owned(),
            shape: shape.sizes,
            element,
            row_bytes,
            storage,
            fill,
        })
    }

    /// Path in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sizes of all axes, slowest first. No size is zero.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Type of the elements.
    pub fn element(&self) -> Hdf5Element {
        self.element
    }

    /// Returns an error if the dataset has another element type.
    ///
    /// # Errors
    /// [`Hdf5Problem::ElementType`].
    pub fn require_element(&self, expected: Hdf5Element) -> std::result::Result<(), Hdf5Error> {
        if self.element == expected {
            return Ok(());
        }
        Err(self.named(Hdf5Problem::ElementType {
            dataset: self.name.clone(),
            found: self.element.name(),
            expected: expected.name(),
        }))
    }

    /// Number of bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// Number of rows that are stored together; 1 if rows do not share storage. Reading in groups
    /// of this many rows, each starting at a multiple of it, decodes every chunk once.
    pub fn rows_per_chunk(&self) -> u64 {
        match &self.storage {
            Storage::Unwritten | Storage::Contiguous { .. } => 1,
            Storage::Chunked(chunked) => chunked.chunk_shape[0],
        }
    }

    /// Reads the rows `rows` into `output`, in row-major order, with the bytes of the file
    /// (little-endian).
    ///
    /// # Errors
    /// If the dataset does not have the rows, a read fails, or a chunk is damaged.
    ///
    /// # Panics
    /// If `output` does not hold exactly [`Hdf5Dataset::row_bytes`] per row.
    pub fn read_rows(
        &self,
        rows: Range<u64>,
        output: &mut [u8],
    ) -> std::result::Result<(), Hdf5Error> {
        self.read(rows, output)
            .map_err(|problem| self.named(problem))
    }

    /// Reads single rows into `output`, in the order of `rows`, which may repeat. A chunk that
    /// holds several of the rows is decoded once. Chunks are cached only if all chunks of the
    /// dataset fit into the cache: otherwise random rows would push chunks out before they are
    /// needed again.
    ///
    /// # Errors
    /// The same as [`Hdf5Dataset::read_rows`].
    ///
    /// # Panics
    /// The same as [`Hdf5Dataset::read_rows`].
    pub fn read_scattered_rows(
        &self,
        rows: &[u64],
        output: &mut [u8],
    ) -> std::result::Result<(), Hdf5Error> {
        self.read_scattered(rows, output)
            .map_err(|problem| self.named(problem))
    }

    /// Decodes the chunks of the rows on all processors and caches them for later reads. Does
    /// nothing if they do not all fit into the cache.
    ///
    /// # Errors
    /// The same as [`Hdf5Dataset::read_rows`].
    pub fn prefetch_rows(&self, rows: Range<u64>) -> std::result::Result<(), Hdf5Error> {
        self.prefetch(rows).map_err(|problem| self.named(problem))
    }

    /// Whether all chunks of the rows fit into the cache of [`Hdf5Dataset::prefetch_rows`].
    pub fn keeps_rows(&self, rows: Range<u64>) -> bool {
        match &self.storage {
            Storage::Unwritten | Storage::Contiguous { .. } => true,
            Storage::Chunked(chunked) => {
                chunked.decoded_bytes(&chunked.numbers(&rows)) <= chunked.cache.capacity()
            }
        }
    }

    /// Frees the memory of the cached chunks.
    pub fn forget_chunks(&self) {
        if let Storage::Chunked(chunked) = &self.storage {
            chunked.cache.clear();
        }
    }

    fn named(&self, problem: Hdf5Problem) -> Hdf5Error {
        Hdf5Error {
            file: self.file.to_string(),
            problem,
        }
    }

    fn check_rows(&self, rows: &Range<u64>) -> Result<()> {
        if rows.start <= rows.end && rows.end <= self.shape[0] {
            return Ok(());
        }
        Err(Hdf5Problem::RowsOutOfRange {
            dataset: self.name.clone(),
            start: rows.start,
            end: rows.end,
            rows: self.shape[0],
        })
    }

    fn read(&self, rows: Range<u64>, output: &mut [u8]) -> Result<()> {
        self.check_rows(&rows)?;
        let count = (rows.end - rows.start) as usize;
        assert_eq!(Some(output.len()), count.checked_mul(self.row_bytes));
        if count == 0 {
            return Ok(());
        }
        match &self.storage {
            Storage::Unwritten => {
                self.fill(output);
                Ok(())
            }
            Storage::Contiguous { offset } => {
                let what = format!("dataset {}", self.name);
                // The whole array is inside the file, so this cannot overflow.
                let start = offset + rows.start * self.row_bytes as u64;
                self.source.fill(&what, start, output)
            }
            Storage::Chunked(chunked) => {
                let numbers = chunked.numbers(&rows);
                // A chunk that does not fit would only push out others.
                let keep = chunked.decoded_bytes(&numbers) <= chunked.cache.capacity();
                self.fill(output);
                for (number, stored) in chunked.written(numbers) {
                    let chunk = self.chunk(chunked, number, stored, keep)?;
                    chunked.scatter(number, &chunk, &self.shape, self.element, &rows, output);
                }
                Ok(())
            }
        }
    }

    fn read_scattered(&self, rows: &[u64], output: &mut [u8]) -> Result<()> {
        let row_bytes = self.row_bytes;
        assert_eq!(Some(output.len()), rows.len().checked_mul(row_bytes));
        for &row in rows {
            self.check_rows(&(row..row.saturating_add(1)))?;
        }
        let Storage::Chunked(chunked) = &self.storage else {
            let targets = output.chunks_exact_mut(row_bytes);
            let mut pairs = rows.iter().zip(targets);
            return pairs.try_for_each(|(&row, target)| self.read(row..row + 1, target));
        };
        self.fill(output);
        let all = 0..chunked.count;
        let keep = chunked.decoded_bytes(&all) <= chunked.cache.capacity();
        let layer = |place: usize| rows[place] / chunked.chunk_shape[0];
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by_key(|&place| layer(place));
        for places in places.chunk_by(|&a, &b| layer(a) == layer(b)) {
            let first = rows[places[0]];
            let numbers = chunked.numbers(&(first..first + 1));
            for (number, stored) in chunked.written(numbers) {
                let chunk = self.chunk(chunked, number, stored, keep)?;
                for &place in places {
                    let row = rows[place]..rows[place] + 1;
                    let target = &mut output[place * row_bytes..][..row_bytes];
                    chunked.scatter(number, &chunk, &self.shape, self.element, &row, target);
                }
            }
        }
        Ok(())
    }

    fn prefetch(&self, rows: Range<u64>) -> Result<()> {
        self.check_rows(&rows)?;
        let Storage::Chunked(chunked) = &self.storage else {
            return Ok(());
        };
        let numbers = chunked.numbers(&rows);
        if rows.is_empty() || !self.keeps_rows(rows) {
            return Ok(());
        }
        let written: Vec<_> = chunked.written(numbers).collect();
        in_parallel(default_threads().get(), written.len(), |place| {
            let (number, stored) = written[place];
            self.chunk(chunked, number, stored, true).map(drop)
        })
        .map(drop)
    }

    /// Puts the fill value into every element, if something was never written.
    fn fill(&self, output: &mut [u8]) {
        if let Some(value) = &self.fill {
            for element in output.chunks_exact_mut(value.len()) {
                element.copy_from_slice(value);
            }
        }
    }

    /// The elements of a chunk, from the cache or the file.
    fn chunk(
        &self,
        chunked: &Chunked,
        number: usize,
        stored: Chunk,
        keep: bool,
    ) -> Result<Arc<Vec<u8>>> {
        if let Some(chunk) = chunked.cache.get(number) {
            return Ok(chunk);
        }
        let Chunk {
            offset,
            length,
            filter_mask,
        } = stored;
        let what = || format!("dataset {}: chunk {number}", self.name);
        let mut stored = vec![0; length as usize];
        self.source.fill(&what(), offset, &mut stored)?;
        let elements = decode(stored, &chunked.filters, filter_mask, chunked.chunk_bytes)
            .map_err(|reason| Hdf5Problem::damaged(&what(), offset, reason))?;
        let elements = Arc::new(elements);
        if keep {
            chunked.cache.put(number, Arc::clone(&elements));
        }
        Ok(elements)
    }
}

/// The element that stands where nothing was written; `None` if the file does not say.
fn fill(messages: &[Message], size: usize) -> Result<Option<Vec<u8>>> {
    for (kind, is_old) in [(kind::FILL_VALUE, false), (kind::OLD_FILL_VALUE, true)] {
        if let Some(message) = messages.iter().find(|message| message.kind == kind) {
            return message::fill_value(message.body()?, size, is_old);
        }
    }
    Ok(Some(vec![0; size]))
}
