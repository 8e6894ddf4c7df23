//! Copies of datasets: whole, damaged, deleted, and files of other programs.

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::Toy;
use gwae_datasets::{
    CachedImages, CopyStatus, Dataset, DspritesFile, Item, Transform, check_copies,
};

const FILE: &str = "compressed.npz";

fn open(place: &Path) -> DspritesFile {
    DspritesFile::open_cached(&place.join(FILE), None, &mut |_| {}).unwrap()
}

fn items_of(place: &Path) -> Vec<Item> {
    let dataset = open(place);
    (0..dataset.len())
        .map(|index| dataset.item(index).unwrap())
        .collect()
}

fn check(place: &Path) -> Vec<(String, CopyStatus)> {
    let mut progress = 0;
    let copies = check_copies(place, &mut |_| progress += 1).unwrap();
    let has_whole = copies
        .iter()
        .any(|copy| matches!(copy.status, CopyStatus::Whole { .. }));
    assert!(progress > 0 || !has_whole);
    let copies = copies.into_iter();
    copies
        .map(|copy| {
            assert!(copy.path.starts_with(place));
            (
                copy.path.file_name().unwrap().to_str().unwrap().to_owned(),
                copy.status,
            )
        })
        .collect()
}

#[test]
fn every_damaged_byte_of_a_copy_is_noticed_and_a_deleted_copy_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/npz_files")
        .join(FILE);
    fs::copy(source, place.join(FILE)).unwrap();
    assert!(check(place).is_empty());
    let expected = items_of(place);
    let name = format!("{FILE}.gwae-cache");
    assert_eq!(
        check(place),
        [(name.clone(), CopyStatus::Whole { items: 14 })]
    );
    // Files of other programs, and a folder.
    fs::write(place.join("holiday.images"), "not ours").unwrap();
    fs::create_dir(place.join("folder.images")).unwrap();
    assert_eq!(check(place).len(), 1);
    let copy = place.join(&name);
    let whole = fs::read(&copy).unwrap();
    let mut items = 0;
    for position in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x10;
        fs::remove_file(&copy).unwrap();
        fs::write(&copy, bytes).unwrap();
        match &check(place)[..] {
            [(_, CopyStatus::Useless(problem))] => {
                assert!(problem.contains("delete"), "{problem}");
                items += usize::from(problem.starts_with("item "));
            }
            // This byte fills up the space before the items.
            [(_, CopyStatus::Whole { .. })] => assert_eq!(items_of(place), expected),
            // Without its first bytes it is no copy.
            [] => assert!(position < 16, "{position}"),
            other => panic!("{position}: {other:?}"),
        }
    }
    assert!(items > 0);
    fs::write(&copy, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(check(place)[..], [(_, CopyStatus::Useless(_))]));
    fs::remove_file(&copy).unwrap();
    assert_eq!(items_of(place), expected);
    assert_eq!(check(place), [(name, CopyStatus::Whole { items: 14 })]);
}

#[test]
fn copies_at_the_size_of_a_model_are_checked_too() {
    let directory = tempfile::tempdir().unwrap();
    let dataset: Arc<dyn Dataset> = Arc::new(Toy::new(5, 5));
    let transform = Transform::new(4, 1);
    let open = || {
        CachedImages::open_or_create(dataset.clone(), transform, directory.path(), &mut |_| {})
            .unwrap()
    };
    let path = open().path().to_owned();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        check(directory.path()),
        [(name, CopyStatus::Whole { items: 5 })]
    );
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let [(_, CopyStatus::Useless(problem))] = &check(directory.path())[..] else {
        panic!("not noticed");
    };
    assert!(problem.starts_with("item 4 is damaged"), "{problem}");
}

#[test]
fn a_directory_without_copies_has_none() {
    let directory = tempfile::tempdir().unwrap();
    assert!(check(&directory.path().join("nowhere")).is_empty());
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(check(&file).is_empty());
}
