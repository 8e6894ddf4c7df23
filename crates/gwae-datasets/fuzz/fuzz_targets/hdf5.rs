//! Any bytes as an HDF5 file: errors or elements, never a panic, never more memory than a chunk.
//! Checksums are not compared in a build for fuzzing, so that mutations get past them.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Hdf5File, Shapes3dFile};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("gwae-fuzz-{}.h5", std::process::id());
    std::env::temp_dir().join(name)
});

/// Most bytes that are read of a dataset.
const MOST: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a temporary file");
    let Ok(file) = Hdf5File::open(&FILE) else {
        return;
    };
    let names: Vec<String> = file.names().take(4).map(str::to_owned).collect();
    for name in names {
        let Ok(dataset) = file.dataset(&name) else {
            continue;
        };
        let rows = dataset.shape()[0];
        let row = dataset.row_bytes();
        if row > MOST {
            continue;
        }
        let count = rows.min((MOST / row) as u64);
        let mut output = vec![0; row * count as usize];
        let _ = dataset.read_rows(0..count, &mut output);
        let _ = dataset.read_rows(rows - count..rows, &mut output);
    }
    let _ = Shapes3dFile::open(&FILE);
});
