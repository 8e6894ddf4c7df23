//! Resizing and channel conversion against closed forms and Pillow.

use std::sync::Arc;

use gwae_datasets::{
    Dataset, DatasetError, Fit, Image, ImageError, ImageShape, ImageSource, SettingError,
    Transform, embedded_digits,
};

fn image(channels: usize, height: usize, width: usize, pixels: Vec<u8>) -> Image {
    Image {
        channels,
        height,
        width,
        pixels,
    }
}

fn apply(image: &Image, size: usize, channels: usize) -> Vec<f32> {
    let output = Transform::new(size, channels).apply(image).unwrap();
    assert_eq!(output.len(), channels * size * size);
    assert!(output.iter().all(|value| (0.0..=1.0).contains(value)));
    output
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (place, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "[{place}]: {f} instead of {e}");
    }
}

#[test]
fn an_image_of_the_right_size_is_only_scaled() {
    let pixels: Vec<u8> = (0..=255).collect();
    let expected: Vec<f32> = (0..=255).map(|value| value as f32 / 255.0).collect();
    assert_eq!(apply(&image(1, 16, 16, pixels), 16, 1), expected);
}

#[test]
fn a_constant_stays_constant() {
    for size in [1, 5, 27, 32, 64, 128] {
        let output = apply(&image(1, 28, 28, vec![200; 784]), size, 1);
        assert_close(&output, &vec![200.0 / 255.0; size * size], 2e-7);
    }
}

#[test]
fn a_linear_ramp_stays_linear_inside() {
    // Bilinear interpolation is exact for linear functions of the pixel centre, except within half
    // a pixel of each border.
    let pixels = (0..28 * 28).map(|place| (9 * (place % 28)) as u8).collect();
    let ramp = image(1, 28, 28, pixels);
    for size in [32, 64, 128] {
        let ratio = 28.0 / size as f32;
        let expected = |place: usize| {
            let centre = (place as f32 + 0.5) * ratio - 0.5;
            9.0 * centre.clamp(0.0, 27.0) / 255.0
        };
        for row in apply(&ramp, size, 1).chunks_exact(size) {
            let expected: Vec<f32> = (0..size).map(expected).collect();
            assert_close(row, &expected, 1e-6);
        }
    }
}

#[test]
fn halving_weighs_four_pixels_one_three_three_one() {
    // The triangle of width 2 at an even ratio: weights 1/8, 3/8, 3/8, 1/8 inside.
    let pixels: Vec<u8> = [0, 0, 0, 80, 160, 240, 0, 0].repeat(8);
    let row = &apply(&image(1, 8, 8, pixels), 4, 1)[..4];
    let expected = (0.375 * 80.0 + 0.375 * 0.0 + 0.125 * 160.0) / 255.0;
    assert_close(&row[1..2], &[expected], 1e-6);
    let expected = (0.125 * 80.0 + 0.375 * 160.0 + 0.375 * 240.0) / 255.0;
    assert_close(&row[2..3], &[expected], 1e-6);
}

#[test]
fn agrees_with_pillow() {
    // Pillow 13.0: Image.fromarray(pixels / 255, "F").resize((s, s), BILINEAR), height 5, width 4.
    let pixels = (0..20)
        .map(|place| (place / 4, place % 4))
        .map(|(y, x)| ((37 * y + 91 * x + 13 * x * y) % 256) as u8)
        .collect();
    let picture = image(1, 5, 4, pixels);
    #[rustfmt::skip]
    let smaller = [
        0.175798, 0.630252, 0.381961,
        0.427843, 0.588017, 0.592026,
        0.507787, 0.537815, 0.567843,
    ];
    assert_close(&apply(&picture, 3, 1), &smaller, 1e-6);
    #[rustfmt::skip]
    let larger = [
        0.000000, 0.127451, 0.331373, 0.535294, 0.667507, 0.297759, 0.066667,
        0.082913, 0.220768, 0.441337, 0.661905, 0.810764, 0.457663, 0.236975,
        0.186555, 0.337415, 0.578792, 0.676751, 0.723489, 0.555102, 0.449860,
        0.290196, 0.454062, 0.716246, 0.476471, 0.236695, 0.498880, 0.662745,
        0.393838, 0.570708, 0.853701, 0.634734, 0.415766, 0.698759, 0.875630,
        0.497479, 0.533693, 0.591637, 0.577871, 0.564106, 0.622049, 0.658263,
        0.580392, 0.422129, 0.168908, 0.417647, 0.666387, 0.413165, 0.254902,
    ];
    assert_close(&apply(&picture, 7, 1), &larger, 1e-6);
}

#[test]
fn real_digits_keep_their_brightness() {
    let digits = embedded_digits().unwrap();
    for index in [0, 1, 8_000] {
        let item = digits.item(index).unwrap();
        let sum: u32 = item.image.pixels.iter().map(|&p| u32::from(p)).sum();
        let mean = sum as f32 / (784.0 * 255.0);
        for size in [32, 64, 128] {
            let output = apply(&item.image, size, 1);
            let found = output.iter().sum::<f32>() / output.len() as f32;
            assert!((found - mean).abs() < 0.01 * mean, "{found}, {mean}");
        }
    }
}

#[test]
fn grey_is_repeated_and_colour_becomes_luma() {
    let grey = image(1, 2, 2, vec![0, 51, 102, 255]);
    let plane = [0.0, 0.2, 0.4, 1.0];
    assert_close(&apply(&grey, 2, 3), &plane.repeat(3), 1e-7);

    // Red, green, blue, white: Rec. 601 gives 0.299, 0.587, 0.114 and their sum.
    #[rustfmt::skip]
    let colour = image(3, 2, 2, vec![
        255, 0, 0, 255,
        0, 255, 0, 255,
        0, 0, 255, 255,
    ]);
    assert_close(&apply(&colour, 2, 1), &[0.299, 0.587, 0.114, 1.0], 1e-6);
    assert_close(
        &apply(&colour, 2, 3),
        &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0],
        0.0,
    );
    assert_close(&apply(&colour, 1, 3), &[0.5; 3], 1e-6);
}

#[test]
fn refuses_what_no_model_has() {
    let good = image(1, 2, 2, vec![0; 4]);
    for size in [0, 1 << 20] {
        assert!(matches!(
            Transform::new(size, 1).apply(&good),
            Err(DatasetError::Setting(SettingError::Size { size: s })) if s == size
        ));
    }
    for channels in [0, 2, 4] {
        assert!(matches!(
            Transform::new(2, channels).apply(&good),
            Err(DatasetError::Setting(SettingError::Channels { channels: c })) if c == channels
        ));
    }
    for bad in [
        image(2, 2, 2, vec![0; 8]),
        image(1, 2, 2, vec![0; 3]),
        image(1, 0, 2, vec![]),
        image(3, usize::MAX, usize::MAX, vec![0; 3]),
    ] {
        assert!(matches!(
            Transform::new(2, 1).apply(&bad),
            Err(DatasetError::Image(ImageError::Inconsistent { .. }))
        ));
    }
}

#[test]
fn a_source_loads_what_the_transform_gives_each_time() {
    let digits = Arc::new(embedded_digits().unwrap());
    let transform = Transform::new(32, 3);
    let source = ImageSource::new(digits.clone(), transform).unwrap();
    let expected: Vec<f32> = [9_999, 4, 9_999]
        .into_iter()
        .flat_map(|index| transform.apply(&digits.item(index).unwrap().image).unwrap())
        .collect();
    for _ in 0..2 {
        let loaded = source.load(&[9_999, 4, 9_999]).unwrap();
        assert_eq!(loaded.shape, [3, 3, 32, 32]);
        assert_eq!(loaded.images, expected);
    }
    assert!(matches!(
        source.load(&[10_000]),
        Err(DatasetError::IndexOutOfRange { index: 10_000, .. })
    ));
}

#[test]
fn a_crop_takes_the_centre_as_torchvision_does() {
    // Height 5, width 7: the margins are 2 and 4, then 3 and 5, then 0 and 2.
    let picture = image(1, 5, 7, (0..35).collect());
    for (side, top, left) in [(3, 1, 2), (2, 2, 2), (5, 0, 1), (1, 2, 3), (4, 0, 2)] {
        let found = Transform::new(side, 1)
            .cropped(side)
            .apply(&picture)
            .unwrap();
        let expected: Vec<f32> = (0..side * side)
            .map(|place| (top + place / side) * 7 + left + place % side)
            .map(|value| value as f32 / 255.0)
            .collect();
        assert_eq!(found, expected, "{side}");
    }
}

#[test]
fn a_crop_comes_before_resizing_and_luma() {
    let pixels: Vec<u8> = (0..3 * 20 * 30).map(|n| (n * 37 % 251) as u8).collect();
    let cut: Vec<u8> = pixels
        .chunks(20 * 30)
        .flat_map(|plane| plane.chunks(30).skip(4).take(12))
        .flat_map(|row| &row[9..21])
        .copied()
        .collect();
    let (whole, cut) = (image(3, 20, 30, pixels), image(3, 12, 12, cut));
    for (size, channels) in [(5, 3), (5, 1), (12, 3), (12, 1), (17, 3), (17, 1)] {
        let found = Transform::new(size, channels)
            .cropped(12)
            .apply(&whole)
            .unwrap();
        assert_eq!(found, apply(&cut, size, channels));
    }
}

#[test]
fn crops_that_cannot_be_are_refused() {
    let picture = image(1, 5, 7, vec![0; 35]);
    for crop in [6, 8, usize::MAX] {
        assert!(matches!(
            Transform::new(2, 1).cropped(crop).apply(&picture),
            Err(DatasetError::Image(ImageError::SmallerThanCrop { height: 5, width: 7, crop: c })) if c == crop
        ));
    }
    assert!(matches!(
        Transform::new(2, 1).cropped(0).apply(&picture),
        Err(DatasetError::Setting(SettingError::Crop))
    ));
}

#[test]
fn a_stored_transform_without_crop_is_read() {
    let stored = r#"{"size":32,"channels":1}"#;
    let plain: Transform = serde_json::from_str(stored).unwrap();
    assert_eq!(plain, Transform::new(32, 1));
    assert_eq!(serde_json::to_string(&plain).unwrap(), stored);
    let cropped = Transform::new(64, 3).cropped(144);
    let stored = serde_json::to_string(&cropped).unwrap();
    assert_eq!(serde_json::from_str::<Transform>(&stored).unwrap(), cropped);
}

#[test]
fn shrinking_to_many_ratios_agrees_with_weights_by_hand() {
    // The definition, pixel by pixel, in double precision, independent of the library's loops.
    let triangle = |input: usize, output: usize, place: usize, pixel: usize| {
        let ratio = input as f64 / output as f64;
        let support = ratio.max(1.0);
        let weight = |pixel: usize| {
            let distance = (pixel as f64 + 0.5 - (place as f64 + 0.5) * ratio).abs();
            (1.0 - distance / support).max(0.0)
        };
        weight(pixel) / (0..input).map(weight).sum::<f64>()
    };
    for (height, width, size) in [
        (17, 23, 16),
        (40, 9, 7),
        (9, 40, 7),
        (64, 50, 3),
        (90, 90, 4),
        (5, 5, 9),
    ] {
        let pixels: Vec<u8> = (0..height * width)
            .map(|n| (n * n * 31 % 256) as u8)
            .collect();
        let found = apply(&image(1, height, width, pixels.clone()), size, 1);
        for y in 0..size {
            for x in 0..size {
                let mut expected = 0.0;
                for (place, &pixel) in pixels.iter().enumerate() {
                    expected += f64::from(pixel)
                        * triangle(height, size, y, place / width)
                        * triangle(width, size, x, place % width);
                }
                let found = f64::from(found[y * size + x]) * 255.0;
                assert!(
                    (found - expected).abs() < 2e-4,
                    "{found} instead of {expected}"
                );
            }
        }
    }
}

#[test]
fn images_that_are_not_square_are_cropped_padded_or_stretched() {
    // Twice as wide as high, in three channels.
    let (height, width) = (16, 32);
    let pixels = (0..3 * height * width).map(|n| (n * 7 % 251) as u8);
    let wide = image(3, height, width, pixels.collect());
    let fitted = |size, fit| Transform::new(size, 3).fitted(fit).apply(&wide).unwrap();
    for size in [8, 16, 20] {
        // The central square.
        let square = Transform::new(size, 3)
            .cropped(height)
            .apply(&wide)
            .unwrap();
        assert_eq!(fitted(size, Fit::Crop), square);
        // The whole image at its aspect ratio, in the middle of black rows.
        let flat = ImageShape {
            channels: 3,
            height: size / 2,
            width: size,
        };
        let flat = Transform::to(flat).apply(&wide).unwrap();
        let padded = fitted(size, Fit::Pad);
        for (plane, flat) in padded.chunks(size * size).zip(flat.chunks(size * size / 2)) {
            let margin = size * size / 4;
            assert_eq!(&plane[margin..][..flat.len()], flat);
            assert!(
                plane[..margin]
                    .iter()
                    .chain(&plane[margin + flat.len()..])
                    .all(|v| *v == 0.0)
            );
        }
        // The transform of earlier versions.
        assert_eq!(
            fitted(size, Fit::Stretch),
            Transform::new(size, 3).apply(&wide).unwrap()
        );
    }
    // Whatever is square stays the same, also after a crop.
    let square = image(1, 20, 20, (0..400).map(|n| (n % 256) as u8).collect());
    for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
        let plain = Transform::new(13, 1);
        assert_eq!(
            plain.fitted(fit).apply(&square).unwrap(),
            plain.apply(&square).unwrap()
        );
        let cropped = Transform::new(13, 3).cropped(10);
        assert_eq!(
            cropped.fitted(fit).apply(&wide).unwrap(),
            cropped.apply(&wide).unwrap()
        );
    }
    // The thinnest image keeps a pixel.
    let line = image(1, 1, 1000, vec![255; 1000]);
    for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
        let values = Transform::new(8, 1).fitted(fit).apply(&line).unwrap();
        assert!(values.contains(&1.0), "{fit:?}");
    }
}

#[test]
fn stored_transforms_without_a_fit_stretch() {
    let stored = r#"{"size":8,"channels":1}"#;
    let read: Transform = serde_json::from_str(stored).unwrap();
    assert_eq!(read, Transform::new(8, 1));
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    let padded = Transform::new(8, 1).fitted(Fit::Pad);
    let text = serde_json::to_string(&padded).unwrap();
    assert_eq!(serde_json::from_str::<Transform>(&text).unwrap(), padded);
}
