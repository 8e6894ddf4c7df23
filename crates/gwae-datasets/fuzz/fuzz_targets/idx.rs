//! Any bytes as IDX files of images and of labels: errors or the content. The result is the same
//! with and without compression, and for a reader that returns one byte at a time.
#![no_main]

use std::io::{BufReader, Write};
use std::mem::discriminant;

use flate2::Compression;
use flate2::write::GzEncoder;
use gwae_datasets_fuzz::check_message;
use gwae_formats::idx::{IdxError, IdxProblem, read_images_from, read_labels_from};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let images = read_images_from("images", bytes);
    if let Ok(images) = &images {
        let values = images.count * images.height * images.width;
        assert!(values > 0 && images.pixels.len() == values);
    }
    let labels = read_labels_from("labels", bytes);
    // One byte at a time.
    let slow = || BufReader::with_capacity(1, bytes);
    check_same(&images, &read_images_from("images", slow()));
    check_same(&labels, &read_labels_from("labels", slow()));
    // Not compressed twice, because that is not an IDX file.
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        let compressed = encoder.finish().expect("memory");
        check_same(&images, &read_images_from("images", &compressed[..]));
        check_same(&labels, &read_labels_from("labels", &compressed[..]));
    }
});

fn check_same<T: PartialEq>(expected: &Result<T, IdxError>, found: &Result<T, IdxError>) {
    match (expected, found) {
        (Ok(expected), Ok(found)) => assert!(expected == found),
        (Err(expected), Err(found)) => {
            check_message(expected);
            // The decompressor decides how much of damaged data it decompresses before it reports
            // the damage.
            let damaged = |e: &IdxError| matches!(e.problem, IdxProblem::CorruptGzip { .. });
            if damaged(expected) || damaged(found) {
                return;
            }
            let kinds = (
                discriminant(&expected.problem),
                discriminant(&found.problem),
            );
            assert_eq!(kinds.0, kinds.1, "{expected}, {found}");
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => panic!("{error}"),
    }
}
