//! The receptive fields of 4×4 kernels with stride 2 and padding 1 as a matrix, and back.

use burn::tensor::Shape;
use burn_flex::{FlexTensor, Layout};

use super::{tensor, values, vectorised};
use crate::Edge;

/// Kernel positions.
pub(super) const TAPS: usize = 16;
/// Output pixels per block, where a sample has fewer.
const BLOCK_PIXELS: usize = 256;
/// Elements of a block's unfolded matrix, where a sample has fewer: 1 MB.
const BLOCK_ELEMENTS: usize = 1 << 18;
/// A batch is cut into at least so many blocks, if it has as many samples.
const LEAST_BLOCKS: usize = 4;

/// Calls a method with the width as a constant where it is a usual one, so that its loops over
/// short lines become a few instructions.
macro_rules! by_width {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match $self.width {
            1 => $self.$method::<1>($($argument),*),
            2 => $self.$method::<2>($($argument),*),
            4 => $self.$method::<4>($($argument),*),
            8 => $self.$method::<8>($($argument),*),
            16 => $self.$method::<16>($($argument),*),
            32 => $self.$method::<32>($($argument),*),
            _ => $self.$method::<0>($($argument),*),
        }
    };
}

/// Sizes of one convolution.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    pub(super) batch: usize,
    /// Channels of the small side.
    pub(super) m: usize,
    /// Channels of the large side.
    pub(super) n: usize,
    /// Height and width of the small side.
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) edge: Edge,
}

impl Geometry {
    pub(super) fn pixels(&self) -> usize {
        self.height * self.width
    }

    pub(super) fn rows(&self) -> usize {
        self.n * TAPS
    }

    /// Values of one sample on the small side.
    pub(super) fn small(&self) -> usize {
        self.m * self.pixels()
    }

    /// Values of one sample on the large side.
    pub(super) fn large(&self) -> usize {
        self.n * self.pixels() * 4
    }

    /// Samples per block.
    pub(super) fn block(&self) -> usize {
        let by_pixels = BLOCK_PIXELS / self.pixels();
        let by_elements = BLOCK_ELEMENTS / (self.rows() * self.pixels());
        let by_batch = self.batch.div_ceil(LEAST_BLOCKS);
        by_pixels.min(by_elements).min(by_batch).max(1)
    }

    /// The features of a block of samples as `[m, pixels]`.
    pub(super) fn features(&self, all: &FlexTensor, first: usize, samples: usize) -> FlexTensor {
        let pixels = self.pixels();
        if samples == 1 {
            let shape = Shape::new([self.m, pixels]);
            let layout = Layout::new(shape, vec![pixels as isize, 1], first * self.small());
            return all.clone().with_layout(layout);
        }
        let mut block = vec![0.0; samples * self.small()];
        let source = &values(all)[first * self.small()..][..samples * self.small()];
        for (sample, source) in source.chunks_exact(self.small()).enumerate() {
            let lines = block.chunks_exact_mut(samples * pixels);
            for (line, source) in lines.zip(source.chunks_exact(pixels)) {
                line[sample * pixels..][..pixels].copy_from_slice(source);
            }
        }
        tensor(block, Shape::new([self.m, samples * pixels]))
    }

    /// The receptive fields of all output pixels of some images, `[n·16, pixels]`.
    pub(super) fn unfold(&self, images: &[f32]) -> FlexTensor {
        let pixels = images.len() / self.large() * self.pixels();
        let mut taps = vec![0.0; self.rows() * pixels];
        vectorised(|| by_width!(self, unfold_lines(images, &mut taps)));
        tensor(taps, Shape::new([self.rows(), pixels]))
    }

    /// The transpose of [`Geometry::unfold`]: adds up what every tap holds for each pixel of
    /// the images.
    pub(super) fn fold(&self, taps: &FlexTensor, images: &mut [f32]) {
        let taps = values(taps);
        vectorised(|| by_width!(self, fold_lines(taps, images)));
    }

    /// `WIDTH` is the width where it is known to the compiler, else 0.
    #[inline(always)]
    fn unfold_lines<const WIDTH: usize>(&self, images: &[f32], taps: &mut [f32]) {
        let width = if WIDTH == 0 { self.width } else { WIDTH };
        let pixels = images.len() / self.large() * self.pixels();
        let mut shifted = vec![0.0; 4 * width];
        for (plane, image) in images.chunks_exact(4 * self.pixels()).enumerate() {
            let (sample, channel) = (plane / self.n, plane % self.n);
            let taps = &mut taps[channel * TAPS * pixels..][..TAPS * pixels];
            for (source, line) in image.chunks_exact(2 * width).enumerate() {
                self.shift(line, &mut shifted, width);
                for (k, i) in self.uses(source) {
                    let at = sample * self.pixels() + i * width;
                    for (l, shifted) in shifted.chunks_exact(width).enumerate() {
                        let tap = &mut taps[(4 * k + l) * pixels + at..][..width];
                        tap.copy_from_slice(shifted);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn fold_lines<const WIDTH: usize>(&self, taps: &[f32], images: &mut [f32]) {
        let width = if WIDTH == 0 { self.width } else { WIDTH };
        let pixels = images.len() / self.large() * self.pixels();
        let mut sums = vec![0.0; 4 * width];
        for (plane, image) in images.chunks_exact_mut(4 * self.pixels()).enumerate() {
            let (sample, channel) = (plane / self.n, plane % self.n);
            let taps = &taps[channel * TAPS * pixels..][..TAPS * pixels];
            for (source, line) in image.chunks_exact_mut(2 * width).enumerate() {
                sums.fill(0.0);
                for (k, i) in self.uses(source) {
                    let at = sample * self.pixels() + i * width;
                    for (l, sums) in sums.chunks_exact_mut(width).enumerate() {
                        let tap = &taps[(4 * k + l) * pixels + at..][..width];
                        for (sum, tap) in sums.iter_mut().zip(tap) {
                            *sum += tap;
                        }
                    }
                }
                self.shift_back(&sums, line, width);
            }
        }
    }

    /// Kernel line k and output line i of every tap that reads line `source` of an image.
    ///
    /// Tap k of output line i reads the padded line `2i + k`, and padding puts one line before
    /// the first: either zeros, or a copy of the first or last line.
    #[inline(always)]
    fn uses(&self, source: usize) -> impl Iterator<Item = (usize, usize)> {
        let (height, edge) = (self.height, self.edge);
        let last = 2 * height - 1;
        let replicated = edge == Edge::Replicate;
        let before = (replicated && source == 0).then_some(0);
        let after = (replicated && source == last).then_some(last + 2);
        let padded = [Some(source + 1), before, after];
        padded.into_iter().flatten().flat_map(move |padded| {
            let k = padded % 2;
            [k, k + 2].into_iter().filter_map(move |k| {
                let i = padded.checked_sub(k)? / 2;
                (i < height).then_some((k, i))
            })
        })
    }

    /// What the four taps of a kernel line read of an image line: pixels `2j − 1` to `2j + 2`.
    #[inline(always)]
    fn shift(&self, line: &[f32], shifted: &mut [f32], width: usize) {
        let (left, rest) = shifted.split_at_mut(width);
        let (even, rest) = rest.split_at_mut(width);
        let (odd, right) = rest.split_at_mut(width);
        for ((pair, even), odd) in line.chunks_exact(2).zip(&mut *even).zip(&mut *odd) {
            (*even, *odd) = (pair[0], pair[1]);
        }
        left[1..].copy_from_slice(&odd[..width - 1]);
        right[..width - 1].copy_from_slice(&even[1..]);
        (left[0], right[width - 1]) = match self.edge {
            Edge::Zero => (0.0, 0.0),
            Edge::Replicate => (even[0], odd[width - 1]),
        };
    }

    /// The transpose of [`Geometry::shift`].
    #[inline(always)]
    fn shift_back(&self, sums: &[f32], line: &mut [f32], width: usize) {
        let (left, rest) = sums.split_at(width);
        let (even, rest) = rest.split_at(width);
        let (odd, right) = rest.split_at(width);
        for ((pair, even), odd) in line.chunks_exact_mut(2).zip(even).zip(odd) {
            (pair[0], pair[1]) = (*even, *odd);
        }
        for (pair, left) in line.chunks_exact_mut(2).zip(&left[1..]) {
            pair[1] += left;
        }
        for (pair, right) in line[2..].chunks_exact_mut(2).zip(right) {
            pair[0] += right;
        }
        if self.edge == Edge::Replicate {
            line[0] += left[0];
            line[2 * width - 1] += right[width - 1];
        }
    }
}
