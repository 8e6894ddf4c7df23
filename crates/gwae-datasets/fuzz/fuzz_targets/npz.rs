//! Any bytes as a dSprites archive: errors or a dataset whose items can be read.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Dataset, DspritesFile};
use libfuzzer_sys::fuzz_target;

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("gwae-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    directory
});

fuzz_target!(|bytes: &[u8]| {
    let file = DIRECTORY.join("file.npz");
    let _ = std::fs::remove_file(DIRECTORY.join("file.npz.gwae-cache"));
    let _ = std::fs::remove_file(DIRECTORY.join("file.npz.gwae-cache.partial"));
    std::fs::write(&file, bytes).expect("a temporary file");
    if let Ok(dataset) = DspritesFile::open_cached(&file, None, &mut |_, _| {}) {
        dataset.item(0).expect("the first item");
        dataset.item(dataset.len() - 1).expect("the last item");
    }
});
