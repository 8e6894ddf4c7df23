//! 3D Shapes from HDF5 files by h5py (`hdf5_files/make_files.py`), streamed and cached.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gwae_datasets::{
    Dataset, DatasetError, FactorGridError, ImageSource, Item, Shapes3dError, Shapes3dFile,
    Shapes3dProblem, Transform, shapes3d_grid,
};
use gwae_formats::hdf5::Hdf5Error;
use gwae_formats::records::{RecordsError, RecordsProblem, Replaced};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../gwae-formats/tests/hdf5_files/{name}.h5"))
}

/// Item `n` by the formulas of `make_files.py`: 6×5 pixels.
fn expected(n: usize) -> Item {
    let mut pixels = Vec::new();
    for c in 0..3 {
        for y in 0..6 {
            for x in 0..5 {
                pixels.push((7 * n + 5 * y + 3 * x + 11 * c + n * y * x % 13) as u8);
            }
        }
    }
    Item {
        image: gwae_datasets::Image {
            channels: 3,
            height: 6,
            width: 5,
            pixels,
        },
        factors: shapes3d_grid().values_of(n * 40_009 % 480_000).unwrap(),
    }
}

fn check(dataset: &Shapes3dFile, len: usize) {
    assert_eq!(dataset.name(), "shapes3d");
    assert_eq!((dataset.len(), dataset.train_len()), (len, len));
    assert_eq!(dataset.factors(), shapes3d_grid().factors());
    assert!(!dataset.is_whole_grid());
    for index in (0..len).rev() {
        let item = dataset.item(index).unwrap();
        assert_eq!(item, expected(index));
        assert_eq!(dataset.index_of(&item.factors).unwrap(), Some(index));
    }
    assert_eq!(dataset.index_of(&[9, 9, 9, 7, 3, 14]).unwrap(), None);
    assert!(
        matches!(dataset.index_of(&[10, 0, 0, 0, 0, 0]), Err(error) if error.downcast_ref::<FactorGridError>().is_some())
    );
    assert!(matches!(
        dataset.item(len),
        Err(DatasetError::IndexOutOfRange { .. })
    ));
    dataset.verify_cache().unwrap();
    dataset.warm_cache().unwrap();
}

const LAYOUTS: [(&str, usize); 15] = [
    ("contiguous", 12),
    ("chunked", 12),
    ("gzip", 12),
    ("gzip_shuffle", 12),
    ("fletcher32", 12),
    ("automatic", 12),
    ("resizable", 12),
    ("two_levels", 70),
    ("latest_contiguous", 12),
    ("latest_single", 12),
    ("latest_single_gzip", 12),
    ("latest_fixed_array", 12),
    ("latest_gzip", 12),
    ("v110_gzip", 12),
    // Labels in single precision.
    ("latest_implicit", 12),
];

#[test]
fn every_layout_is_the_same_streamed_and_cached() {
    for (name, len) in LAYOUTS {
        let streamed = Shapes3dFile::open(&path(name)).unwrap();
        check(&streamed, len);
        let directory = tempfile::tempdir().unwrap();
        let mut seen = Vec::new();
        let cached =
            Shapes3dFile::open_cached(&path(name), Some(directory.path()), &mut |progress| {
                seen.push((progress.done, progress.total))
            })
            .unwrap();
        check(&cached, len);
        assert_eq!(cached.fingerprint(), streamed.fingerprint());
        assert_eq!(cached.fingerprint().len(), 64);
        assert_eq!(seen.last(), Some(&(len as u64, len as u64)));
    }
}

#[test]
fn items_read_together_are_those_read_one_by_one() {
    for (name, len) in LAYOUTS {
        let streamed = Shapes3dFile::open(&path(name)).unwrap();
        let indices = [len - 1, 0, 7, 3, 7, len / 2];
        let items = streamed.items_together(&indices).unwrap().unwrap();
        assert_eq!(items, indices.map(expected), "{name}");
        let result = streamed.items_together(&[0, len]).unwrap();
        assert!(matches!(
            result,
            Err(DatasetError::IndexOutOfRange { index, .. }) if index == len
        ));
    }
}

/// Some images are in memory, so a source asks only for the others.
#[test]
fn a_source_loads_streamed_items_in_any_order_again_and_again() {
    let streamed = Arc::new(Shapes3dFile::open(&path("two_levels")).unwrap());
    let transform = Transform::new(4, 3);
    let source = ImageSource::new(streamed, transform).unwrap();
    for indices in [vec![5, 2, 2, 69], vec![40, 5, 5, 0, 69, 41, 2], vec![5, 2]] {
        let loaded = source.load(&indices).unwrap();
        let images = loaded.images.chunks_exact(3 * 4 * 4);
        assert_eq!(images.len(), indices.len());
        for (&index, image) in indices.iter().zip(images) {
            let alone = transform.apply(&expected(index as usize).image).unwrap();
            assert_eq!(image, alone, "{index}");
        }
    }
}

#[test]
fn different_files_have_different_fingerprints() {
    let fingerprint = |name| Shapes3dFile::open(&path(name)).unwrap().fingerprint();
    assert_ne!(fingerprint("gzip"), fingerprint("chunked"));
}

/// A copy of a file in its own directory, which also holds its cache.
fn copy(directory: &Path, name: &str) -> PathBuf {
    let copy = directory.join("3dshapes.h5");
    fs::write(&copy, fs::read(path(name)).unwrap()).unwrap();
    copy
}

fn open_counting(source: &Path) -> (Result<Shapes3dFile, DatasetError>, usize) {
    let mut calls = 0;
    let result = Shapes3dFile::open_cached(source, None, &mut |_| calls += 1);
    (result, calls)
}

#[test]
fn the_cache_is_made_once_and_outlives_its_source() {
    let directory = tempfile::tempdir().unwrap();
    let source = copy(directory.path(), "gzip");
    let (first, calls) = open_counting(&source);
    assert!(calls > 0);
    let fingerprint = first.unwrap().fingerprint();
    let cache = directory.path().join("3dshapes.h5.gwae-cache");
    let made = fs::metadata(&cache).unwrap().modified().unwrap();
    // Again, after the source's modification time changed, and without the source: nothing is
    // converted.
    for step in 0..3 {
        match step {
            1 => fs::File::options()
                .write(true)
                .open(&source)
                .unwrap()
                .set_modified(SystemTime::now() + Duration::from_secs(100))
                .unwrap(),
            2 => fs::remove_file(&source).unwrap(),
            _ => {}
        }
        let (again, calls) = open_counting(&source);
        assert_eq!(calls, 0, "{step}");
        let again = again.unwrap();
        check(&again, 12);
        assert_eq!(again.fingerprint(), fingerprint);
    }
    assert_eq!(fs::metadata(&cache).unwrap().modified().unwrap(), made);
    assert!(
        matches!(Shapes3dFile::open(&source), Err(error) if error.downcast_ref::<Hdf5Error>().is_some())
    );
}

#[test]
fn a_cache_of_another_source_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let source = copy(directory.path(), "gzip");
    open_counting(&source).0.unwrap();
    copy(directory.path(), "two_levels");
    let (other, calls) = open_counting(&source);
    assert!(calls > 0);
    check(&other.unwrap(), 70);
    // Same length, other content: detected by the modification time, then by the hash.
    let mut bytes = fs::read(path("contiguous")).unwrap();
    fs::write(&source, &bytes).unwrap();
    let first = open_counting(&source).0.unwrap();
    let place = bytes
        .windows(30)
        .position(|w| *w == expected_bytes())
        .unwrap();
    bytes[place] ^= 1;
    fs::write(&source, &bytes).unwrap();
    let later = SystemTime::now() + Duration::from_secs(50);
    let file = fs::File::options().write(true).open(&source).unwrap();
    file.set_modified(later).unwrap();
    let (second, calls) = open_counting(&source);
    assert!(calls > 0);
    let second = second.unwrap();
    assert_ne!(first.fingerprint(), second.fingerprint());
    assert_ne!(first.item(0).unwrap().image, second.item(0).unwrap().image);
}

#[test]
fn names_in_the_file_cannot_break_errors_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file.h5");
    let mut bytes = fs::read(path("contiguous")).unwrap();
    let place = bytes.windows(7).position(|w| w == b"images\0").unwrap();
    bytes[place..place + 6].copy_from_slice(b"\x1b[2J\n!");
    fs::write(&file, bytes).unwrap();
    let error = Shapes3dFile::open(&file).unwrap_err().to_string();
    assert!(error.contains(r"only: \u{1b}[2J\n!, labels"), "{error}");
    assert!(!error.contains(char::is_control), "{error:?}");
}

/// The first bytes of the first image, as in an HDF5 file.
fn expected_bytes() -> [u8; 30] {
    let image = expected(0).image;
    std::array::from_fn(|place| image.pixels[place % 3 * 30 + place / 3])
}

#[test]
fn a_copy_that_cannot_be_used_is_made_again_and_another_file_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let source = copy(directory.path(), "gzip");
    let cache = directory.path().join("3dshapes.h5.gwae-cache");
    open_counting(&source).0.unwrap();
    let whole = fs::read(&cache).unwrap();
    let mut earlier = whole.clone();
    earlier[..16].copy_from_slice(b"gwae image cache");
    for (content, reason) in [
        (&whole[..100], Replaced::Damaged),
        (&whole[..whole.len() - 1], Replaced::Damaged),
        (&earlier, Replaced::Earlier),
    ] {
        fs::write(&cache, content).unwrap();
        let mut seen = None;
        let again = Shapes3dFile::open_cached(&source, None, &mut |p| seen = p.replaced);
        check(&again.unwrap(), 12);
        assert_eq!(seen, Some(reason));
        assert_eq!(fs::read(&cache).unwrap(), whole);
    }
    fs::write(&cache, b"my diary").unwrap();
    let error = open_counting(&source).0.unwrap_err();
    assert!(matches!(
        error.downcast_ref(),
        Some(RecordsError {
            problem: RecordsProblem::Foreign,
            ..
        })
    ));
    assert!(error.to_string().contains("3dshapes.h5.gwae-cache"));
    assert_eq!(fs::read(&cache).unwrap(), b"my diary");
}

/// A changed pixel of a copy is never taken for the dataset's.
#[test]
fn a_damaged_image_of_a_copy_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let source = copy(directory.path(), "gzip");
    let cache = directory.path().join("3dshapes.h5.gwae-cache");
    open_counting(&source).0.unwrap();
    let mut bytes = fs::read(&cache).unwrap();
    // Images of 90 bytes stand at the end.
    let fifth = bytes.len() - (12 - 5) * 90;
    bytes[fifth + 33] ^= 1;
    fs::write(&cache, bytes).unwrap();
    let (opened, calls) = open_counting(&source);
    let opened = opened.unwrap();
    assert_eq!(calls, 0);
    assert_eq!(opened.item(4).unwrap(), expected(4));
    assert_eq!(opened.item(6).unwrap(), expected(6));
    for error in [opened.item(5).map(drop), opened.verify_cache()] {
        let message = error.unwrap_err().to_string();
        let expected = "3dshapes.h5.gwae-cache: item 5 is damaged; delete the file";
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere");
    let error = Shapes3dFile::open_cached(&path("gzip"), Some(&nowhere), &mut |_| {}).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("nowhere"), "{message}");
    assert!(message.contains("cannot create"), "{message}");
    assert!(!message.contains('\n'));
}

fn problem(name: &str) -> Shapes3dProblem {
    let error = Shapes3dFile::open(&path(name)).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with(&path(name).display().to_string()));
    assert!(!message.contains('\n'));
    match error.downcast() {
        Ok(Shapes3dError { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn other_content_is_refused() {
    assert!(matches!(
        problem("not_shapes"),
        Shapes3dProblem::ImageShape { shape } if shape == [12, 6, 5]
    ));
    assert!(matches!(
        problem("too_few_labels"),
        Shapes3dProblem::LabelShape { shape, images: 12 } if shape == [11, 6]
    ));
    let found = problem("foreign_label");
    assert!(
        matches!(
            &found,
            Shapes3dProblem::Label { image: 7, factor, value, values: 8 }
                if factor == "scale" && *value == 0.8
        ),
        "{found}"
    );
    let error = Shapes3dFile::open(&path("label_bytes")).unwrap_err();
    assert!(error.to_string().contains("holds u8 instead of f64"));
    let error = Shapes3dFile::open(&path("latest_paged")).unwrap_err();
    assert!(error.to_string().contains("no dataset `labels`"));
}
