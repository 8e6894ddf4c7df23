//! The cache of resized images: its content, when it is made, and what happens after damage.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::pictures::{colours, greys, jpeg, write};
use common::{Toy, Trap};
use gwae_datasets::{
    CachedImages, Dataset, DatasetError, ImageError, ImageFolder, ImageSource, SettingError, Split,
    Transform,
};
use gwae_formats::atomic::FileError;
use gwae_formats::records::{Progress, RecordsError, RecordsProblem, Replaced};

/// A folder of ten images of two classes and of different sizes, one of them grey.
fn folder(root: &Path) -> Arc<dyn Dataset> {
    for image in 0..10 {
        let name = root.join(format!("pictures/{}/{image}.jpg", ["a", "b"][image % 2]));
        let (width, height) = (20 + image as u32, 40 - image as u32);
        match image {
            3 => write(&name, &jpeg(greys(width, height, 3))),
            _ => write(&name, &jpeg(colours(width, height, image as u32))),
        }
    }
    Arc::new(ImageFolder::open(&root.join("pictures")).unwrap())
}

fn open(dataset: &Arc<dyn Dataset>, transform: Transform, directory: &Path) -> CachedImages {
    CachedImages::open_or_create(dataset.clone(), transform, directory, &mut |_| {}).unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn problem(result: Result<impl Sized, DatasetError>, path: &Path) -> RecordsProblem {
    match result.map(drop).unwrap_err().downcast() {
        Ok(RecordsError { file, problem }) => {
            assert_eq!(file, path.display().to_string());
            problem
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn items_are_those_of_the_dataset_after_the_transform() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = folder(directory.path());
    let transform = Transform::new(8, 3).cropped(16);
    let cache = directory.path().join("new/cache");
    let mut steps = Vec::new();
    let progress = &mut |made: Progress| steps.push((made.done, made.total));
    let cached =
        CachedImages::open_or_create(dataset.clone(), transform, &cache, progress).unwrap();
    assert_eq!(steps.last(), Some(&(10, 10)));
    assert_eq!(files(&cache), [cached.path()]);
    assert_eq!(cached.name(), dataset.name());
    assert_eq!(cached.factors(), dataset.factors());
    assert_eq!(cached.value_names(0), dataset.value_names(0));
    assert_eq!(
        (cached.len(), cached.train_len(), cached.validation_len()),
        (10, 10, 0)
    );
    // A split of the original is valid for the cached dataset.
    Split::draw(dataset.as_ref(), 0.2, 1)
        .unwrap()
        .check(&cached)
        .unwrap();
    for index in 0..10 {
        let (original, item) = (dataset.item(index).unwrap(), cached.item(index).unwrap());
        assert_eq!(item.factors, original.factors);
        assert_eq!(
            (item.image.channels, item.image.height, item.image.width),
            (3, 8, 8)
        );
        let expected = transform.apply(&original.image).unwrap();
        for (&found, expected) in item.image.pixels.iter().zip(expected) {
            assert!((f32::from(found) / 255.0 - expected).abs() <= 0.5 / 255.0 + 1e-6);
        }
    }
    assert!(matches!(
        cached.item(10),
        Err(DatasetError::IndexOutOfRange { index: 10, .. })
    ));

    let source = ImageSource::new(Arc::new(cached), Transform::new(8, 3)).unwrap();
    assert_eq!(source.load(&[9, 0]).unwrap().shape, [2, 3, 8, 8]);
}

#[test]
fn warming_reads_the_file_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let cached = open(
        &folder(directory.path()),
        Transform::new(8, 3),
        directory.path(),
    );
    cached.warm().unwrap();
    // A file that was cut short shows that its last byte is read.
    let file = fs::File::options().write(true).open(cached.path()).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    assert!(matches!(
        problem(cached.warm(), cached.path()),
        RecordsProblem::Io { action: "read", .. }
    ));
}

#[test]
fn a_complete_cache_is_not_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = folder(directory.path());
    let transform = Transform::new(8, 1);
    let cache = directory.path().join("cache");
    let first = open(&dataset, transform, &cache);
    // From now on, changes of the images have no effect.
    let expected: Vec<_> = (0..10).map(|index| first.item(index).unwrap()).collect();
    for image in 0..10 {
        let name = format!("pictures/{}/{image}.jpg", ["a", "b"][image % 2]);
        fs::remove_file(directory.path().join(name)).unwrap();
    }
    let never = &mut |_| panic!("it is there");
    let second = CachedImages::open_or_create(dataset, transform, &cache, never).unwrap();
    assert_eq!(first.path(), second.path());
    for (index, expected) in expected.iter().enumerate() {
        assert_eq!(second.item(index).unwrap(), *expected);
    }
}

#[test]
fn other_transforms_and_other_data_have_files_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = folder(directory.path());
    let cache = directory.path().join("cache");
    let mut paths = vec![];
    for transform in [
        Transform::new(8, 3),
        Transform::new(8, 1),
        Transform::new(9, 3),
        Transform::new(8, 3).cropped(10),
        Transform::new(8, 3).cropped(11),
    ] {
        paths.push(open(&dataset, transform, &cache).path().to_owned());
    }
    write(
        &directory.path().join("pictures/a/0.jpg"),
        &jpeg(colours(33, 33, 99)),
    );
    let changed: Arc<dyn Dataset> =
        Arc::new(ImageFolder::open(&directory.path().join("pictures")).unwrap());
    paths.push(
        open(&changed, Transform::new(8, 3), &cache)
            .path()
            .to_owned(),
    );
    paths.sort();
    assert_eq!(files(&cache), paths);
    assert_eq!(paths.len(), 6);
}

#[test]
fn what_an_interruption_left_is_never_taken_for_complete() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = folder(directory.path());
    let cache = directory.path().join("cache");
    let transform = Transform::new(8, 3);
    let path = open(&dataset, transform, &cache).path().to_owned();
    let whole = fs::read(&path).unwrap();
    let partial = PathBuf::from(format!("{}.partial", path.display()));

    // A process killed while writing leaves only a partial file.
    fs::rename(&path, &partial).unwrap();
    fs::write(&partial, [&whole[..], &[1; 5000]].concat()).unwrap();
    open(&dataset, transform, &cache);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(files(&cache), [path.as_path()]);

    // A file that is too short, too long, of other content, or of an earlier version.
    let mut other = whole.clone();
    other[41] ^= 1;
    let mut earlier = whole.clone();
    earlier[..8].copy_from_slice(b"gwaeimg1");
    for (wrong, reason) in [
        (&whole[..whole.len() - 1], Replaced::Damaged),
        (&[&whole[..], &[0]].concat(), Replaced::Damaged),
        (b"", Replaced::Damaged),
        (&other, Replaced::Damaged),
        (&earlier, Replaced::Earlier),
    ] {
        fs::write(&path, wrong).unwrap();
        let mut seen = None;
        let progress = &mut |made: Progress| seen = made.replaced;
        CachedImages::open_or_create(dataset.clone(), transform, &cache, progress).unwrap();
        assert_eq!(seen, Some(reason));
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn a_damaged_record_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = folder(directory.path());
    let cache = directory.path().join("cache");
    let path = open(&dataset, Transform::new(8, 3), &cache)
        .path()
        .to_owned();
    let whole = fs::read(&path).unwrap();
    let record = 3 * 64 + 4;
    let records = whole.len() - 10 * record;
    // A pixel, a factor, the checksum, which stands behind the head of 40 bytes and the key of 32.
    for place in [
        records + 4 * record,
        records + 4 * record + 3 * 64 + 1,
        72 + 4 * 4,
    ] {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, damaged).unwrap();
        let cached = open(&dataset, Transform::new(8, 3), &cache);
        cached.item(3).unwrap();
        cached.item(5).unwrap();
        let found = problem(cached.item(4), &path);
        assert!(
            matches!(found, RecordsProblem::DamagedRecord { index: 4 }),
            "{found:?}"
        );
    }
    // The file is cut while it is open.
    let cached = open(&dataset, Transform::new(8, 3), &cache);
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(50)
        .unwrap();
    let found = problem(cached.item(9), &path);
    assert!(
        matches!(found, RecordsProblem::Io { action: "read", .. }),
        "{found:?}"
    );
}

#[test]
fn an_image_that_fails_leaves_no_cache() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    let toy: Arc<dyn Dataset> = Arc::new(Toy::with_trap(10, Trap::Error(7)));
    let open = |dataset: &Arc<dyn Dataset>, transform| {
        CachedImages::open_or_create(dataset.clone(), transform, &cache, &mut |_| {})
            .err()
            .unwrap()
    };
    let error = open(&toy, Transform::new(2, 1));
    assert!(
        matches!(error, DatasetError::IndexOutOfRange { index: 7, .. }),
        "{error:?}"
    );
    let left = files(&cache);
    assert!(
        left.iter()
            .all(|path| path.to_str().unwrap().ends_with(".partial")),
        "{left:?}"
    );
    assert!(
        left.iter()
            .all(|path| fs::metadata(path).unwrap().len() == 0)
    );

    let dataset = folder(directory.path());
    let error = open(&dataset, Transform::new(8, 3).cropped(25));
    assert!(
        matches!(&error, DatasetError::Item { dataset, error, .. }
            if dataset == "pictures" && matches!(**error, DatasetError::Image(ImageError::SmallerThanCrop { .. }))),
        "{error:?}"
    );
    let error = open(&dataset, Transform::new(0, 3));
    assert!(matches!(
        error,
        DatasetError::Setting(SettingError::Size { size: 0 })
    ));
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    fs::write(&blocked, b"").unwrap();
    let toy: Arc<dyn Dataset> = Arc::new(Toy::new(10, 10));
    let error = CachedImages::open_or_create(toy, Transform::new(2, 1), &blocked, &mut |_| {});
    let error = error.err().unwrap();
    let error: FileError = error.downcast().unwrap();
    assert_eq!((error.action, error.path), ("create", blocked));
}

#[test]
fn two_at_once_make_one() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let toy: Arc<dyn Dataset> = Arc::new(Toy::new(3000, 3000));
                let cached = open(&toy, Transform::new(2, 1), &cache);
                for index in (0..3000).step_by(17) {
                    assert_eq!(cached.item(index).unwrap(), toy.item(index).unwrap());
                }
            });
        }
    });
    let complete = files(&cache);
    assert_eq!(
        complete
            .iter()
            .filter(|path| path.extension().unwrap() == "images")
            .count(),
        1
    );
}
