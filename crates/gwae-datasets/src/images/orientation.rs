//! Turns images as the EXIF tag of cameras says.

use image::metadata::Orientation;

use crate::item::Image;

/// The image turned and mirrored so that it stands upright.
pub(super) fn upright(image: Image, orientation: Orientation) -> Image {
    let (height, width) = (image.height, image.width);
    let (bottom, right) = (height - 1, width - 1);
    // The place in the stored image of each place in the upright one.
    type Place = (usize, usize);
    let source = |(row, column): Place| -> Place {
        match orientation {
            Orientation::NoTransforms => (row, column),
            Orientation::FlipHorizontal => (row, right - column),
            Orientation::FlipVertical => (bottom - row, column),
            Orientation::Rotate180 => (bottom - row, right - column),
            Orientation::Rotate90 => (bottom - column, row),
            Orientation::Rotate270 => (column, right - row),
            Orientation::Rotate90FlipH => (column, row),
            Orientation::Rotate270FlipH => (bottom - column, right - row),
        }
    };
    let (new_height, new_width) = match orientation {
        Orientation::NoTransforms => return image,
        Orientation::FlipHorizontal | Orientation::FlipVertical | Orientation::Rotate180 => {
            (height, width)
        }
        _ => (width, height),
    };
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for plane in image.pixels.chunks_exact(height * width) {
        for row in 0..new_height {
            pixels.extend((0..new_width).map(|column| {
                let (row, column) = source((row, column));
                plane[row * width + column]
            }));
        }
    }
    Image {
        channels: image.channels,
        height: new_height,
        width: new_width,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of EXIF 2.32, table 6: which corner of the stored image is the upper
    /// left one.
    #[test]
    fn all_eight_tags_turn_the_image_upright() {
        // The upright image:
        // 1 2 3
        // 4 5 6
        for (tag, height, stored) in [
            (1, 2, [1, 2, 3, 4, 5, 6]),
            (2, 2, [3, 2, 1, 6, 5, 4]),
            (3, 2, [6, 5, 4, 3, 2, 1]),
            (4, 2, [4, 5, 6, 1, 2, 3]),
            (5, 3, [1, 4, 2, 5, 3, 6]),
            (6, 3, [3, 6, 2, 5, 1, 4]),
            (7, 3, [6, 3, 5, 2, 4, 1]),
            (8, 3, [4, 1, 5, 2, 6, 3]),
        ] {
            let twice = [stored, stored.map(|value| value + 10)].concat();
            let image = Image {
                channels: 2,
                height,
                width: 6 / height,
                pixels: twice,
            };
            let upright = upright(image, Orientation::from_exif(tag).unwrap());
            assert_eq!((upright.height, upright.width), (2, 3), "{tag}");
            assert_eq!(upright.pixels[..6], [1, 2, 3, 4, 5, 6], "{tag}");
            assert_eq!(upright.pixels[6..], [11, 12, 13, 14, 15, 16], "{tag}");
        }
    }
}
