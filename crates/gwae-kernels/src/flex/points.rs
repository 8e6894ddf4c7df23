//! Winograd's evaluation points of images and feature maps, plane by plane.
//!
//! A 4×4 kernel with stride 2 is four 2×2 kernels with stride 1, one for each phase of the padded
//! image: `X[2i + p, 2j + q]` with p and q of 0 or 1. For these the minimal algorithm F(2×2, 2×2)
//! (Winograd 1980; Lavin and Gray 2016) computes a tile of 2×2 outputs with 9 products per pair of
//! channels instead of 16. In one dimension, with inputs d, kernel g and outputs y:
//!
//! ```text
//! v = (d₀ − d₁, d₁, d₂ − d₁)    u = (g₀, g₀ + g₁, g₁)    m = u·v    y = (m₀ + m₁, m₁ + m₂)
//! ```
//!
//! The input and output maps only add, so rounding errors stay those of the plain sum, relative to
//! the largest values of a tile. An infinity becomes NaN within its tiles. The transposed
//! convolution and the gradient of the weight are the transposes of the same three maps.
//!
//! A plane's points are lines of one value per tile, tiles row by row: `[9][4 phases][tiles]` of an
//! image, `[9][tiles]` of a feature map. Point `3a + b` has vertical index a and horizontal index b.

use super::product::COLUMNS;
use crate::PaddingMode;

/// Products per tile and pair of channels.
pub(super) const POINTS: usize = 9;
/// Phases of an image.
pub(super) const PHASES: usize = 4;

/// Names consecutive lines of `$length` values, `$stride` apart. (An array of lines would need
/// `from_fn`, a call that is not inlined.)
macro_rules! lines {
    ($values:expr, $stride:expr, $length:expr => $($name:ident)*) => {
        let mut rest: &[f32] = &$values[..];
        $(
            let $name = &rest[..$length];
            rest = &rest[$stride.min(rest.len())..];
        )*
        let _ = rest;
    };
    (mut $values:expr, $stride:expr, $length:expr => $($name:ident)*) => {
        let mut rest: &mut [f32] = &mut $values[..];
        $(
            let middle = $stride.min(rest.len());
            let (line, after) = rest.split_at_mut(middle);
            let $name = &mut line[..$length];
            rest = after;
        )*
        let _ = rest;
    };
}

/// Height and width of a feature map, both even. The image is twice as high and wide.
///
/// `SIZE` is the height and the width if they are equal and known to the compiler, else 0.
#[derive(Clone, Copy)]
pub(super) struct Plane<const SIZE: usize> {
    height: usize,
    width: usize,
}

impl<const SIZE: usize> Plane<SIZE> {
    pub(super) fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    #[inline(always)]
    fn height(self) -> usize {
        if SIZE == 0 { self.height } else { SIZE }
    }

    #[inline(always)]
    fn width(self) -> usize {
        if SIZE == 0 { self.width } else { SIZE }
    }

    /// Tiles in a line of tiles.
    #[inline(always)]
    fn across(self) -> usize {
        self.width() / 2
    }

    /// Number of tiles.
    #[inline(always)]
    pub(super) fn tiles(self) -> usize {
        self.height() / 2 * self.across()
    }

    /// Number of values that [`Plane::image_to_points`] and its transpose need as working space:
    /// twelve buffers, each a quarter of the padded image.
    pub(super) fn working_space(self) -> usize {
        12 * 4 * self.group()
    }

    /// The largest number of tiles that always follow each other in a panel of columns: the largest
    /// power of 2 that divides both the number of tiles and the width of a panel.
    #[inline(always)]
    pub(super) fn piece(self) -> usize {
        1 << (self.tiles() | COLUMNS).trailing_zeros()
    }

    /// Number of tiles in the lines `4s + g` of the padded image, for one g.
    #[inline(always)]
    fn group(self) -> usize {
        (self.height() / 2 + 1) * self.across()
    }

    /// The place of an image line among the groups, in lines.
    #[inline(always)]
    fn grouped(self, number: usize) -> usize {
        let padded = number + 1;
        padded % 4 * (self.height() / 2 + 1) + padded / 4
    }

    /// The points `v` of all phases.
    ///
    /// First the image is sorted: its lines into four groups, the pixels of a line into four
    /// quarters. After that, all arithmetic is on long lines.
    ///
    /// - `image`: `[2·height][2·width]`
    /// - `work`: [`Plane::working_space`] arbitrary values
    /// - `points`: `[9][4][tiles]`
    #[inline(always)]
    pub(super) fn image_to_points(
        self,
        image: &[f32],
        padding: PaddingMode,
        work: &mut [f32],
        points: &mut [f32],
    ) {
        let (across, tiles, group) = (self.across(), self.tiles(), self.group());
        let (length, quarter) = (2 * self.width(), 4 * group);
        let (lines, work) = work.split_at_mut(4 * quarter);
        for (number, line) in image.chunks_exact(length).enumerate() {
            lines[self.grouped(number) * length..][..length].copy_from_slice(line);
        }
        // Lines 0 and 2·height + 1 of the padded image.
        let (above, below) = (0, (self.height() + 1) * length);
        match padding {
            PaddingMode::Zeros => {
                lines[above..][..length].fill(0.0);
                lines[below..][..length].fill(0.0);
            }
            PaddingMode::Replicate => {
                lines[above..][..length].copy_from_slice(&image[..length]);
                lines[below..][..length].copy_from_slice(&image[image.len() - length..]);
            }
        }
        let (q0, work) = work.split_at_mut(quarter);
        let (q3, values) = work.split_at_mut(quarter);
        // Of six horizontal values, a0 a1 a2 b0 b1 b2, the second and the fifth are unchanged
        // pixels.
        lines!(mut values, quarter, quarter => a0 a1 a2 b0 b1 b2);
        for (t, pixels) in lines.chunks_exact(4).enumerate() {
            q0[t] = pixels[0];
            a1[t] = pixels[1];
            b1[t] = pixels[2];
            q3[t] = pixels[3];
        }
        difference(a2, q3, a1);
        difference(b0, q0, b1);
        difference(&mut a0[1..], q3, &a1[1..]);
        difference(b2, &q0[1..], b1);
        for first in (0..quarter).step_by(across) {
            let last = first + across - 1;
            let (left, right) = match padding {
                PaddingMode::Zeros => (0.0, 0.0),
                PaddingMode::Replicate => (q0[first], q3[last]),
            };
            a0[first] = left - a1[first];
            b2[last] = right - b1[last];
        }
        // Vertically, all tiles at once.
        for (number, value) in values.chunks_exact(quarter).enumerate() {
            let (q, b) = (number / 3, number % 3);
            for p in 0..2 {
                let outer = &value[p * group..][..group];
                let (d0, d2) = (&outer[..tiles], &outer[across..]);
                let d1 = &value[(p + 2) * group..][..tiles];
                let start = |a: usize| ((3 * a + b) * PHASES + 2 * p + q) * tiles;
                difference(&mut points[start(0)..][..tiles], d0, d1);
                points[start(1)..][..tiles].copy_from_slice(d1);
                difference(&mut points[start(2)..][..tiles], d2, d1);
            }
        }
    }

    /// The transpose of [`Plane::image_to_points`]; overwrites the image with the sums plus `bias`.
    #[inline(always)]
    pub(super) fn points_to_image(
        self,
        points: &[f32],
        padding: PaddingMode,
        bias: f32,
        work: &mut [f32],
        image: &mut [f32],
    ) {
        let (across, tiles, group) = (self.across(), self.tiles(), self.group());
        let (length, quarter) = (2 * self.width(), 4 * group);
        let (lines, work) = work.split_at_mut(4 * quarter);
        let (q0, work) = work.split_at_mut(quarter);
        let (q3, values) = work.split_at_mut(quarter);
        for (number, value) in values.chunks_exact_mut(quarter).enumerate() {
            let (q, b) = (number / 3, number % 3);
            for p in 0..2 {
                let line = |a: usize| {
                    let start = ((3 * a + b) * PHASES + 2 * p + q) * tiles;
                    &points[start..][..tiles]
                };
                let (v0, v1, v2) = (line(0), line(1), line(2));
                let outer = &mut value[p * group..][..group];
                outer[..tiles].copy_from_slice(v0);
                outer[tiles..].fill(0.0);
                for (sum, v2) in outer[across..].iter_mut().zip(v2) {
                    *sum += v2;
                }
                inner(&mut value[(p + 2) * group..][..tiles], v0, v1, v2);
            }
            if padding == PaddingMode::Replicate {
                // The sums on the lines around the image go to its border.
                let below = group + tiles;
                for t in 0..across {
                    value[group + t] += value[t];
                    value[tiles + t] += value[below + t];
                }
            }
        }
        lines!(mut values, quarter, quarter => a0 a1 a2 b0 b1 b2);
        // The sums on the columns around the image.
        for first in (0..quarter).step_by(across) {
            let last = first + across - 1;
            (q0[first], q3[last]) = match padding {
                PaddingMode::Zeros => (0.0, 0.0),
                PaddingMode::Replicate => (a0[first], b2[last]),
            };
            q0[first] += b0[first];
            q3[last] += a2[last];
            for t in first..last {
                q3[t] = a2[t] + a0[t + 1];
                q0[t + 1] = b0[t + 1] + b2[t];
            }
        }
        for (t, pixels) in lines.chunks_exact_mut(4).enumerate() {
            pixels[0] = bias + q0[t];
            pixels[1] = bias + (a1[t] - a0[t] - a2[t]);
            pixels[2] = bias + (b1[t] - b0[t] - b2[t]);
            pixels[3] = bias + q3[t];
        }
        for (number, line) in image.chunks_exact_mut(length).enumerate() {
            line.copy_from_slice(&lines[self.grouped(number) * length..][..length]);
        }
    }

    /// The transpose of [`Plane::points_to_feature`] without its bias.
    ///
    /// - `feature`: `[height][width]`
    /// - `points`: nine lines of tiles, `stride` values apart
    #[inline(always)]
    pub(super) fn feature_to_points(self, feature: &[f32], points: &mut [f32], stride: usize) {
        let across = self.across();
        for (s, pair) in feature.chunks_exact(2 * self.width()).enumerate() {
            let (upper, lower) = pair.split_at(self.width());
            let points = &mut points[s * across..];
            lines!(mut points, stride, across => v0 v1 v2 v3 v4 v5 v6 v7 v8);
            for t in 0..across {
                let (y00, y01) = (upper[2 * t], upper[2 * t + 1]);
                let (y10, y11) = (lower[2 * t], lower[2 * t + 1]);
                (v0[t], v1[t], v2[t]) = (y00, y00 + y01, y01);
                (v6[t], v7[t], v8[t]) = (y10, y10 + y11, y11);
                let (left, right) = (y00 + y10, y01 + y11);
                (v3[t], v4[t], v5[t]) = (left, left + right, right);
            }
        }
    }

    /// The outputs `y` of products `m`, plus `bias`.
    #[inline(always)]
    pub(super) fn points_to_feature(self, points: &[f32], bias: f32, feature: &mut [f32]) {
        let (across, tiles) = (self.across(), self.tiles());
        for (s, pair) in feature.chunks_exact_mut(2 * self.width()).enumerate() {
            let (upper, lower) = pair.split_at_mut(self.width());
            let points = &points[s * across..];
            lines!(points, tiles, across => m0 m1 m2 m3 m4 m5 m6 m7 m8);
            for t in 0..across {
                let (above0, below0) = (m0[t] + m3[t], m3[t] + m6[t]);
                let (above1, below1) = (m1[t] + m4[t], m4[t] + m7[t]);
                let (above2, below2) = (m2[t] + m5[t], m5[t] + m8[t]);
                upper[2 * t] = bias + (above0 + above1);
                upper[2 * t + 1] = bias + (above1 + above2);
                lower[2 * t] = bias + (below0 + below1);
                lower[2 * t + 1] = bias + (below1 + below2);
            }
        }
    }
}

/// `to = a − b`.
#[inline(always)]
fn difference(to: &mut [f32], a: &[f32], b: &[f32]) {
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to = a - b;
    }
}

/// `to = v₁ − v₀ − v₂`.
#[inline(always)]
fn inner(to: &mut [f32], v0: &[f32], v1: &[f32], v2: &[f32]) {
    for (((to, v0), v1), v2) in to.iter_mut().zip(v0).zip(v1).zip(v2) {
        *to = v1 - v0 - v2;
    }
}
