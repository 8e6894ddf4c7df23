//! Pairwise distances from differences, in blocks of rows that stay in cache.

use burn::tensor::Shape;
use burn_flex::FlexTensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{tensor, values};

/// Number of rows on each side that are compared at once, in registers.
const TILE: usize = 4;
/// After this number of columns, sums are added up in double precision. Two blocks of rows stay in
/// cache.
const CHUNK: usize = 1024;
/// Rows per block: for a large batch, and for a batch that would otherwise have too few blocks for
/// all cores.
const BLOCK: usize = 64;
const SMALL_BLOCK: usize = 16;

/// An array with one value per row of a tile. (`from_fn` would be a call that is not inlined.)
macro_rules! tile {
    (|$k:ident| $of:expr) => {
        [
            {
                let $k = 0;
                $of
            },
            {
                let $k = 1;
                $of
            },
            {
                let $k = 2;
                $of
            },
            {
                let $k = 3;
                $of
            },
        ]
    };
}

/// See `Kernels::distances`.
pub(super) fn distances(rows: FlexTensor) -> FlexTensor {
    let [batch, features] = rows.layout().shape().dims();
    let rows = rows.to_contiguous();
    let rows = values(&rows);
    let size = if batch >= 8 * BLOCK {
        BLOCK
    } else {
        SMALL_BLOCK
    };
    let count = batch.div_ceil(size);
    // Each pair of blocks occurs once.
    let pairs: Vec<[usize; 2]> = (0..count)
        .flat_map(|i| (i..count).map(move |j| [i, j]))
        .collect();
    let blocks: Vec<Vec<f32>> = pairs
        .into_par_iter()
        .map(|pair| {
            let mut sums = vec![0.0; size * size];
            let block = Block {
                rows,
                batch,
                features,
                size,
                first: pair.map(|block| block * size),
                sums: &mut sums,
            };
            Arch::new().dispatch(block);
            sums.into_iter().map(|sum: f64| sum.sqrt() as f32).collect()
        })
        .collect();
    // The pairs are in order: (i, j) comes after all pairs with a smaller i.
    let of_pair = |i: usize, j: usize| &blocks[i * count - i * (i + 1) / 2 + j];

    let mut output = vec![0.0; batch * batch];
    let lines = output.par_chunks_mut(batch.max(1)).enumerate();
    lines.for_each(|(row, line)| {
        let (i, at) = (row / size, row % size);
        for (j, part) in line.chunks_mut(size).enumerate() {
            for (other, distance) in part.iter_mut().enumerate() {
                *distance = if (i, at) <= (j, other) {
                    of_pair(i, j)[at * size + other]
                } else {
                    of_pair(j, i)[other * size + at]
                };
            }
        }
    });
    tensor(output, Shape::new([batch, batch]))
}

/// Adds the squared distances between two blocks of rows to `sums`, `[size, size]`.
struct Block<'a> {
    rows: &'a [f32],
    batch: usize,
    features: usize,
    size: usize,
    first: [usize; 2],
    sums: &'a mut [f64],
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            rows,
            batch,
            features,
            size,
            first,
            sums,
        } = self;
        let [left, right] = first.map(|first| size.min(batch - first));
        // Rows beyond the last one repeat it; their results are never read.
        let row = |block: usize, at: usize, start: usize, length: usize| {
            let row = (first[block] + at).min(batch - 1);
            &rows[row * features + start..][..length]
        };
        for start in (0..features).step_by(CHUNK) {
            let length = CHUNK.min(features - start);
            for i in (0..left).step_by(TILE) {
                let a = tile!(|k| row(0, i + k, start, length));
                // A block with itself: one half is enough.
                let begin = if first[0] == first[1] { i } else { 0 };
                for j in (begin..right).step_by(TILE) {
                    let b = tile!(|k| row(1, j + k, start, length));
                    let squares = compare(simd, a, b);
                    for (k, line) in squares.into_iter().enumerate() {
                        let line = line.into_iter().zip(&mut sums[(i + k) * size + j..]);
                        line.for_each(|(square, sum)| *sum += f64::from(square));
                    }
                }
            }
        }
    }
}

/// The sums of squared differences between each row on the left and each row on the right.
#[inline(always)]
fn compare<S: Simd>(simd: S, a: [&[f32]; TILE], b: [&[f32]; TILE]) -> [[f32; TILE]; TILE] {
    let mut sums = [[simd.splat_f32s(0.0); TILE]; TILE];
    let mut squares = [[0.0; TILE]; TILE];
    let a = tile!(|k| S::as_simd_f32s(a[k]));
    let b = tile!(|k| S::as_simd_f32s(b[k]));
    for at in 0..a[0].0.len() {
        let right = tile!(|k| b[k].0[at]);
        for i in 0..TILE {
            let left = a[i].0[at];
            for j in 0..TILE {
                let difference = simd.sub_f32s(left, right[j]);
                sums[i][j] = simd.mul_add_f32s(difference, difference, sums[i][j]);
            }
        }
    }
    for i in 0..TILE {
        for j in 0..TILE {
            let rest = a[i].1.iter().zip(b[j].1);
            let rest: f32 = rest.map(|(a, b)| (a - b) * (a - b)).sum();
            squares[i][j] = simd.reduce_sum_f32s(sums[i][j]) + rest;
        }
    }
    squares
}
