//! dSprites from archives by NumPy (`npz_files/make_files.py`), whole and damaged.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use gwae_datasets::{
    Dataset, DatasetError, DspritesError, DspritesFile, DspritesProblem, Image, Item, dsprites_grid,
};
use gwae_formats::npz::{NpzError, NpzProblem};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/npz_files/{name}.npz"))
}

/// Opens with the cache in a temporary directory.
fn open(path: &Path) -> Result<DspritesFile, DatasetError> {
    let directory = tempfile::tempdir().unwrap();
    DspritesFile::open_cached(path, Some(directory.path()), &mut |_| {})
}

/// Item `n` by the formulas of `make_files.py`.
fn expected(n: usize) -> Item {
    let mut pixels = Vec::new();
    for y in 0..9 {
        for x in 0..7 {
            pixels.push(if (3 * n + 5 * y + x * x) % 7 < 3 {
                255
            } else {
                0
            });
        }
    }
    Item {
        image: Image {
            channels: 1,
            height: 9,
            width: 7,
            pixels,
        },
        factors: dsprites_grid().values_of(n * 50_021 % 737_280).unwrap(),
    }
}

fn check(dataset: &DspritesFile) {
    assert_eq!(dataset.name(), "dsprites");
    assert_eq!((dataset.len(), dataset.train_len()), (14, 14));
    assert_eq!(dataset.factors(), dsprites_grid().factors());
    assert!(!dataset.is_whole_grid());
    for index in 0..14 {
        let item = dataset.item(index).unwrap();
        assert_eq!(item, expected(index));
        assert_eq!(dataset.index_of(&item.factors).unwrap(), Some(index));
    }
    assert_eq!(dataset.index_of(&[2, 5, 39, 31, 31]).unwrap(), None);
    assert!(matches!(
        dataset.item(14),
        Err(DatasetError::IndexOutOfRange { .. })
    ));
    dataset.verify_cache().unwrap();
    dataset.warm_cache().unwrap();
}

#[test]
fn archives_of_numpy_are_read() {
    for name in [
        "compressed",
        "stored",
        "boolean_images",
        "wide_classes",
        "big_endian_classes",
        "byte_classes",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut seen = Vec::new();
        let first =
            DspritesFile::open_cached(&path(name), Some(directory.path()), &mut |progress| {
                seen.push((progress.done, progress.total))
            })
            .unwrap();
        check(&first);
        assert_eq!(seen, [(14, 14)]);
        assert_eq!(first.fingerprint().len(), 64);
        // The second call has nothing to do.
        let again = DspritesFile::open_cached(&path(name), Some(directory.path()), &mut |_| {
            panic!("converted again")
        })
        .unwrap();
        check(&again);
        assert_eq!(again.fingerprint(), first.fingerprint());
    }
}

fn npz_problem(path: &Path) -> NpzProblem {
    let error = open(path).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("{}: ", path.display())),
        "{message}"
    );
    assert!(!message.contains(char::is_control), "{message:?}");
    match error.downcast() {
        Ok(NpzError { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
    }
}

fn dsprites_problem(name: &str) -> DspritesProblem {
    match open(&path(name)).unwrap_err().downcast() {
        Ok(DspritesError { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn other_arrays_are_refused() {
    for (name, entry) in [
        ("no_images", "imgs.npy"),
        ("no_classes", "latents_classes.npy"),
    ] {
        let found = npz_problem(&path(name));
        assert!(
            matches!(&found, NpzProblem::NoEntry { entry: e, known } if *e == entry
                && known.contains(&"latents_values.npy".to_owned())),
            "{found}"
        );
    }
    for (name, text) in [
        ("fortran_order", "imgs.npy: holds |u1 in Fortran order"),
        ("signed_images", "imgs.npy: holds |i1 in C order"),
        ("flat_images", "imgs.npy: holds shape [14, 63]"),
        ("float_classes", "latents_classes.npy: holds <f8 in C order"),
        (
            "too_few_classes",
            "latents_classes.npy: holds shape [13, 6]",
        ),
    ] {
        let found = npz_problem(&path(name));
        assert!(matches!(found, NpzProblem::Array { .. }), "{found}");
        assert!(found.to_string().contains(text), "{found}");
    }
}

/// Messages quote the element types of an archive, but stay on one line.
#[test]
fn strange_elements_are_refused_on_one_line() {
    for (elements, text) in [
        ("'|u1\nx'".to_owned(), "holds |u1\\nx in C order"),
        (format!("'{}'", "u".repeat(50_000)), "uuu… in C order"),
        (
            "[('a', '|u1')]".to_owned(),
            "holds records of named fields instead of |u1",
        ),
    ] {
        let dictionary =
            format!("{{'descr': {elements}, 'fortran_order': False, 'shape': (1, 1, 1)}}\n");
        let mut array = b"\x93NUMPY\x01\x00".to_vec();
        array.extend((dictionary.len() as u16).to_le_bytes());
        array.extend(dictionary.bytes());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive.npz");
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for entry in ["imgs.npy", "latents_classes.npy"] {
            archive.start_file(entry, options).unwrap();
            archive.write_all(&array).unwrap();
        }
        archive.finish().unwrap();
        let found = npz_problem(&path);
        assert!(matches!(found, NpzProblem::Array { .. }), "{found}");
        assert!(found.to_string().contains(text), "{found}");
    }
}

#[test]
fn texts_of_the_archive_cannot_break_errors_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file.npz");
    let changed = |from: &[u8], to: &[u8]| {
        let mut bytes = fs::read(path("stored")).unwrap();
        for place in 0..bytes.len() - from.len() {
            if bytes[place..].starts_with(from) {
                bytes[place..place + from.len()].copy_from_slice(to);
            }
        }
        fs::write(&file, bytes).unwrap();
        npz_problem(&file)
    };
    let found = changed(b"latents_classes.npy", b"latents\n\x1b[2J\0ss.npy");
    assert!(matches!(found, NpzProblem::NoEntry { .. }), "{found:?}");
    let found = changed(b"'|u1'", b"'\x1b[m'");
    assert!(matches!(found, NpzProblem::Array { .. }), "{found:?}");
    let found = changed(b"'descr'", b"'\x1b[2J\n'");
    assert!(matches!(found, NpzProblem::Header { .. }), "{found:?}");
}

#[test]
fn other_values_are_refused_with_their_place() {
    assert!(matches!(
        dsprites_problem("grey_image"),
        DspritesProblem::Pixel {
            image: 11,
            value: 255
        }
    ));
    assert!(matches!(
        dsprites_problem("foreign_class"),
        DspritesProblem::Classes {
            image: 6,
            classes: [0, _, _, 40, _, _]
        }
    ));
    assert!(matches!(
        dsprites_problem("colour"),
        DspritesProblem::Classes {
            image: 2,
            classes: [1, ..]
        }
    ));
}

#[test]
fn other_files_and_missing_ones_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere.npz");
    assert!(matches!(npz_problem(&nowhere), NpzProblem::Io(_)));
    assert!(matches!(npz_problem(directory.path()), NpzProblem::Io(_)));
    let file = directory.path().join("file.npz");
    for content in [&b""[..], b"\x89HDF", &[0; 3000]] {
        fs::write(&file, content).unwrap();
        assert!(matches!(npz_problem(&file), NpzProblem::NotZip { .. }));
    }
}

/// Writes a new file, because on some file systems overwriting one waits for the disk.
fn write_anew(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_cut_archive_is_always_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cut.npz");
    for name in ["compressed", "stored"] {
        let whole = fs::read(path(name)).unwrap();
        for length in (0..whole.len()).step_by(64).chain([whole.len() - 1]) {
            write_anew(&file, &whole[..length]);
            let found = npz_problem(&file);
            assert!(
                matches!(found, NpzProblem::NotZip { .. }),
                "{length}: {found}"
            );
        }
    }
}

#[test]
fn damaged_archives_give_errors_or_the_right_images() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("damaged.npz");
    let caches = directory.path().join("caches");
    fs::create_dir(&caches).unwrap();
    for name in ["compressed", "stored"] {
        let whole = fs::read(path(name)).unwrap();
        for place in (0..whole.len()).step_by(31) {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            write_anew(&file, &bytes);
            let result = DspritesFile::open_cached(&file, Some(&caches), &mut |_| {});
            // The archive's checksum covers every byte of an array.
            match result {
                Ok(dataset) => check(&dataset),
                Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            }
            for cache in fs::read_dir(&caches).unwrap() {
                fs::remove_file(cache.unwrap().path()).unwrap();
            }
        }
    }
}
