//! The place of a resized image in a model's input.

use crate::fit::Fit;
use crate::image_shape::ImageShape;
use crate::resize::{Resizer, Sample, Window};

/// Resizes a window of a plane and puts the result into a plane of the model's size.
pub(crate) struct Placed {
    resizer: Resizer,
    /// Height and width of the model's plane.
    size: (usize, usize),
    /// The part of that plane with the image; the rest is black.
    part: Window,
}

impl Placed {
    pub(crate) fn new(window: Window, shape: ImageShape, fit: Fit) -> Self {
        let size = (shape.height, shape.width);
        let (window, part) = match fit {
            Fit::Stretch => (window, size),
            Fit::Crop => {
                let (height, width) = largest_within((window.height, window.width), size);
                (window.centre_of(height, width), size)
            }
            Fit::Pad => (window, largest_within(size, (window.height, window.width))),
        };
        let whole = Window {
            top: 0,
            left: 0,
            height: size.0,
            width: size.1,
        };
        Self {
            resizer: Resizer::new(window, part.0, part.1),
            size,
            part: whole.centre_of(part.0, part.1),
        }
    }

    /// Appends the plane of the model. The rows of `plane` have `stride` values.
    pub(crate) fn append<T: Sample>(&self, plane: &[T], stride: usize, output: &mut Vec<f32>) {
        let Self { size, part, .. } = *self;
        if (part.height, part.width) == size {
            self.resizer.append(plane, stride, output);
            return;
        }
        let mut image = Vec::with_capacity(part.height * part.width);
        self.resizer.append(plane, stride, &mut image);
        let start = output.len();
        output.resize(start + size.0 * size.1, 0.0);
        let rows = output[start..].chunks_exact_mut(size.1).skip(part.top);
        for (row, values) in rows.zip(image.chunks_exact(part.width)) {
            row[part.left..][..part.width].copy_from_slice(values);
        }
    }
}

/// Height and width of the largest rectangle within `outer` that has the aspect ratio of `inner`, rounded to whole
/// pixels; at least one pixel.
fn largest_within(outer: (usize, usize), inner: (usize, usize)) -> (usize, usize) {
    let (height, width) = (outer.0 as u128, outer.1 as u128);
    let (high, wide) = (inner.0 as u128, inner.1 as u128);
    // `a · b / c`, rounded; halves go up. At most `most`, because the other side is the full one.
    let scaled = |a: u128, b: u128, c: u128, most: usize| {
        let rounded = (2 * a * b + c) / (2 * c);
        usize::try_from(rounded).unwrap_or(most).clamp(1, most)
    };
    if height * wide <= width * high {
        (outer.0, scaled(height, wide, high, outer.1))
    } else {
        (scaled(width, high, wide, outer.0), outer.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_rectangle_touches_two_sides() {
        for (outer, inner, expected) in [
            ((20, 30), (1, 1), (20, 20)),
            ((30, 20), (7, 7), (20, 20)),
            ((32, 32), (20, 30), (21, 32)),
            ((32, 32), (30, 20), (32, 21)),
            ((32, 32), (1, 1000), (1, 32)),
            ((5, 5), (3, 3), (5, 5)),
            ((10, 20), (2, 3), (10, 15)),
        ] {
            assert_eq!(
                largest_within(outer, inner),
                expected,
                "{outer:?} {inner:?}"
            );
        }
    }
}
