//! A device may never end, and a pipe never begin: every reader refuses them, and directories.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use gwae_formats::bounded_file::read_bytes;
use gwae_formats::hdf5::Hdf5File;
use gwae_formats::idx::{read_images, read_labels};
use gwae_formats::npy::read_npy_numbers;
use gwae_formats::npz::NpzFile;
use gwae_formats::records::RecordFile;

type Reader = fn(&Path) -> Result<(), String>;

const READERS: [(&str, Reader); 7] = [
    ("bytes", |path| ended(read_bytes(path, 99))),
    ("HDF5", |path| ended(Hdf5File::open(path))),
    ("IDX images", |path| ended(read_images(path))),
    ("IDX labels", |path| ended(read_labels(path))),
    ("npy", |path| ended(read_npy_numbers(path))),
    ("npz", |path| ended(NpzFile::open(path))),
    ("records", |path| ended(RecordFile::open(path))),
];

fn ended<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.to_string())
}

#[test]
fn what_is_no_regular_file_is_refused_by_every_reader() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for path in [&pipe, Path::new("/dev/zero"), directory.path()] {
        for (name, read) in READERS {
            let message = read(path).expect_err(name);
            assert!(!message.contains('\n'), "{name}: {message}");
        }
    }
}
