//! Any bytes as an HDF5 file: errors or elements, never a panic, never more memory than a chunk.
//! Builds for fuzzing skip checksums, so that changed bytes reach the code behind them.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::Shapes3dFile;
use gwae_datasets_fuzz::{check_message, scratch_directory};
use gwae_formats::hdf5::Hdf5File;
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| scratch_directory().join("file.h5"));

/// Maximum number of bytes that are read of a dataset.
const MOST: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a temporary file");
    let file = match Hdf5File::open(&FILE) {
        Ok(file) => file,
        Err(error) => return check_message(&error),
    };
    let names: Vec<String> = file.names().take(4).map(str::to_owned).collect();
    for name in names {
        let dataset = match file.dataset(&name) {
            Ok(dataset) => dataset,
            Err(error) => {
                check_message(&error);
                continue;
            }
        };
        let rows = dataset.shape()[0];
        let row = dataset.row_bytes();
        if row > MOST {
            continue;
        }
        let count = rows.min((MOST / row) as u64);
        let mut output = vec![0; row * count as usize];
        for range in [0..count, rows - count..rows] {
            if let Err(error) = dataset.read_rows(range, &mut output) {
                check_message(&error);
            }
        }
    }
    if let Err(error) = Shapes3dFile::open(&FILE) {
        check_message(&error);
    }
});
