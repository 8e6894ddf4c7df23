//! Winograd's evaluation points of images and feature maps, plane by plane.
//!
//! A 4×4 kernel with stride 2 is four 2×2 kernels with stride 1, one for each phase of the padded
//! image: `X[2i + p, 2j + q]` with p and q of 0 or 1. For these the minimal algorithm F(2×2, 2×2)
//! (Winograd 1980; Lavin and Gray 2016) computes a tile of 2×2 outputs with 9 products per pair of
//! channels in place of 16. In one dimension, with inputs d, kernel g and outputs y:
//!
//! ```text
//! v = (d₀ − d₁, d₁, d₂ − d₁)    u = (g₀, g₀ + g₁, g₁)    m = u·v    y = (m₀ + m₁, m₁ + m₂)
//! ```
//!
//! Only additions, so that the result is as accurate as that of the plain sum. The transposed
//! convolution and the gradient of the weight are the transposes of the same three maps.
//!
//! A plane's points are lines of one value per tile, tiles row by row: `[9][4 phases][tiles]` of an
//! image, `[9][tiles]` of a feature map. Point `3a + b` has vertical index a and horizontal index b.

use super::product::COLUMNS;
use crate::Edge;

/// Products per tile and pair of channels.
pub(super) const POINTS: usize = 9;
/// Phases of an image.
pub(super) const PHASES: usize = 4;

/// Names consecutive lines of `$length` values, `$stride` apart. (Building an array of them with
/// `from_fn` is a call that is not inlined.)
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

/// Height and width of a feature map, both even; an image's are twice that.
///
/// `SIZE` is both where they are equal and known to the compiler, else 0.
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

    /// Tiles.
    #[inline(always)]
    pub(super) fn tiles(self) -> usize {
        self.height() / 2 * self.across()
    }

    /// Values of the working space of [`Plane::image_to_points`] and its transpose: six horizontal
    /// values of all padded lines, and one padded line.
    pub(super) fn working_space(self) -> usize {
        6 * 4 * self.group() + self.padded()
    }

    /// Values of a padded line, to a multiple of 4.
    #[inline(always)]
    fn padded(self) -> usize {
        4 * (self.across() + 1)
    }

    /// The most tiles that always follow each other in a panel of columns: the largest power of 2
    /// that divides both.
    #[inline(always)]
    pub(super) fn piece(self) -> usize {
        1 << (self.tiles() | COLUMNS).trailing_zeros()
    }

    /// Lines `4s + g` of the padded image, for one g and one of the six horizontal values.
    #[inline(always)]
    fn group(self) -> usize {
        (self.height() / 2 + 1) * self.across()
    }

    /// `v` of all phases.
    ///
    /// - `image`: `[2·height][2·width]`
    /// - `work`: [`Plane::working_space`] values of anything
    /// - `points`: `[9][4][tiles]`
    #[inline(always)]
    pub(super) fn image_to_points(
        self,
        image: &[f32],
        edge: Edge,
        work: &mut [f32],
        points: &mut [f32],
    ) {
        let (across, tiles, group) = (self.across(), self.tiles(), self.group());
        let lines = 2 * self.height();
        let (work, padded) = work.split_at_mut(6 * 4 * group);
        let padded = &mut padded[..self.padded()];
        // Horizontally, line by line: [phase q][v][group g][line s][tile].
        for (number, line) in image.chunks_exact(2 * self.width()).enumerate() {
            let at = (number + 1) % 4 * group + (number + 1) / 4 * across;
            self.pad_line(line, edge, padded);
            self.spread_line(padded, &mut work[at..], 4 * group);
        }
        for value in 0..6 {
            let (before, after) = (
                value * 4 * group,
                (value * 4 + 1) * group + lines / 4 * across,
            );
            match edge {
                Edge::Zero => {
                    work[before..][..across].fill(0.0);
                    work[after..][..across].fill(0.0);
                }
                Edge::Replicate => {
                    let first = (value * 4 + 1) * group;
                    work.copy_within(first..first + across, before);
                    let last = value * 4 * group + lines / 4 * across;
                    work.copy_within(last..last + across, after);
                }
            }
        }
        // Vertically, all tiles at once.
        for value in 0..6 {
            let (q, b) = (value / 3, value % 3);
            for p in 0..2 {
                let outer = &work[(value * 4 + p) * group..][..group];
                let (d0, d2) = (&outer[..tiles], &outer[across..][..tiles]);
                let d1 = &work[(value * 4 + p + 2) * group..][..tiles];
                let start = |a: usize| ((3 * a + b) * PHASES + 2 * p + q) * tiles;
                let difference = |points: &mut [f32], d: &[f32]| {
                    for ((v, d), d1) in points[..tiles].iter_mut().zip(d).zip(d1) {
                        *v = d - d1;
                    }
                };
                difference(&mut points[start(0)..], d0);
                points[start(1)..][..tiles].copy_from_slice(d1);
                difference(&mut points[start(2)..], d2);
            }
        }
    }

    /// A line with one pixel more on either side.
    #[inline(always)]
    fn pad_line(self, line: &[f32], edge: Edge, padded: &mut [f32]) {
        let length = 2 * self.width();
        let line = &line[..length];
        (padded[0], padded[length + 1]) = match edge {
            Edge::Zero => (0.0, 0.0),
            Edge::Replicate => (line[0], line[length - 1]),
        };
        padded[1..=length].copy_from_slice(line);
    }

    /// The horizontal `v` of a padded line: three values of each of two phases, `stride` apart.
    /// Tile t reads the pixels 4t to 4t + 5.
    #[inline(always)]
    fn spread_line(self, padded: &[f32], values: &mut [f32], stride: usize) {
        /// Tiles at a time, in registers.
        const CHUNK: usize = 16;
        let across = self.across();
        lines!(mut values, stride, across => a0 a1 a2 b0 b1 b2);
        for start in (0..across).step_by(CHUNK) {
            let count = CHUNK.min(across - start);
            let padded = &padded[4 * start..][..4 * (count + 1)];
            let mut quarters = [[0.0; CHUNK + 1]; 4];
            for (t, pixels) in padded.chunks_exact(4).enumerate() {
                quarters[0][t] = pixels[0];
                quarters[1][t] = pixels[1];
                quarters[2][t] = pixels[2];
                quarters[3][t] = pixels[3];
            }
            let difference = |to: &mut [f32], from: usize, shift: usize| {
                let pairs = quarters[from][shift..].iter().zip(&quarters[from + 2]);
                for (value, (d, d1)) in to[start..][..count].iter_mut().zip(pairs) {
                    *value = d - d1;
                }
            };
            difference(a0, 0, 0);
            a1[start..][..count].copy_from_slice(&quarters[2][..count]);
            difference(a2, 0, 1);
            difference(b0, 1, 0);
            b1[start..][..count].copy_from_slice(&quarters[3][..count]);
            difference(b2, 1, 1);
        }
    }

    /// The transpose of [`Plane::image_to_points`]; the image is overwritten with the sums plus
    /// `bias`.
    #[inline(always)]
    pub(super) fn points_to_image(
        self,
        points: &[f32],
        edge: Edge,
        bias: f32,
        work: &mut [f32],
        image: &mut [f32],
    ) {
        let (across, tiles, group) = (self.across(), self.tiles(), self.group());
        let lines = 2 * self.height();
        let (work, padded) = work.split_at_mut(6 * 4 * group);
        let padded = &mut padded[..self.padded()];
        for value in 0..6 {
            let (q, b) = (value / 3, value % 3);
            for p in 0..2 {
                let line = |a: usize| {
                    let start = ((3 * a + b) * PHASES + 2 * p + q) * tiles;
                    &points[start..][..tiles]
                };
                let (v0, v1, v2) = (line(0), line(1), line(2));
                let outer = &mut work[(value * 4 + p) * group..][..group];
                outer[..tiles].copy_from_slice(v0);
                outer[tiles..].fill(0.0);
                for (sum, v2) in outer[across..].iter_mut().zip(v2) {
                    *sum += v2;
                }
                let inner = &mut work[(value * 4 + p + 2) * group..][..tiles];
                for (((sum, v0), v1), v2) in inner.iter_mut().zip(v0).zip(v1).zip(v2) {
                    *sum = v1 - v0 - v2;
                }
            }
        }
        if edge == Edge::Replicate {
            for value in 0..6 {
                let mut add = |from: usize, to: usize| {
                    for t in 0..across {
                        work[to + t] += work[from + t];
                    }
                };
                let block = value * 4 * group;
                add(block, block + group);
                let end = lines / 4 * across;
                add(block + group + end, block + end);
            }
        }
        for (number, line) in image.chunks_exact_mut(2 * self.width()).enumerate() {
            let at = (number + 1) % 4 * group + (number + 1) / 4 * across;
            self.gather_line(&work[at..], 4 * group, padded);
            self.unpad_line(padded, edge, bias, line);
        }
    }

    /// The transpose of [`Plane::spread_line`].
    #[inline(always)]
    fn gather_line(self, values: &[f32], stride: usize, padded: &mut [f32]) {
        let across = self.across();
        lines!(values, stride, across => a0 a1 a2 b0 b1 b2);
        let padded = &mut padded[..4 * across + 4];
        for t in 0..across {
            padded[4 * t] = a0[t];
            padded[4 * t + 1] = b0[t];
            padded[4 * t + 2] = a1[t] - a0[t] - a2[t];
            padded[4 * t + 3] = b1[t] - b0[t] - b2[t];
        }
        (padded[4 * across], padded[4 * across + 1]) = (0.0, 0.0);
        for t in 0..across {
            padded[4 * t + 4] += a2[t];
            padded[4 * t + 5] += b2[t];
        }
    }

    /// The transpose of [`Plane::pad_line`].
    #[inline(always)]
    fn unpad_line(self, padded: &[f32], edge: Edge, bias: f32, line: &mut [f32]) {
        let length = 2 * self.width();
        let line = &mut line[..length];
        for (pixel, value) in line.iter_mut().zip(&padded[1..=length]) {
            *pixel = bias + value;
        }
        if edge == Edge::Replicate {
            line[0] += padded[0];
            line[length - 1] += padded[length + 1];
        }
    }

    /// The transpose of [`Plane::points_to_feature`], without its bias.
    ///
    /// - `feature`: `[height][width]`
    /// - `points`: nine lines of the tiles, `stride` values apart
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

    /// `y` of products `m`, plus `bias`.
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
