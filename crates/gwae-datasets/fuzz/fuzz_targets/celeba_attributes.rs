//! Any bytes as CelebA's list of attributes, beside a correct partition and three images.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Celeba, Dataset, MAX_ATTRIBUTES};
use gwae_datasets_fuzz::{celeba_directory, check_message};
use libfuzzer_sys::fuzz_target;

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(celeba_directory);

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(DIRECTORY.join("list_attr_celeba.txt"), bytes).expect("a temporary file");
    match Celeba::open(&DIRECTORY) {
        Ok(dataset) => {
            assert_eq!(dataset.len(), 3);
            assert!((1..=MAX_ATTRIBUTES).contains(&dataset.factors().len()));
        }
        Err(error) => check_message(&error),
    }
});
