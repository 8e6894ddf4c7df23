//! PNG, JPEG and WebP into planes: every colour type, and every kind of damage.

mod common;

use std::io::Read;

use common::pictures::{colours, encoded, greys, jpeg, one_bit_png, png_of, png_of_chunks};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gwae_datasets::{Image, ImageFileProblem, MAX_IMAGE_PIXELS, decode_image};
use image::{DynamicImage, GrayAlphaImage, ImageFormat, RgbImage, RgbaImage};
use proptest::prelude::*;

fn decode(bytes: &[u8]) -> Image {
    decode_image("picture", bytes).unwrap()
}

fn problem(bytes: &[u8]) -> ImageFileProblem {
    let error = decode_image("folder/picture", bytes).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("folder/picture: "), "{text}");
    assert!(!text.contains('\n'), "{text}");
    error.problem
}

/// The planes of an image, one after the other.
fn planes(picture: &RgbImage) -> Vec<u8> {
    (0..3)
        .flat_map(|channel| picture.pixels().map(move |pixel| pixel[channel]))
        .collect()
}

fn largest_difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn lossless_colours_come_out_as_planes() {
    let picture = colours(13, 7, 1);
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let image = decode(&encoded(picture.clone(), format));
        assert_eq!((image.channels, image.height, image.width), (3, 7, 13));
        assert_eq!(image.pixels, planes(&picture));
    }
}

/// An EXIF block with an orientation only.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    block
}

/// The camera was turned: the stored image has to be turned a quarter clockwise.
#[test]
fn the_orientation_of_cameras_is_obeyed() {
    let picture = colours(24, 16, 1);
    let upright = image::imageops::rotate90(&picture);
    let png = encoded(picture.clone(), ImageFormat::Png);
    // After signature and header: 8 + 25 bytes.
    let chunk = &png_of_chunks(&[(b"eXIf", &exif(6))])[8..];
    let turned = decode(&[&png[..33], chunk, &png[33..]].concat());
    assert_eq!((turned.height, turned.width), (24, 16));
    assert_eq!(turned.pixels, planes(&upright));

    let file = jpeg(picture);
    let plain = decode(&file);
    let content = [b"Exif\0\0", &exif(6)[..]].concat();
    let length = (content.len() as u16 + 2).to_be_bytes();
    let with = |bytes: &[u8]| [&file[..2], &[0xff, 0xe1], &length, bytes, &file[2..]].concat();
    let turned = decode(&with(&content));
    assert_eq!((turned.height, turned.width), (24, 16));
    // Row 0 of the upright image is the first column, from below.
    let expected: Vec<u8> = (0..16).map(|row| plain.pixels[(15 - row) * 24]).collect();
    assert_eq!(turned.pixels[..16], expected);
    // A broken block changes nothing.
    let broken = decode(&with(&vec![b'E'; content.len()]));
    assert_eq!(broken.pixels, plain.pixels);
}

/// A profile of 300 kB that expands to 300 MB.
#[test]
fn profiles_and_texts_are_not_expanded() {
    let picture = colours(24, 16, 1);
    let png = encoded(picture.clone(), ImageFormat::Png);
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::repeat(0).take(300_000_000), &mut deflated).unwrap();
    let profile = [b"name\0\0", &deflated.finish().unwrap()[..]].concat();
    for kind in [b"iCCP", b"zTXt"] {
        let chunk = &png_of_chunks(&[(kind, &profile)])[8..];
        let file = [&png[..33], chunk, &png[33..]].concat();
        assert_eq!(decode(&file).pixels, planes(&picture));
    }
}

#[test]
fn grey_stays_one_channel() {
    let picture = greys(13, 7, 1);
    let image = decode(&encoded(picture.clone(), ImageFormat::Png));
    assert_eq!((image.channels, image.height, image.width), (1, 7, 13));
    assert_eq!(image.pixels, picture.into_raw());

    let smooth = image::GrayImage::from_fn(20, 30, |x, y| image::Luma([(4 * x + 3 * y) as u8]));
    let image = decode(&jpeg(smooth.clone()));
    assert_eq!((image.channels, image.height, image.width), (1, 30, 20));
    assert!(largest_difference(&image.pixels, smooth.as_raw()) <= 4);
}

#[test]
fn one_bit_becomes_black_and_white() {
    let image = decode(&one_bit_png(11, 3, |x, y| (x + y) % 3 == 0));
    assert_eq!((image.channels, image.height, image.width), (1, 3, 11));
    for y in 0..3 {
        for x in 0..11 {
            let expected = if (x + y) % 3 == 0 { 255 } else { 0 };
            assert_eq!(image.pixels[y * 11 + x], expected);
        }
    }
}

#[test]
fn transparency_shows_white() {
    // Opacity 0, 128 and 255 over black and a colour: 255 − (255 − v)·a/255, rounded.
    let picture = RgbaImage::from_raw(3, 1, vec![0, 0, 0, 0, 0, 100, 200, 128, 10, 20, 30, 255]);
    let image = decode(&encoded(picture.unwrap(), ImageFormat::Png));
    assert_eq!(image.channels, 3);
    assert_eq!(image.pixels, [255, 127, 10, 255, 177, 20, 255, 227, 30]);
    let picture = GrayAlphaImage::from_raw(3, 1, vec![0, 0, 0, 128, 7, 255]).unwrap();
    let image = decode(&encoded(picture, ImageFormat::Png));
    assert_eq!((image.channels, image.pixels), (1, vec![255, 127, 7]));
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let values: Vec<u16> = vec![0, 128, 129, 257, 32_767, 65_534, 65_535];
    let expected: Vec<u8> = values
        .iter()
        .map(|&v| (f64::from(v) / 257.0).round() as u8)
        .collect();
    let picture = image::ImageBuffer::from_raw(7, 1, values).unwrap();
    let image = decode(&encoded(
        DynamicImage::ImageLuma16(picture),
        ImageFormat::Png,
    ));
    assert_eq!((image.channels, image.pixels), (1, expected));
}

/// A JPEG file and its pixels by libjpeg-turbo; see `images/make.py`.
const REFERENCES: [(&str, &[u8], &[u8]); 6] = [
    (
        "colours",
        include_bytes!("images/colours.jpg"),
        include_bytes!("images/colours.png"),
    ),
    (
        "halves",
        include_bytes!("images/halves.jpg"),
        include_bytes!("images/halves.png"),
    ),
    (
        "half_width",
        include_bytes!("images/half_width.jpg"),
        include_bytes!("images/half_width.png"),
    ),
    (
        "full",
        include_bytes!("images/full.jpg"),
        include_bytes!("images/full.png"),
    ),
    (
        "coarse",
        include_bytes!("images/coarse.jpg"),
        include_bytes!("images/coarse.png"),
    ),
    (
        "grey",
        include_bytes!("images/grey.jpg"),
        include_bytes!("images/grey.png"),
    ),
];

#[test]
fn ordinary_jpegs_are_those_of_libjpeg_to_the_last_bit() {
    for (name, jpeg, reference) in REFERENCES {
        let (found, expected) = (decode(jpeg), decode(reference));
        assert_eq!(
            (found.channels, found.height, found.width),
            (expected.channels, expected.height, expected.width)
        );
        let wrong = found
            .pixels
            .iter()
            .zip(&expected.pixels)
            .position(|(a, b)| a != b);
        assert_eq!(wrong, None, "{name}");
    }
}

#[test]
fn a_progressive_jpeg_is_nearly_its_baseline_twin() {
    let baseline = decode(include_bytes!("images/colours.jpg"));
    let progressive = decode(include_bytes!("images/progressive.jpg"));
    assert_eq!(progressive.pixels.len(), baseline.pixels.len());
    assert!(largest_difference(&baseline.pixels, &progressive.pixels) <= 6);
}

#[test]
fn images_beyond_the_kept_buffer_and_after_larger_ones_are_right() {
    // One thread decodes all of them, so each decoding reuses the buffer of the one before.
    for (width, height) in [(64, 64), (800, 700), (16, 8), (64, 64)] {
        let picture = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x / 4) as u8, (y / 4) as u8, ((x + y) / 8) as u8])
        });
        let image = decode(&jpeg(picture.clone()));
        assert!(largest_difference(&image.pixels, &planes(&picture)) <= 6);
    }
}

#[test]
fn a_jpeg_cut_anywhere_is_an_error_not_a_grey_picture() {
    let own = jpeg(colours(64, 48, 3));
    for whole in [
        own.as_slice(),
        include_bytes!("images/colours.jpg"),
        include_bytes!("images/progressive.jpg"),
    ] {
        decode(whole);
        for length in 2..whole.len() {
            let cut = problem(&whole[..length]);
            assert!(
                matches!(cut, ImageFileProblem::Truncated { format: "JPEG", bytes } if bytes == length),
                "{cut:?}"
            );
        }
    }
}

#[test]
fn a_jpeg_without_its_middle_is_an_error_though_it_has_an_end() {
    for (name, whole, _) in REFERENCES {
        let end = whole.len();
        for cut in [end / 2, end - 40] {
            let spliced = [&whole[..cut], &[0xff, 0xd9]].concat();
            // Half of a small file ends inside its tables, so the segment is incomplete.
            let found = decode_image(name, &spliced).unwrap_err().problem;
            let is_error = match found {
                ImageFileProblem::Truncated { .. } => cut == end / 2,
                ImageFileProblem::Damaged { format, .. } => format == "JPEG",
                _ => false,
            };
            assert!(is_error, "{name} cut at {cut}: {found:?}");
        }
    }
}

#[test]
fn png_and_webp_cut_anywhere_are_errors() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = encoded(colours(20, 20, 1), format);
        for length in 12..whole.len() - 12 {
            let found = problem(&whole[..length]);
            assert!(
                matches!(
                    found,
                    ImageFileProblem::Damaged { .. } | ImageFileProblem::Truncated { .. }
                ),
                "{found:?}"
            );
        }
    }
}

#[test]
fn dimensions_are_checked_before_memory_is_taken() {
    // Start, an SOF0 of 65535×65535 with three components, and the rest of a real file.
    let mut large = jpeg(colours(16, 16, 1));
    let frame = large
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    large[frame + 5..frame + 9].fill(0xff);
    let found = problem(&large);
    assert!(
        matches!(
            found,
            ImageFileProblem::Dimensions {
                width: 65_535,
                height: 65_535,
                ..
            }
        ),
        "{found:?}"
    );
    // 8000×8000 is below the limit, but the file is too small for 8 bits per block.
    for (place, value) in [(5, 8000u16), (7, 8000)] {
        large[frame + place..frame + place + 2].copy_from_slice(&value.to_be_bytes());
    }
    const { assert!(8000 * 8000 < MAX_IMAGE_PIXELS) };
    assert!(matches!(
        problem(&large),
        ImageFileProblem::Dimensions { width: 8000, .. }
    ));

    for side in [65_535u32, 60_000, 8_000] {
        let header = [
            &side.to_be_bytes()[..],
            &side.to_be_bytes(),
            &[8, 2, 0, 0, 0],
        ]
        .concat();
        let found = problem(&png_of(&header, &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]));
        assert!(
            matches!(found, ImageFileProblem::Dimensions { .. }),
            "{found:?}"
        );
    }
}

#[test]
fn a_palette_of_broken_colours_is_damage() {
    // 2×1 pixels of two bits, colours 1 and 0; one stored block of deflate, and its Adler-32.
    let header = [0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 0, 0, 0];
    let data = [0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0x40, 0, 0x42, 0, 0x41];
    let palette: Vec<u8> = (1..=13).collect();
    for length in 3..=13 {
        for transparency in [&[][..], &[255, 255]] {
            let file = png_of_chunks(&[
                (b"IHDR", &header),
                (b"tEXt", b"a\0b"),
                (b"PLTE", &palette[..length]),
                (b"tRNS", transparency),
                (b"IDAT", &data),
                (b"IEND", &[]),
            ]);
            if length % 3 == 0 {
                let image = decode(&file);
                assert_eq!((image.channels, image.height, image.width), (3, 1, 2));
                if length > 3 {
                    assert_eq!(image.pixels, [4, 1, 5, 2, 6, 3]);
                }
            } else {
                let found = problem(&file);
                assert!(
                    matches!(found, ImageFileProblem::Damaged { format: "PNG", .. }),
                    "{found:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_image_is_named() {
    for bytes in [
        &b""[..],
        b"\xff",
        b"GIF89a",
        b"RIFF....WAVE",
        b"\0\0\0\0\0\0",
    ] {
        let found = problem(bytes);
        assert!(
            matches!(found, ImageFileProblem::UnknownFormat { .. }),
            "{found:?}"
        );
    }
}

#[test]
fn four_inks_become_three_colours() {
    let image = decode(include_bytes!("images/cmyk.jpg"));
    assert_eq!((image.channels, image.height, image.width), (3, 8, 8));
    // Pillow's `convert("RGB")` of the same file, in every pixel.
    for (plane, expected) in image.pixels.chunks(64).zip([207, 46, 190]) {
        assert_eq!(plane, [expected; 64]);
    }
}

fn originals() -> Vec<Vec<u8>> {
    vec![
        jpeg(colours(24, 20, 1)),
        include_bytes!("images/halves.jpg").to_vec(),
        include_bytes!("images/half_width.jpg").to_vec(),
        include_bytes!("images/coarse.jpg").to_vec(),
        include_bytes!("images/grey.jpg").to_vec(),
        include_bytes!("images/progressive.jpg").to_vec(),
        encoded(colours(9, 9, 1), ImageFormat::Png),
        one_bit_png(20, 20, |x, y| x > y),
        encoded(colours(9, 9, 2), ImageFormat::WebP),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn damaged_bytes_never_panic(
        which in 0..9usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = originals().swap_remove(which);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(image) = decode_image("picture", &bytes) {
            prop_assert_eq!(image.pixels.len(), image.channels * image.height * image.width);
        }
    }
}
