//! Any bytes as a WebP file: an error or an image.
#![no_main]

use gwae_datasets::decode_image;
use gwae_datasets_fuzz::check_image;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_image(&decode_image("picture.webp", bytes)));
