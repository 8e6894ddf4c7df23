//! The chunks of a dataset: which of them hold a row, and where their elements belong.

use std::collections::BTreeMap;
use std::ops::Range;

use super::chunk_cache::ChunkCache;
use super::chunk_index::Chunk;
use super::message::{Filter, Hdf5Element};

/// The storage of a dataset in chunks.
#[derive(Debug)]
pub(super) struct Chunked {
    pub(super) chunk_shape: Vec<u64>,
    pub(super) chunk_bytes: usize,
    /// Chunks with the same position along the first axis.
    pub(super) chunks_per_layer: usize,
    /// Number of chunks, including those that were never written.
    pub(super) count: usize,
    pub(super) chunks: BTreeMap<usize, Chunk>,
    pub(super) filters: Vec<Filter>,
    pub(super) cache: ChunkCache,
}

impl Chunked {
    /// The numbers of the chunks that hold any of the rows.
    pub(super) fn numbers(&self, rows: &Range<u64>) -> Range<usize> {
        let rows_per_layer = self.chunk_shape[0];
        let first = (rows.start / rows_per_layer) as usize;
        let end = rows.end.div_ceil(rows_per_layer) as usize;
        first * self.chunks_per_layer..end.max(first) * self.chunks_per_layer
    }

    /// Those of the chunks that were written.
    pub(super) fn written(&self, numbers: Range<usize>) -> impl Iterator<Item = (usize, Chunk)> {
        let chunks = self.chunks.range(numbers);
        chunks.map(|(&number, &chunk)| (number, chunk))
    }

    pub(super) fn decoded_bytes(&self, numbers: &Range<usize>) -> usize {
        numbers.len().saturating_mul(self.chunk_bytes)
    }

    /// Copies the part of `rows` that a chunk holds to its place in `output`. `output` starts with
    /// the first of the rows.
    pub(super) fn scatter(
        &self,
        number: usize,
        chunk: &[u8],
        shape: &[u64],
        element: Hdf5Element,
        rows: &Range<u64>,
        output: &mut [u8],
    ) {
        let axes = shape.len();
        // Along each axis: the first index of the chunk, and its number of valid elements.
        let mut start = vec![0; axes];
        let mut count = vec![0; axes];
        let mut rest = number as u64;
        for axis in (0..axes).rev() {
            let along = shape[axis].div_ceil(self.chunk_shape[axis]);
            start[axis] = rest % along * self.chunk_shape[axis];
            count[axis] = (self.chunk_shape[axis].min(shape[axis] - start[axis])) as usize;
            rest /= along;
        }
        // The rows in both the chunk and the request, counted from the chunk's first one.
        let first = rows.start.saturating_sub(start[0]) as usize;
        let end = count[0].min((rows.end - start[0]) as usize);

        let mut chunk_strides = vec![element.size(); axes];
        let mut output_strides = chunk_strides.clone();
        for axis in (0..axes - 1).rev() {
            chunk_strides[axis] = chunk_strides[axis + 1] * self.chunk_shape[axis + 1] as usize;
            output_strides[axis] = output_strides[axis + 1] * shape[axis + 1] as usize;
        }
        let inner: usize = (1..axes)
            .map(|axis| start[axis] as usize * output_strides[axis])
            .sum();
        let target = (start[0] + first as u64 - rows.start) as usize * output_strides[0] + inner;
        count[0] = end - first;
        copy(
            &chunk[first * chunk_strides[0]..],
            &mut output[target..],
            &count,
            &chunk_strides,
            &output_strides,
        );
    }
}

/// Copies a box of `count` elements per axis between two arrays with the given strides (bytes).
/// Both start with their first element.
fn copy(from: &[u8], to: &mut [u8], count: &[usize], from_strides: &[usize], to_strides: &[usize]) {
    let [this, rest @ ..] = count else {
        return;
    };
    let (from_stride, to_stride) = (from_strides[0], to_strides[0]);
    if rest.is_empty() {
        let length = this * from_stride;
        to[..length].copy_from_slice(&from[..length]);
        return;
    }
    if let [1] = rest
        && from_strides[1] == 1
    {
        // Single bytes that are not adjacent: h5py's default chunks hold one colour of an image.
        let targets = to.iter_mut().step_by(to_stride);
        for (value, &byte) in targets.zip(from.iter().step_by(from_stride)).take(*this) {
            *value = byte;
        }
        return;
    }
    for index in 0..*this {
        copy(
            &from[index * from_stride..],
            &mut to[index * to_stride..],
            rest,
            &from_strides[1..],
            &to_strides[1..],
        );
    }
}
