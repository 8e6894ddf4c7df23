//! Any bytes as a JPEG file: both decoders agree, and a part equals the same part of the whole
//! image.
#![no_main]

use gwae_datasets::fuzzing::{decode_any_jpeg, decode_centre, decode_own_jpeg};
use gwae_datasets::{Image, decode_image};
use gwae_datasets_fuzz::check_image;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return;
    }
    let whole = decode_image("picture.jpg", bytes);
    check_image(&whole);
    // Sides below, near and above those of the smallest images.
    let side = 1 + bytes.len() % 24;
    let part = decode_centre("picture.jpg", bytes, side);
    check_image(&part);
    // The reverse does not hold: there may be damage below the part.
    if let Ok(whole) = &whole {
        let part = part.expect("a part of a picture that can be decoded");
        assert!(part == *whole || part == centre(whole, side));
    }
    let own = decode_own_jpeg(bytes);
    let any = decode_any_jpeg(bytes);
    // Each decoder tolerates some damage that the other one does not.
    if let (Some(Ok(own)), Ok(any)) = (&own, &any) {
        let size = |image: &Image| (image.channels, image.height, image.width);
        assert_eq!(size(own), size(any));
    }
});

/// The central square of this side by torchvision's rule: half of an odd margin is rounded to the
/// even neighbour.
fn centre(image: &Image, side: usize) -> Image {
    let start = |length: usize| match length - side {
        rest if rest % 4 == 3 => rest / 2 + 1,
        rest => rest / 2,
    };
    let (top, left) = (start(image.height), start(image.width));
    let mut pixels = Vec::new();
    for plane in image.pixels.chunks(image.height * image.width) {
        for row in plane.chunks(image.width).skip(top).take(side) {
            pixels.extend(&row[left..left + side]);
        }
    }
    Image {
        channels: image.channels,
        height: side,
        width: side,
        pixels,
    }
}
