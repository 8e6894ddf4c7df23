//! Any bytes as a zip archive: errors, or a readable Omniglot and a readable folder of images.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Dataset, DatasetError, ImageFolder, Omniglot, Polarity};
use gwae_datasets_fuzz::{check_message, scratch_directory};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| scratch_directory().join("images.zip"));

/// Maximum number of items that are read.
const MOST: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a temporary file");
    check(Omniglot::open(&FILE, Polarity::Inverted));
    check(ImageFolder::open(&FILE));
});

fn check(opened: Result<impl Dataset, DatasetError>) {
    let dataset = match opened {
        Ok(dataset) => dataset,
        Err(error) => return check_message(&error),
    };
    assert!(!dataset.is_empty());
    for index in 0..dataset.len().min(MOST) {
        match dataset.item(index) {
            Ok(item) => {
                let factors = dataset.factors();
                assert_eq!(item.factors.len(), factors.len());
                for (place, (value, factor)) in item.factors.iter().zip(factors).enumerate() {
                    assert!(*value < factor.values);
                    let names = dataset.value_names(place).expect("names");
                    assert_eq!(names.len(), factor.values as usize);
                }
            }
            Err(error) => check_message(&error),
        }
    }
}
