//! Downloads from a local server that works, fails half-way, sends wrong data, or ignores requests.

mod files_there;
mod interrupted;
mod refused;
mod server;
mod sources;

use std::fs;
use std::path::Path;
use std::time::Duration;

use gwae_datasets::{
    DataEvent, DataFileError, FetchOutcome, FetchedFile, GetOptions, GetOutcome, Manifest, get,
};
use sha2::{Digest, Sha256};

/// All bytes of the test files. They are not periodic, so that misplaced pieces show.
pub fn content(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A file's table in a manifest, with a checksum.
pub fn file(name: &str, content: &[u8], urls: &[String]) -> String {
    format!(
        "[[files]]\nname = \"{name}\"\nbytes = {}\nsha256 = \"{}\"\nchecksum_source = \"the test\"\n\
         urls = {urls:?}\n",
        content.len(),
        sha256(content),
    )
}

/// A manifest of the dataset `tiny` with these tables.
pub fn manifest(tables: &str) -> Manifest {
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ndescription = \"test files\"\n\
         homepage = \"http://127.0.0.1/\"\nlicence = \"CC0-1.0\"\n\
         licence_url = \"http://127.0.0.1/\"\ncitation = \"none\"\n{tables}"
    );
    Manifest::parse("test.toml", &text).unwrap()
}

/// A manifest of the single file `a.bin`.
pub fn one_file(content: &[u8], urls: &[String]) -> Manifest {
    manifest(&file("a.bin", content, urls))
}

/// Three attempts without pauses, and without a proxy.
pub fn options() -> GetOptions {
    GetOptions {
        attempts: 3,
        backoff: Duration::ZERO,
        connect_timeout: Duration::from_secs(5),
        stall_timeout: Duration::from_secs(5),
        environment_proxy: false,
        ..GetOptions::default()
    }
}

/// Downloads and keeps the events as text.
pub fn run(
    manifest: &Manifest,
    directory: &Path,
    options: &GetOptions,
) -> (Result<Vec<FetchedFile>, DataFileError>, Vec<String>) {
    let mut events = Vec::new();
    let outcome = get(manifest, directory, options, &mut |event| {
        events.push(match event {
            DataEvent::Bytes {
                stage, done, total, ..
            } => format!("{stage:?} {done} {total:?}"),
            DataEvent::Retry { reason, .. } => format!("Retry {reason}"),
            DataEvent::StartOver { reason, .. } => format!("StartOver {reason}"),
            DataEvent::NextAddress { reason, .. } => format!("NextAddress {reason}"),
            other => format!("{other:?}"),
        });
    });
    let files = outcome.map(|outcome| match outcome {
        GetOutcome::Files(files) => files,
        GetOutcome::Manual(steps) => panic!("{steps}"),
    });
    if let Err(error) = &files {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    (files, events)
}

/// Like [`run`] for a download that must succeed; it also checks the bytes of `a.bin`.
pub fn succeed(
    manifest: &Manifest,
    directory: &Path,
    options: &GetOptions,
    expected: &[u8],
) -> (FetchOutcome, Vec<String>) {
    let (files, events) = run(manifest, directory, options);
    let files = files.unwrap();
    assert_eq!(fs::read(directory.join("a.bin")).unwrap(), expected);
    assert_eq!(names(directory), ["a.bin"], "nothing else may be left");
    (files[0].outcome.clone(), events)
}

/// All names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
