//! NumPy archives whose entries are compressed or encrypted in ways that are not read.

use std::fs;
use std::io::Write;

use gwae_formats::npz::{NpzFile, NpzProblem};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

#[test]
fn kinds_of_entries_that_are_not_read_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("arrays.npz");
    let mut writer = ZipWriter::new(fs::File::create(&path).unwrap());
    writer
        .start_file("imgs.npy", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"anything").unwrap();
    writer.finish().unwrap();
    let whole = fs::read(&path).unwrap();
    let entry = whole
        .windows(4)
        .position(|bytes| bytes == b"PK\x01\x02")
        .unwrap();
    // The places of the method and of the flags in an entry of the directory.
    for (place, value, expected) in [
        (
            10,
            14,
            "compression method 14 (LZMA) is not read; pack the archive with deflate",
        ),
        (
            10,
            9,
            "compression method 9 (Deflate64) is not read; pack the archive with deflate",
        ),
        (
            8,
            1,
            "is encrypted, which is not read; pack the archive without a password",
        ),
    ] {
        let mut changed = whole.clone();
        changed[entry + place] = value;
        fs::write(&path, changed).unwrap();
        let mut archive = NpzFile::open(&path).unwrap();
        match archive.bytes("imgs.npy").err() {
            Some(problem @ NpzProblem::Unread { .. }) => {
                assert_eq!(problem.to_string(), format!("imgs.npy: {expected}"));
            }
            other => panic!("{other:?}"),
        }
    }
}
