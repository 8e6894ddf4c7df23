//! Converts luma and colour differences, which may have half resolution, to red, green and blue.

use super::plane::Plane;
use crate::item::Image;
use crate::resize::Window;

/// The window of the image.
#[inline(always)]
pub(super) fn image(planes: &[Plane], window: Window) -> Image {
    let area = window.width * window.height;
    let [luma, blue, red] = planes else {
        let mut pixels = Vec::with_capacity(area);
        for row in window.top..window.top + window.height {
            pixels.extend(planes.iter().flat_map(|plane| plane.row(row, window)));
        }
        return Image {
            channels: 1,
            height: window.height,
            width: window.width,
            pixels,
        };
    };
    let mut pixels = vec![0; 3 * area];
    let (reds, rest) = pixels.split_at_mut(area);
    let (greens, blues) = rest.split_at_mut(area);
    let targets = reds
        .chunks_exact_mut(window.width)
        .zip(greens.chunks_exact_mut(window.width))
        .zip(blues.chunks_exact_mut(window.width));
    let mut lines = [Line::new(window), Line::new(window)];
    for (row, ((reds, greens), blues)) in (window.top..).zip(targets) {
        let [blue_line, red_line] = &mut lines;
        let differences = blue_line
            .fill(blue, luma, row, window)
            .iter()
            .zip(red_line.fill(red, luma, row, window));
        let values = luma.row(row, window).iter().zip(differences);
        let targets = reds.iter_mut().zip(greens).zip(blues);
        for (((red, green), blue), (&luma, (&cb, &cr))) in targets.zip(values) {
            [*red, *green, *blue] = rgb(luma, cb, cr);
        }
    }
    Image {
        channels: 3,
        height: window.height,
        width: window.width,
        pixels,
    }
}

/// JFIF's conversion with constants of 16 bits.
#[inline(always)]
fn rgb(luma: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(luma), i32::from(cb) - 128, i32::from(cr) - 128);
    [
        y + ((91_881 * cr + HALF) >> 16),
        y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16),
        y + ((116_130 * cb + HALF) >> 16),
    ]
    .map(|value| value.clamp(0, 255) as u8)
}

impl Plane {
    /// The pixels of a row within the window, for a plane at full resolution.
    #[inline(always)]
    fn row(&self, row: usize, window: Window) -> &[u8] {
        let start = (row - self.top) * self.stride + window.left - self.left;
        &self.pixels[start..start + window.width]
    }

    /// All decoded pixels of a row. Rows below the component are the same as its last row.
    #[inline(always)]
    fn whole_row(&self, row: usize) -> &[u8] {
        let row = row.min(self.height - 1).saturating_sub(self.top);
        &self.pixels[row * self.stride..(row + 1) * self.stride]
    }
}

/// Buffers for one row at full resolution.
struct Line {
    /// Sums of two rows, from the column before the window to the column after it.
    sums: Vec<i32>,
    /// The row, starting at an even column.
    pixels: Vec<[u8; 2]>,
}

impl Line {
    fn new(window: Window) -> Self {
        // The window may start and end inside a pair.
        let pairs = window.width / 2 + 2;
        Self {
            sums: vec![0; pairs + 2],
            pixels: vec![[0; 2]; pairs],
        }
    }

    /// The pixels of `row` within the window, for a plane that may have half the resolution of
    /// `luma`.
    #[inline(always)]
    fn fill<'a>(
        &'a mut self,
        plane: &'a Plane,
        luma: &Plane,
        row: usize,
        window: Window,
    ) -> &'a [u8] {
        if luma.across == 1 {
            return plane.row(row, window);
        }
        let (near, far) = if luma.down == 1 {
            (row, row)
        } else if row.is_multiple_of(2) {
            (row / 2, (row / 2).saturating_sub(1))
        } else {
            (row / 2, row / 2 + 1)
        };
        let (near, far) = (plane.whole_row(near), plane.whole_row(far));
        // The first pair of pixels, and its colour pixel among the decoded ones.
        let first = window.left / 2;
        let here = first - plane.left;
        // At the edges, the pixel itself replaces the missing neighbour.
        let last = plane.width - 1 - plane.left;
        let sum = |column: usize| {
            let column = column.min(last);
            3 * i32::from(near[column]) + i32::from(far[column])
        };
        let count = self.pixels.len();
        self.sums[0] = sum(here.saturating_sub(1));
        let inside = (last + 1)
            .min(near.len())
            .saturating_sub(here)
            .min(count + 1);
        let columns = near[here..here + inside]
            .iter()
            .zip(&far[here..here + inside]);
        for (target, (&near, &far)) in self.sums[1..].iter_mut().zip(columns) {
            *target = 3 * i32::from(near) + i32::from(far);
        }
        for column in inside..count + 1 {
            self.sums[1 + column] = sum((here + column).min(near.len() - 1));
        }
        // Three quarters of the nearer pixel and one quarter of the other; the rounding alternates.
        let (left, right) = (&self.sums[..count], &self.sums[2..]);
        let triples = left.iter().zip(&self.sums[1..]).zip(right);
        // If rows are not mixed, the sums are four times the pixels, and so are the rounding terms.
        let (low, high) = if luma.down == 1 { (4, 8) } else { (8, 7) };
        for (pair, ((&left, &own), &right)) in self.pixels.iter_mut().zip(triples) {
            *pair = [
                ((3 * own + left + low) >> 4) as u8,
                ((3 * own + right + high) >> 4) as u8,
            ];
        }
        let start = window.left % 2;
        &self.pixels.as_flattened()[start..start + window.width]
    }
}
