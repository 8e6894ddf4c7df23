//! Convolutions of few pixels: one matrix product with the weight as it lies in memory.
//!
//! In the deeper layers, a single image has very few tiles. Winograd's points of a weight would then
//! cost more than they save. This algorithm reads the weight once and computes nothing from it. The
//! other steps are small. A convolution copies the pixels that meet each kernel position into panels
//! of 16 columns. A transposed convolution adds up the products of each kernel position.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::product::panels;
use super::weight_points::TAPS;
use super::winograd::Geometry;
use crate::PaddingMode;

/// Columns per panel.
const WIDTH: usize = 16;
/// Rows of a product that are computed together.
const ROWS: usize = 16;
/// Least number of blocks of rows per task.
const LEAST_BLOCKS: usize = 2;

/// See `Kernels::strided_conv`.
pub(super) fn strided_conv(
    geometry: Geometry,
    images: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let Geometry { m, n, .. } = geometry;
    let plane = SortedPlane::of(geometry);
    let pixels = plane.pixels();
    let samples = images.len() / (n * 4 * pixels);
    if samples == 0 {
        return Vec::new();
    }
    let inner = n * TAPS;
    let columns = panels(samples * pixels, WIDTH);
    let mut right = vec![0.0; columns * inner * WIDTH];
    let mut sorted = vec![0.0; plane.values()];
    for (number, image) in images.chunks_exact(4 * pixels).enumerate() {
        let (sample, channel) = (number / n, number % n);
        plane.sort(image, &mut sorted);
        for tap in 0..TAPS {
            for i in 0..plane.height {
                let line = &sorted[plane.start(tap, i)..][..plane.width];
                let column = sample * pixels + i * plane.width;
                put(&mut right, inner, channel * TAPS + tap, column, line);
            }
        }
    }

    let mut products = vec![0.0; columns * panels(m, ROWS) * ROWS * WIDTH];
    let blocks = products.par_chunks_mut(columns * ROWS * WIDTH).enumerate();
    blocks
        .with_min_len(LEAST_BLOCKS)
        .for_each(|(block, products)| {
            // Rows beyond the last one repeat it; their results are never read.
            let rows = std::array::from_fn(|row| {
                let row = (block * ROWS + row).min(m - 1);
                &weight[row * inner..][..inner]
            });
            let right = right.chunks_exact(inner * WIDTH);
            for (right, product) in right.zip(products.chunks_exact_mut(ROWS * WIDTH)) {
                multiply(Rows(rows), right, product);
            }
        });

    let mut features = vec![0.0; samples * m * pixels];
    for (number, feature) in features.chunks_exact_mut(pixels).enumerate() {
        let (sample, channel) = (number / m, number % m);
        let bias = bias.map_or(0.0, |bias| bias[channel]);
        let (block, row) = (channel / ROWS, channel % ROWS);
        let products = &products[block * columns * ROWS * WIDTH..];
        for (pixel, value) in feature.iter_mut().enumerate() {
            *value = bias + products[position(ROWS, row, sample * pixels + pixel)];
        }
    }
    features
}

/// See `Kernels::strided_conv_transpose`.
pub(super) fn strided_conv_transpose(
    geometry: Geometry,
    features: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let Geometry { m, n, .. } = geometry;
    let plane = SortedPlane::of(geometry);
    let pixels = plane.pixels();
    let samples = features.len() / (m * pixels);
    if samples == 0 {
        return Vec::new();
    }
    let columns = panels(samples * pixels, WIDTH);
    let mut right = vec![0.0; columns * m * WIDTH];
    for (number, feature) in features.chunks_exact(pixels).enumerate() {
        let (sample, channel) = (number / m, number % m);
        for (i, line) in feature.chunks_exact(plane.width).enumerate() {
            let column = sample * pixels + i * plane.width;
            put(&mut right, m, channel, column, line);
        }
    }

    // One channel after the other, each with all samples.
    let mut planes = vec![0.0; n * samples * 4 * pixels];
    let channels = planes.par_chunks_mut(samples * 4 * pixels).enumerate();
    channels
        .with_min_len(LEAST_BLOCKS)
        .for_each(|(channel, images)| {
            let left = Columns {
                values: &weight[channel * TAPS..],
                stride: n * TAPS,
            };
            let mut products = vec![0.0; columns * TAPS * WIDTH];
            let right = right.chunks_exact(m * WIDTH);
            for (right, product) in right.zip(products.chunks_exact_mut(TAPS * WIDTH)) {
                multiply(left, right, product);
            }
            let bias = bias.map_or(0.0, |bias| bias[channel]);
            let mut sorted = vec![0.0; plane.values()];
            for (sample, image) in images.chunks_exact_mut(4 * pixels).enumerate() {
                sorted.fill(0.0);
                for tap in 0..TAPS {
                    for i in 0..plane.height {
                        let line = &mut sorted[plane.start(tap, i)..][..plane.width];
                        let first = sample * pixels + i * plane.width;
                        for (j, sum) in line.iter_mut().enumerate() {
                            *sum += products[position(TAPS, tap, first + j)];
                        }
                    }
                }
                plane.gather(&mut sorted, bias, image);
            }
        });
    if samples == 1 {
        return planes;
    }
    let mut images = vec![0.0; planes.len()];
    for (number, image) in images.chunks_exact_mut(4 * pixels).enumerate() {
        let (sample, channel) = (number / n, number % n);
        image.copy_from_slice(&planes[(channel * samples + sample) * 4 * pixels..][..4 * pixels]);
    }
    images
}

/// A padded plane of an image, `[2·height + 2][2][width + 1]`. Each line holds the pixels in even
/// places first, then those in odd places, so the pixels that meet a kernel position follow each
/// other.
#[derive(Clone, Copy)]
struct SortedPlane {
    /// Height and width of the feature map.
    height: usize,
    width: usize,
    padding: PaddingMode,
}

impl SortedPlane {
    fn of(geometry: Geometry) -> Self {
        Self {
            height: geometry.height,
            width: geometry.width,
            padding: geometry.padding,
        }
    }

    /// Pixels of the feature map.
    fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Number of values in a line.
    fn line(self) -> usize {
        2 * (self.width + 1)
    }

    /// Number of values.
    fn values(self) -> usize {
        (2 * self.height + 2) * self.line()
    }

    /// Start of the pixels that meet a kernel position, for line `i` of the feature map.
    fn start(self, tap: usize, i: usize) -> usize {
        let (k, l) = (tap / 4, tap % 4);
        (2 * i + k) * self.line() + l % 2 * (self.width + 1) + l / 2
    }

    /// Sorts `[2·height][2·width]`.
    fn sort(self, image: &[f32], sorted: &mut [f32]) {
        let (length, width) = (self.line(), self.width);
        let (above, lines) = sorted.split_at_mut(length);
        let (lines, below) = lines.split_at_mut(2 * self.height * length);
        let pixels = image.chunks_exact(2 * width);
        for (line, pixels) in lines.chunks_exact_mut(length).zip(pixels) {
            let (even, odd) = line.split_at_mut(width + 1);
            for (j, pair) in pixels.chunks_exact(2).enumerate() {
                odd[j] = pair[0];
                even[j + 1] = pair[1];
            }
            (even[0], odd[width]) = match self.padding {
                PaddingMode::Zeros => (0.0, 0.0),
                PaddingMode::Replicate => (pixels[0], pixels[2 * width - 1]),
            };
        }
        match self.padding {
            PaddingMode::Zeros => {
                above.fill(0.0);
                below.fill(0.0);
            }
            PaddingMode::Replicate => {
                above.copy_from_slice(&lines[..length]);
                below.copy_from_slice(&lines[lines.len() - length..]);
            }
        }
    }

    /// The transpose of [`SortedPlane::sort`], plus `bias`. Overwrites `sorted`.
    fn gather(self, sorted: &mut [f32], bias: f32, image: &mut [f32]) {
        let (length, width) = (self.line(), self.width);
        let (above, lines) = sorted.split_at_mut(length);
        let (lines, below) = lines.split_at_mut(2 * self.height * length);
        if self.padding == PaddingMode::Replicate {
            let last = lines.len() - length;
            add(&mut lines[..length], above);
            add(&mut lines[last..], below);
        }
        let pixels = image.chunks_exact_mut(2 * width);
        for (line, pixels) in lines.chunks_exact(length).zip(pixels) {
            let (even, odd) = line.split_at(width + 1);
            for (j, pair) in pixels.chunks_exact_mut(2).enumerate() {
                pair[0] = bias + odd[j];
                pair[1] = bias + even[j + 1];
            }
            if self.padding == PaddingMode::Replicate {
                pixels[0] += even[0];
                pixels[2 * width - 1] += odd[width];
            }
        }
    }
}

fn add(sums: &mut [f32], terms: &[f32]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// The index of a row and column in panels `[rows][16]`.
fn position(rows: usize, row: usize, column: usize) -> usize {
    (column / WIDTH * rows + row) * WIDTH + column % WIDTH
}

/// Puts values into a row of panels `[rows][16]`, starting at a column.
fn put(matrix: &mut [f32], rows: usize, row: usize, column: usize, values: &[f32]) {
    // The longest piece that always fits into one panel.
    let piece = 1 << (values.len() | column | WIDTH).trailing_zeros();
    for (number, values) in values.chunks_exact(piece).enumerate() {
        let start = position(rows, row, column + number * piece);
        matrix[start..][..piece].copy_from_slice(values);
    }
}

/// Sixteen rows of a left factor.
trait Left: Copy {
    /// The values of `R` rows, from `first` on, in column `k`.
    fn column<const R: usize>(&self, first: usize, k: usize) -> [f32; R];
}

/// Rows that are contiguous in memory.
#[derive(Clone, Copy)]
struct Rows<'a>([&'a [f32]; ROWS]);

impl Left for Rows<'_> {
    #[inline(always)]
    fn column<const R: usize>(&self, first: usize, k: usize) -> [f32; R] {
        let mut values = [0.0; R];
        for (value, row) in values.iter_mut().zip(&self.0[first..]) {
            *value = row[k];
        }
        values
    }
}

/// Rows that are the columns of a matrix in memory.
#[derive(Clone, Copy)]
struct Columns<'a> {
    values: &'a [f32],
    /// Length of a line.
    stride: usize,
}

impl Left for Columns<'_> {
    #[inline(always)]
    fn column<const R: usize>(&self, first: usize, k: usize) -> [f32; R] {
        self.values[k * self.stride + first..][..R]
            .try_into()
            .unwrap()
    }
}

/// The product of sixteen rows with a panel `[inner][16]`: `[16][16]`.
fn multiply(left: impl Left, right: &[f32], product: &mut [f32]) {
    struct Multiply<'a, L> {
        left: L,
        right: &'a [f32],
        product: &'a mut [f32],
    }
    impl<L: Left> WithSimd for Multiply<'_, L> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self {
                left,
                right,
                product,
            } = self;
            // As many accumulators as the registers hold.
            match S::F32_LANES {
                16 => {
                    for row in [0, 8] {
                        block::<S, _, 8, 1>(simd, left, right, product, row, 0);
                    }
                }
                8 => {
                    for row in (0..ROWS).step_by(4) {
                        block::<S, _, 4, 2>(simd, left, right, product, row, 0);
                    }
                }
                4 => {
                    for row in (0..ROWS).step_by(2) {
                        block::<S, _, 2, 4>(simd, left, right, product, row, 0);
                    }
                }
                lanes => {
                    for row in 0..ROWS {
                        for column in (0..WIDTH).step_by(lanes) {
                            block::<S, _, 1, 1>(simd, left, right, product, row, column);
                        }
                    }
                }
            }
        }
    }
    Arch::new().dispatch(Multiply {
        left,
        right,
        product,
    });
}

#[inline(always)]
fn block<S: Simd, L: Left, const R: usize, const V: usize>(
    simd: S,
    left: L,
    right: &[f32],
    product: &mut [f32],
    row: usize,
    column: usize,
) {
    let lanes = S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    let (right, _) = S::as_simd_f32s(right);
    let first = column / lanes;
    for (k, right) in right.chunks_exact(WIDTH / lanes).enumerate() {
        let left: [f32; R] = left.column(row, k);
        let right: &[S::f32s; V] = right[first..first + V].try_into().unwrap();
        for r in 0..R {
            let value = simd.splat_f32s(left[r]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_f32s(value, right[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        let line = &mut product[(row + r) * WIDTH + column..][..V * lanes];
        let (line, _) = S::as_mut_simd_f32s(line);
        line.copy_from_slice(&sums[r]);
    }
}
