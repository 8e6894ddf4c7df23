//! Names and kinds of the entries of zip archives, as various programs write them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::pictures::{encoded, greys, write_zip};
use gwae_datasets::{Dataset, ImageFolder};
use image::ImageFormat;
use zip::CompressionMethod;

fn png(seed: u32) -> Vec<u8> {
    encoded(greys(6, 4, seed), ImageFormat::Png)
}

/// An archive with images of these names.
fn archive(directory: &Path, names: &[&str]) -> PathBuf {
    let path = directory.join("pets.zip");
    let files: Vec<_> = names
        .iter()
        .zip(0..)
        .map(|(name, seed)| ((*name).to_owned(), png(seed)))
        .collect();
    write_zip(&path, &files, CompressionMethod::Deflated);
    path
}

/// Changes the entries of the directory of an archive, each from its signature on.
fn change_directory(archive: &Path, change: impl Fn(&mut [u8])) {
    let mut bytes = fs::read(archive).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 4)
        .filter(|&place| bytes[place..].starts_with(b"PK\x01\x02"))
        .collect();
    for place in places {
        change(&mut bytes[place..]);
    }
    fs::write(archive, bytes).unwrap();
}

fn paths(folder: &ImageFolder) -> Vec<PathBuf> {
    (0..folder.len())
        .map(|index| folder.path(index).unwrap().to_owned())
        .collect()
}

fn refusal(archive: &Path) -> String {
    let message = ImageFolder::open(archive).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

const PLAIN: [&str; 3] = ["cats/1.png", "cats/2.png", "dogs/1.png"];

#[test]
fn names_with_a_dot_a_slash_or_a_drive_are_those_without() {
    let directory = tempfile::tempdir().unwrap();
    let plain = ImageFolder::open(&archive(directory.path(), &PLAIN)).unwrap();
    let items: Vec<_> = (0..3).map(|index| plain.item(index).unwrap()).collect();
    for before in ["./", "/", "././", "pets/", "./pets/", "pets/../"] {
        let names = PLAIN.map(|name| format!("{before}{name}"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let folder = ImageFolder::open(&archive(directory.path(), &names)).unwrap();
        assert_eq!(folder.value_names(0).unwrap(), ["cats", "dogs"], "{before}");
        assert_eq!(folder.fingerprint(), plain.fingerprint());
        for (index, item) in items.iter().enumerate() {
            assert_eq!(folder.item(index).unwrap(), *item);
        }
    }
}

#[test]
fn backslashes_separate_in_archives_of_windows_only() {
    let directory = tempfile::tempdir().unwrap();
    let plain = ImageFolder::open(&archive(directory.path(), &PLAIN)).unwrap();
    let plain = (plain.fingerprint(), paths(&plain));
    let names = PLAIN.map(|name| name.replace('/', "\\"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let file = archive(directory.path(), &names);
    // The upper byte of the version that made the entry is the system: 3 Unix, 0 MS-DOS, 10 NTFS.
    for system in [0, 10] {
        change_directory(&file, |entry| entry[5] = system);
        let folder = ImageFolder::open(&file).unwrap();
        assert_eq!((folder.fingerprint(), paths(&folder)), plain);
        assert_eq!(folder.value_names(0).unwrap(), ["cats", "dogs"]);
    }
    #[cfg(unix)]
    {
        change_directory(&file, |entry| entry[5] = 3);
        let folder = ImageFolder::open(&file).unwrap();
        assert_eq!(paths(&folder)[0], Path::new("cats\\1.png"));
        assert!(folder.factors().is_empty());
    }
}

#[test]
fn what_systems_add_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let plain = ImageFolder::open(&archive(directory.path(), &PLAIN)).unwrap();
    let mut names = PLAIN.map(|name| format!("pets/{name}")).to_vec();
    for added in [
        "__MACOSX/pets/cats/._1.png",
        "__MACOSX/x.png",
        "pets/.DS_Store",
        "pets/.thumbnails/1.png",
        "pets/cats/Thumbs.db",
        "pets/cats/._1.png",
        "pets/labels.csv",
        "../../outside.txt",
    ] {
        names.push(added.to_owned());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = ImageFolder::open(&archive(directory.path(), &names)).unwrap();
    assert_eq!(folder.fingerprint(), plain.fingerprint());
    let notes = folder.notes();
    assert!(
        notes[0].ends_with("pets.zip: passed over: 1 .csv"),
        "{notes:?}"
    );
}

#[test]
fn names_that_lead_out_or_are_the_same_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for outside in ["../1.png", "cats/../../1.png", "/../1.png"] {
        let message = refusal(&archive(directory.path(), &["cats/1.png", outside]));
        assert!(message.contains(&format!("{outside}: this name leads out of the archive")));
    }
    let message = refusal(&archive(directory.path(), &["cats/1.png", "./cats/1.png"]));
    let expected = "pets.zip: ./cats/1.png: is in the archive twice, also as cats/1.png; pack";
    assert!(message.contains(expected), "{message}");

    // The same name: the writer does not allow it, so a name is changed later.
    let file = archive(directory.path(), &["cats/1.png", "cats/2.png"]);
    change_directory(&file, |entry| entry[46 + 5] = b'1');
    let message = refusal(&file);
    assert!(
        message.contains("cats/1.png: is in the archive twice; pack"),
        "{message}"
    );
}

#[test]
fn kinds_that_are_not_read_are_named() {
    let directory = tempfile::tempdir().unwrap();
    for (method, name) in [
        (9, "Deflate64"),
        (12, "bzip2"),
        (14, "LZMA"),
        (93, "Zstandard"),
    ] {
        let file = archive(directory.path(), &PLAIN);
        change_directory(&file, |entry| entry[10] = method);
        let message = refusal(&file);
        let expected = format!(
            "pets.zip: cats/1.png: compression method {method} ({name}) is not read; pack the \
             archive with deflate"
        );
        assert!(message.ends_with(&expected), "{message}");
    }
    let file = archive(directory.path(), &PLAIN);
    change_directory(&file, |entry| entry[8] |= 1);
    let message = refusal(&file);
    assert!(message.contains("cats/1.png: is encrypted"), "{message}");

    // Files that are no images may be of any kind.
    let file = archive(directory.path(), &["cats/1.png", "notes.txt"]);
    change_directory(&file, |entry| {
        if entry[46] == b'n' {
            entry[10] = 14;
        }
    });
    assert_eq!(ImageFolder::open(&file).unwrap().len(), 1);
}
