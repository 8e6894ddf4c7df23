//! JPEG files of every kind against the pixels of libjpeg.
//!
//! `jpeg/` holds some of the files that `jpeg/sweep.py` writes with libjpeg-turbo's cjpeg, and
//! libjpeg's pixels of each. With `GWAE_JPEG_FILES` the test reads another directory, such as one
//! with all files of the script.

use std::fs;
use std::path::{Path, PathBuf};

use gwae_datasets::{ImageFileProblem, decode_image};

/// The committed files of kinds that are refused.
const REFUSED: [&str; 5] = [
    "arithmetic_2x2_47x35",
    "four_1_False_1x1_5x2",
    "marks_7_False_123_1x1_5x2",
    "progressive_no_ac_2x2_33x17_r0",
    "sequential_apart_4x1-2x1-1x1_33x17_r0",
];

#[test]
fn a_jpeg_has_the_pixels_of_libjpeg_or_is_refused_by_name() {
    let other = std::env::var_os("GWAE_JPEG_FILES").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jpeg");
    let mut refused = Vec::new();
    let mut read = 0;
    for entry in fs::read_dir(other.as_deref().unwrap_or(&own)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jpg") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Ok(reference) = fs::read(path.with_extension("png")) else {
            continue;
        };
        let expected = decode_image(&name, &reference).unwrap();
        let found = match decode_image(&name, &fs::read(&path).unwrap()) {
            Ok(found) => found,
            Err(error) => {
                let problem = &error.problem;
                let is_named = matches!(problem, ImageFileProblem::Unsupported { .. });
                assert!(is_named, "{error}");
                refused.push(name);
                continue;
            }
        };
        read += 1;
        assert_eq!(found.shape(), expected.shape(), "{name}");
        let differences = found.pixels.iter().zip(&expected.pixels);
        let sum: f64 = differences.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        let mean = sum / expected.pixels.len() as f64;
        // Decoders smooth colours differently. Wrong pixels differ by 5 to 80.
        assert!(mean < 1.8, "{name}: mean difference {mean}");
    }
    assert!(read > 20, "{read}");
    if other.is_none() {
        refused.sort();
        assert_eq!(refused, REFUSED);
    }
}
