//! Any bytes as a dSprites archive: errors or a dataset whose items can be read.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Dataset, DspritesFile};
use gwae_datasets_fuzz::{check_message, scratch_directory};
use libfuzzer_sys::fuzz_target;

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(scratch_directory);

fuzz_target!(|bytes: &[u8]| {
    let file = DIRECTORY.join("file.npz");
    let _ = std::fs::remove_file(DIRECTORY.join("file.npz.gwae-cache"));
    let _ = std::fs::remove_file(DIRECTORY.join("file.npz.gwae-cache.partial"));
    std::fs::write(&file, bytes).expect("a temporary file");
    match DspritesFile::open_cached(&file, None, &mut |_| {}) {
        Ok(dataset) => {
            dataset.item(0).expect("the first item");
            dataset.item(dataset.len() - 1).expect("the last item");
        }
        Err(error) => check_message(&error),
    }
});
