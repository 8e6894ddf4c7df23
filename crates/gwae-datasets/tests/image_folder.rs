//! Folders of images: files, order, classes, and errors.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::pictures::{colours, encoded, greys, jpeg, png_of, write, write_zip};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gwae_datasets::{
    Dataset, DatasetError, Image, ImageFileError, ImageFileProblem, ImageFolder, ImageSource,
    Transform, Unreadable,
};
use image::ImageFormat;
use zip::CompressionMethod;

fn png(seed: u32) -> Vec<u8> {
    encoded(greys(6, 4, seed), ImageFormat::Png)
}

/// A grey PNG file whose size does not depend on `seed`.
fn stored_png(seed: u8) -> Vec<u8> {
    let rows: Vec<u8> = (0..4u8).flat_map(|y| [0, seed, y, 7]).collect();
    let mut data = ZlibEncoder::new(Vec::new(), Compression::none());
    data.write_all(&rows).unwrap();
    let header = [
        &3u32.to_be_bytes()[..],
        &4u32.to_be_bytes(),
        &[8, 0, 0, 0, 0],
    ]
    .concat();
    png_of(&header, &data.finish().unwrap())
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
fn sub_folders_of_the_first_level_are_classes() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("animals");
    for (seed, name) in ["dog/b.PNG", "cat/2.png", "dog/deep/er/a.png", "cat/10.png"]
        .iter()
        .enumerate()
    {
        write(&root.join(name), &png(seed as u32));
    }
    // These are neither images nor classes.
    write(&root.join("readme.txt"), b"text");
    write(&root.join("list/labels.csv"), b"1,2");
    write(&root.join(".hidden/x.png"), b"no image");
    write(&root.join("cat/._2.png"), b"no image");

    let folder = ImageFolder::open(&root).unwrap();
    assert_eq!(folder.name(), "animals");
    assert_eq!(
        (folder.len(), folder.train_len(), folder.validation_len()),
        (4, 4, 0)
    );
    let names = ["cat/10.png", "cat/2.png", "dog/b.PNG", "dog/deep/er/a.png"];
    assert_eq!(paths(&folder), names.map(PathBuf::from));
    assert_eq!(folder.factors().len(), 1);
    assert_eq!(
        (
            folder.factors()[0].name.as_str(),
            folder.factors()[0].values
        ),
        ("class", 2)
    );
    assert_eq!(folder.value_names(0).unwrap(), ["cat", "dog"]);
    assert!(folder.value_names(1).is_none());
    for (index, (seed, class)) in [(3, 0), (1, 0), (0, 1), (2, 1)].into_iter().enumerate() {
        let item = folder.item(index).unwrap();
        assert_eq!(item.image.pixels, greys(6, 4, seed).into_raw());
        assert_eq!(item.factors, [class]);
    }
    assert!(matches!(
        folder.item(4),
        Err(DatasetError::IndexOutOfRange {
            index: 4,
            len: 4,
            ..
        })
    ));
    assert!(folder.path(4).is_none());
}

#[test]
fn an_image_outside_of_every_sub_folder_means_no_classes() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("cat/1.png"), &png(1));
    write(&directory.path().join("loose.png"), &png(2));
    let folder = ImageFolder::open(directory.path()).unwrap();
    assert!(folder.factors().is_empty() && folder.value_names(0).is_none());
    assert!(folder.item(0).unwrap().factors.is_empty());
}

#[test]
fn all_formats_and_sizes_become_model_input() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(&root.join("a.png"), &png(1));
    write(&root.join("b.jpg"), &jpeg(colours(40, 30, 1)));
    write(&root.join("c.JPEG"), &jpeg(greys(9, 90, 1)));
    write(
        &root.join("d.webp"),
        &encoded(colours(5, 5, 1), ImageFormat::WebP),
    );
    // The content decides, not the name.
    write(&root.join("e.png"), &jpeg(colours(12, 12, 1)));
    let folder = std::sync::Arc::new(ImageFolder::open(root).unwrap());
    let source = ImageSource::new(folder, Transform::new(8, 3)).unwrap();
    for _ in 0..2 {
        let loaded = source.load(&[0, 1, 2, 3, 4]).unwrap();
        assert_eq!(loaded.shape, [5, 3, 8, 8]);
        assert_eq!(loaded.images.len(), 5 * 3 * 64);
    }
}

#[test]
fn a_zip_archive_is_the_same_as_the_folder() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("set");
    let mut files = Vec::new();
    for (seed, name) in ["x/2.png", "x/1.png", "y/3.png"].into_iter().enumerate() {
        write(&root.join(name), &png(seed as u32));
        files.push((name.to_owned(), png(seed as u32)));
    }
    files.push(("__MACOSX/x/._1.png".to_owned(), b"resource fork".to_vec()));
    files.push(("y/.DS_Store.png".to_owned(), b"hidden".to_vec()));
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let archive = directory.path().join("set.zip");
        write_zip(&archive, &files, method);
        let zipped = ImageFolder::open(&archive).unwrap();
        let folder = ImageFolder::open(&root).unwrap();
        assert_eq!(paths(&zipped), paths(&folder));
        assert_eq!(zipped.name(), folder.name());
        assert_eq!(zipped.fingerprint(), folder.fingerprint());
        for index in 0..3 {
            assert_eq!(zipped.item(index).unwrap(), folder.item(index).unwrap());
        }
    }
}

#[test]
fn the_fingerprint_follows_names_and_contents() {
    let directory = tempfile::tempdir().unwrap();
    let fingerprint = || ImageFolder::open(directory.path()).unwrap().fingerprint();
    write(&directory.path().join("a.png"), &png(1));
    let first = fingerprint();
    assert_eq!(first, fingerprint());
    write(&directory.path().join("b.png"), &png(2));
    let second = fingerprint();
    fs::rename(
        directory.path().join("b.png"),
        directory.path().join("c.png"),
    )
    .unwrap();
    let third = fingerprint();
    write(&directory.path().join("c.png"), &jpeg(colours(30, 30, 1)));
    let fourth = fingerprint();
    // Other content of the same name and size.
    write(&directory.path().join("a.png"), &stored_png(1));
    let fifth = fingerprint();
    write(&directory.path().join("a.png"), &stored_png(2));
    assert_eq!(stored_png(1).len(), stored_png(2).len());
    let all = [first, second, third, fourth, fifth, fingerprint()];
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one));
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_survive() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let name = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9/\xff\xfe.png"));
    write(&directory.path().join(name), &png(1));
    let folder = ImageFolder::open(directory.path()).unwrap();
    assert_eq!(folder.path(0).unwrap(), name);
    assert_eq!(folder.value_names(0).unwrap(), ["caf\u{fffd}"]);
    assert_eq!(
        folder.item(0).unwrap().image.pixels,
        greys(6, 4, 1).into_raw()
    );
}

#[test]
fn a_single_folder_around_the_classes_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["cats/1.png", "cats/2.png", "dogs/1.png"];
    let make = |root: &Path, around: &str| {
        let files: Vec<_> = names
            .iter()
            .zip(0..)
            .map(|(name, seed)| (format!("{around}{name}"), png(seed)))
            .collect();
        for (name, bytes) in &files {
            write(&root.join(name), bytes);
        }
        let archive = root.join("set.zip");
        write_zip(&archive, &files, CompressionMethod::Deflated);
        archive
    };
    let mut fingerprints = Vec::new();
    for (number, around) in ["", "pets/", "data-main/pets/"].into_iter().enumerate() {
        let root = directory.path().join(number.to_string());
        let archive = make(&root, around);
        for path in [archive, root] {
            let folder = ImageFolder::open(&path).unwrap();
            assert_eq!(folder.value_names(0).unwrap(), ["cats", "dogs"]);
            assert_eq!(folder.item(2).unwrap().factors, [1]);
            fingerprints.push(folder.fingerprint());
        }
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1);

    // A single class remains one.
    let single = directory.path().join("single");
    write(&single.join("cats/1.png"), &png(1));
    write(&single.join("cats/2.png"), &png(2));
    let folder = ImageFolder::open(&single).unwrap();
    assert_eq!(folder.value_names(0).unwrap(), ["cats"]);
}

#[test]
fn what_holds_no_images_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let (file, found) = problem(ImageFolder::open(root));
    assert!(matches!(found, ImageFileProblem::NoImages));
    assert_eq!(file, root.display().to_string());
    write(&root.join("sub/readme.txt"), b"text");
    assert!(matches!(
        problem(ImageFolder::open(root)).1,
        ImageFileProblem::NoImages
    ));
    let (_, found) = problem(ImageFolder::open(&root.join("absent")));
    assert!(
        matches!(found, ImageFileProblem::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
    );
    let (_, found) = problem(ImageFolder::open(&root.join("sub/readme.txt")));
    assert!(matches!(found, ImageFileProblem::Zip(_)), "{found:?}");
}

#[test]
fn damaged_archives_and_entries_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("set.zip");
    let files: Vec<_> = (0..4).map(|n| (format!("{n}.png"), png(n))).collect();
    write_zip(&archive, &files, CompressionMethod::Deflated);
    let whole = fs::read(&archive).unwrap();
    for length in (0..whole.len()).rev().step_by(17) {
        fs::write(&archive, &whole[..length]).unwrap();
        let (file, found) = problem(ImageFolder::open(&archive));
        assert!(
            matches!(found, ImageFileProblem::Zip(_)),
            "{length}: {found:?}"
        );
        assert!(file.ends_with("set.zip"), "{file}");
    }
    // One byte of one entry's data is changed. The directory is intact, so only that entry fails.
    let place = whole
        .windows(5)
        .position(|window| window == b"2.png")
        .unwrap()
        + 5
        + 40;
    let mut damaged = whole;
    damaged[place] ^= 0x55;
    fs::write(&archive, &damaged).unwrap();
    let (file, found) = problem(ImageFolder::open(&archive));
    assert!(file.ends_with("set.zip"), "{file}");
    let ImageFileProblem::Unreadable {
        count: 1,
        images: 4,
        first,
    } = found
    else {
        panic!("{found:?}");
    };
    assert!(
        first[0].starts_with("2.png (damaged or unsupported zip data"),
        "{first:?}"
    );
}

#[test]
fn names_of_entries_cannot_break_errors_up() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("set.zip");
    let name = "a\n\u{1b}[2J\0b.png".to_owned();
    write_zip(
        &archive,
        &[(name, b"none".to_vec())],
        CompressionMethod::Stored,
    );
    let error = ImageFolder::open(&archive).unwrap_err().to_string();
    assert!(error.contains(r" a\n\u{1b}[2J\u{0}b.png ("), "{error}");
    assert!(!error.contains(char::is_control), "{error:?}");
}

#[test]
fn images_that_cannot_be_read_are_refused_or_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("set");
    let memory = directory.path().join("memory");
    let half = jpeg(colours(20, 20, 2));
    write(&root.join("a.jpg"), &jpeg(colours(20, 20, 1)));
    for name in ["b.jpg", "c.jpg", "d.jpg", "e.jpg"] {
        write(&root.join(name), &half[..half.len() / 2]);
    }
    write(&root.join("f.png"), b"no image");
    let error = ImageFolder::open(&root).unwrap_err().to_string();
    for part in [
        "set: 5 of 6 images cannot be read: b.jpg (JPEG data is cut short after ",
        ", and 2 more; ",
        "data.unreadable = \"skip\"",
    ] {
        assert!(error.contains(part), "{error}");
    }

    let open = || ImageFolder::open_with(&root, Unreadable::Skip, Some(&memory), &mut |_, _| {});
    let folder = open().unwrap();
    assert_eq!(paths(&folder), [PathBuf::from("a.jpg")]);
    let note = folder.notes().pop().unwrap();
    assert!(
        note.contains("5 of 6 images cannot be read and are left out; "),
        "{note}"
    );
    let list = note
        .rsplit_once("; ")
        .unwrap()
        .1
        .strip_suffix(" lists them")
        .unwrap();
    let list = fs::read_to_string(list).unwrap();
    assert_eq!(list.lines().count(), 5);
    assert!(
        list.contains("f.png (starts with bytes 6e 6f 20 69"),
        "{list}"
    );

    // Files that are left out belong to what a run resumes with.
    let first = folder.fingerprint();
    assert_eq!(open().unwrap().fingerprint(), first);
    fs::remove_file(root.join("f.png")).unwrap();
    let second = open().unwrap().fingerprint();
    write(&root.join("b.jpg"), &half);
    let third = open().unwrap().fingerprint();
    assert!(first != second && second != third && first != third);

    let report = ImageFolder::check(&root, &mut |_, _| {}).unwrap();
    assert_eq!((report.images, report.unreadable.len()), (5, 3));
    assert!(report.unreadable[0].0.ends_with("c.jpg"), "{report:?}");

    // If none is left, there is nothing to skip to.
    let none = directory.path().join("none");
    write(&none.join("a.png"), b"no image");
    let opened = ImageFolder::open_with(&none, Unreadable::Skip, None, &mut |_, _| {});
    assert!(matches!(
        problem(opened).1,
        ImageFileProblem::Unreadable { .. }
    ));
}

/// The central square by its definition.
fn centre(image: &Image, side: usize) -> Image {
    let start = |length: usize| {
        let half = (length - side) / 2;
        half + (length - side) % 2 * (half % 2)
    };
    let (top, left) = (start(image.height), start(image.width));
    let planes = image.pixels.chunks(image.height * image.width);
    let rows = planes.flat_map(|plane| plane.chunks(image.width).skip(top).take(side));
    Image {
        channels: image.channels,
        height: side,
        width: side,
        pixels: rows
            .flat_map(|row| row[left..left + side].to_vec())
            .collect(),
    }
}

#[test]
fn a_cropped_jpeg_is_the_centre_of_the_whole_one() {
    // Every sampling and, through the sides, every position of the crop relative to blocks.
    let references = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images");
    let folder = ImageFolder::open(Path::new(references)).unwrap();
    let mut seen = 0;
    for index in 0..folder.len() {
        let name = folder.path(index).unwrap().to_owned();
        let Ok(whole) = folder.item(index) else {
            assert_eq!(name, Path::new("cmyk.jpg"));
            continue;
        };
        let shorter = whole.image.height.min(whole.image.width);
        for side in 1..=shorter {
            let cropped = folder.cropped_item(index, side).unwrap();
            assert_eq!(cropped.factors, whole.factors);
            let expected = centre(&whole.image, side);
            // Other formats give the whole image.
            if cropped.image != whole.image {
                assert!(cropped.image == expected, "{name:?} at {side}");
                seen += 1;
            }
            let transform = Transform::new(5, 3).cropped(side);
            assert_eq!(
                transform.apply(&cropped.image).unwrap(),
                transform.apply(&whole.image).unwrap()
            );
        }
        // The transform reports a crop that is too large.
        let larger = folder.cropped_item(index, shorter + 1).unwrap();
        assert_eq!(larger.image, whole.image);
    }
    assert!(seen > 150, "{seen}");
}
