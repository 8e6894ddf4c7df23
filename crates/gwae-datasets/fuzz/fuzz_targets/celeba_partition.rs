//! Any bytes as CelebA's partition, beside a correct list of attributes and three images.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Celeba, Dataset, Split};
use gwae_datasets_fuzz::{celeba_directory, check_message};
use libfuzzer_sys::fuzz_target;

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(celeba_directory);

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(DIRECTORY.join("list_eval_partition.txt"), bytes).expect("a temporary file");
    match Celeba::open(&DIRECTORY) {
        Ok(dataset) => {
            assert_eq!(dataset.len(), 3);
            let split = Split::official(&dataset).expect("a training part");
            let parts = [split.train, split.validation, split.test];
            assert_eq!(parts.concat(), [0, 1, 2]);
        }
        Err(error) => check_message(&error),
    }
});
