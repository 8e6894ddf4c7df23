//! Images on the host, and how their values become colours.

use image::{Rgb, RgbImage};

use crate::error::ReportError;

/// Largest number of pixels in a picture; viewers open this size without trouble.
const MAX_PIXELS: u128 = 200_000_000;

/// Colour of NaN and infinite values, which no model produces on purpose.
const BROKEN: [u8; 3] = [255, 0, 255];

/// A checked view of images on the host.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    values: &'a [f32],
    shape: [usize; 4],
}

impl<'a> Images<'a> {
    /// Views `values`, row-major `[N, C, H, W]` with 1 or 3 channels, as images. Values should be
    /// in `[0, 1]`. Other values are drawn as the nearer end of this range, and NaN and infinite
    /// values as magenta, so that a broken model is visible.
    ///
    /// # Errors
    /// [`ReportError::Shape`] if the length does not match the shape, a dimension is 0, or the
    /// number of channels is neither 1 nor 3.
    pub fn new(values: &'a [f32], shape: [usize; 4]) -> Result<Self, ReportError> {
        let expected = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if values.is_empty() || expected != Some(values.len()) || !matches!(shape[1], 1 | 3) {
            return Err(ReportError::Shape {
                values: values.len(),
                shape,
            });
        }
        Ok(Self { values, shape })
    }

    pub(crate) fn len(&self) -> usize {
        self.shape[0]
    }

    pub(crate) fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// Draws one image at `[left, top]`; each of its pixels becomes a square of `scale` pixels per
    /// side.
    pub(crate) fn paint(
        &self,
        picture: &mut RgbImage,
        index: usize,
        [left, top]: [usize; 2],
        scale: usize,
    ) {
        let [_, channels, height, width] = self.shape;
        let size = channels * height * width;
        let values = &self.values[index * size..(index + 1) * size];
        for y in 0..height * scale {
            for x in 0..width * scale {
                let place = y / scale * width + x / scale;
                let colour = colour(values, channels, height * width, place);
                picture.put_pixel((left + x) as u32, (top + y) as u32, colour);
            }
        }
    }
}

/// Returns an error for a picture that few viewers can open. The sides may overflow a `usize`.
pub(crate) fn check_size(width: u128, height: u128) -> Result<(), ReportError> {
    if width.saturating_mul(height) > MAX_PIXELS {
        let limit = MAX_PIXELS;
        return Err(ReportError::TooLarge {
            width,
            height,
            limit,
        });
    }
    Ok(())
}

fn colour(values: &[f32], channels: usize, area: usize, place: usize) -> Rgb<u8> {
    let channel = |index: usize| values[index * area + place];
    let colour = match channels {
        1 => [channel(0); 3],
        _ => [channel(0), channel(1), channel(2)],
    };
    if colour.iter().all(|value| value.is_finite()) {
        Rgb(colour.map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8))
    } else {
        Rgb(BROKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_planes_and_odd_values_are_drawn() {
        // Two pixels, planes red, green, blue.
        let values = [1.5, f32::NAN, -0.5, 0.0, 0.5, 0.0];
        let images = Images::new(&values, [1, 3, 1, 2]).unwrap();
        let mut picture = RgbImage::new(4, 3);
        images.paint(&mut picture, 0, [2, 2], 1);
        assert_eq!(*picture.get_pixel(2, 2), Rgb([255, 0, 128]));
        assert_eq!(*picture.get_pixel(3, 2), Rgb(BROKEN));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        for shape in [
            [1, 1, 2, 3],
            [2, 2, 1, 1],
            [0, 1, 2, 2],
            [usize::MAX, 1, 2, 2],
        ] {
            let error = Images::new(&[0.0; 4], shape).unwrap_err();
            assert!(matches!(error, ReportError::Shape { values: 4, .. }));
        }
    }
}
