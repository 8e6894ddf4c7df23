//! Folders of images with links, and folders and files that may not be read.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::pictures::{encoded, greys, write};
use gwae_datasets::{Dataset, DatasetError, ImageFileError, ImageFileProblem, ImageFolder};
use image::ImageFormat;

fn png(seed: u32) -> Vec<u8> {
    encoded(greys(6, 4, seed), ImageFormat::Png)
}

fn problem(result: Result<impl Sized, DatasetError>) -> (String, ImageFileProblem) {
    match result.map(drop).unwrap_err().downcast() {
        Ok(ImageFileError { file, problem }) => (file, problem),
        Err(other) => panic!("{other:?}"),
    }
}

fn paths(folder: &ImageFolder) -> Vec<PathBuf> {
    (0..folder.len())
        .map(|index| folder.path(index).unwrap().to_owned())
        .collect()
}

#[test]
fn links_are_followed_but_not_in_circles() {
    let directory = tempfile::tempdir().unwrap();
    let (root, elsewhere) = (
        directory.path().join("root"),
        directory.path().join("elsewhere"),
    );
    write(&elsewhere.join("1.png"), &png(1));
    write(&root.join("b/2.png"), &png(2));
    symlink(&elsewhere, root.join("a")).unwrap();
    symlink(elsewhere.join("1.png"), root.join("b/3.png")).unwrap();
    let folder = ImageFolder::open(&root).unwrap();
    assert_eq!(
        paths(&folder),
        ["a/1.png", "b/2.png", "b/3.png"].map(PathBuf::from)
    );
    assert_eq!(folder.item(2).unwrap().image, folder.item(0).unwrap().image);

    symlink(&root, elsewhere.join("back")).unwrap();
    symlink(directory.path(), root.join("b/above")).unwrap();
    let again = ImageFolder::open(&root).unwrap();
    assert_eq!(paths(&again), paths(&folder));
    assert_eq!(again.fingerprint(), folder.fingerprint());
    let passed = "passed over: 2 links to folders that are read already";
    assert!(again.notes()[0].ends_with(passed), "{:?}", again.notes());
}

#[test]
fn folders_that_link_to_each_other_are_read_once() {
    const FOLDERS: usize = 40;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for number in 0..FOLDERS {
        write(
            &root.join(format!("{number:02}/1.png")),
            &png(number as u32),
        );
        for other in 0..FOLDERS {
            let link = root.join(format!("{number:02}/to{other:02}"));
            symlink(root.join(format!("{other:02}")), link).unwrap();
        }
    }
    let folder = ImageFolder::open(root).unwrap();
    assert_eq!(folder.len(), FOLDERS);
    assert_eq!(folder.value_names(0).unwrap().len(), FOLDERS);
    let links = format!("passed over: {} links", FOLDERS * FOLDERS);
    assert!(folder.notes()[0].contains(&links), "{:?}", folder.notes());

    // The same from outside, where every folder is behind links only.
    let outside = tempfile::tempdir().unwrap();
    symlink(root.join("07"), outside.path().join("b")).unwrap();
    symlink(root.join("07"), outside.path().join("a")).unwrap();
    let linked = ImageFolder::open(outside.path()).unwrap();
    assert_eq!(linked.len(), FOLDERS);
    assert!(paths(&linked).contains(&"a/1.png".into()));
}

#[test]
fn links_to_nothing_are_passed_over_unless_they_are_images() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(&root.join("cats/1.png"), &png(1));
    write(&root.join("dogs/1.png"), &png(2));
    symlink("gone.txt", root.join("cats/notes.txt")).unwrap();
    symlink("gone", root.join("birds")).unwrap();
    symlink("circle", root.join("circle")).unwrap();
    write(&root.join("readme.txt"), b"text");
    let folder = ImageFolder::open(root).unwrap();
    assert_eq!(folder.value_names(0).unwrap(), ["cats", "dogs"]);
    let notes = folder.notes();
    assert!(
        notes[0].ends_with("passed over: 1 .txt, 3 broken links"),
        "{notes:?}"
    );

    symlink("gone.png", root.join("cats/2.png")).unwrap();
    let (file, found) = problem(ImageFolder::open(root));
    assert!(matches!(found, ImageFileProblem::Io(_)), "{found:?}");
    assert!(file.ends_with("cats/2.png"), "{file}");
}

#[test]
fn forbidden_folders_and_files_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("closed");
    write(&folder.join("1.png"), &png(1));
    let lock =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let opened = ImageFolder::open(directory.path()).unwrap();
    lock(&folder.join("1.png"), 0);
    let is_root = fs::File::open(folder.join("1.png")).is_ok();
    if !is_root {
        let (file, found) = problem(opened.item(0));
        assert!(matches!(found, ImageFileProblem::Io(_)) && file.ends_with("closed/1.png"));
        let (file, found) = problem(ImageFolder::open(directory.path()));
        assert!(matches!(found, ImageFileProblem::Io(_)) && file.ends_with("closed/1.png"));
        // A folder such as lost+found is passed over.
        lock(&folder, 0);
        write(&directory.path().join("2.png"), &png(2));
        let opened = ImageFolder::open(directory.path()).unwrap();
        assert_eq!(paths(&opened), ["2.png"].map(PathBuf::from));
        assert!(opened.notes()[0].contains("1 folder that may not be read (closed)"));
        let (file, found) = problem(ImageFolder::open(&folder));
        assert!(matches!(found, ImageFileProblem::Io(_)) && file.ends_with("closed"));
        lock(&folder, 0o700);
    }
}
