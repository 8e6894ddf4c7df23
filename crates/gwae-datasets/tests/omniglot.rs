//! Omniglot from small archives and folders with its layout.

mod common;

use std::fs;
use std::path::PathBuf;

use common::pictures::{encoded, greys, one_bit_png, write, write_zip};
use gwae_datasets::{
    Dataset, DatasetError, FactorKind, ImageFileError, ImageFileProblem, Omniglot, OmniglotError,
    OmniglotProblem, Polarity, Split,
};
use image::ImageFormat;
use zip::CompressionMethod::Deflated;

fn is_white(x: usize, y: usize, seed: usize) -> bool {
    !(x * 3 + y * 5 + seed).is_multiple_of(7)
}

/// A drawing that differs for every `seed`; strokes are black.
fn drawing(seed: usize) -> Vec<u8> {
    one_bit_png(15, 15, move |x, y| is_white(x as usize, y as usize, seed))
}

/// The files of `alphabets` with the given numbers of characters, two drawers, not sorted.
fn files(root: &str, alphabets: &[(&str, usize)], first: usize) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut number = first;
    for &(alphabet, characters) in alphabets {
        for character in 1..=characters {
            number += 1;
            for drawer in [2, 1] {
                files.push((
                    format!(
                        "{root}/{alphabet}/character{character:02}/{number:04}_{drawer:02}.png"
                    ),
                    drawing(10 * number + drawer),
                ));
            }
        }
    }
    files.reverse();
    files
}

struct Made {
    directory: tempfile::TempDir,
}

impl Made {
    /// `images_background.zip` (Greek 2, Latin 1) and `images_evaluation.zip` (Angelic 1, Tibetan 2).
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = Self { directory };
        let background = files("images_background", &[("Latin", 1), ("Greek", 2)], 0);
        let evaluation = files("images_evaluation", &[("Tibetan", 2), ("Angelic", 1)], 100);
        write_zip(&made.path("images_background.zip"), &background, Deflated);
        write_zip(&made.path("images_evaluation.zip"), &evaluation, Deflated);
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, name: &str) -> Result<Omniglot, DatasetError> {
        Omniglot::open(&self.path(name), Polarity::AsPublished)
    }
}

fn problem(result: Result<Omniglot, DatasetError>) -> (String, OmniglotProblem) {
    match result.unwrap_err().downcast() {
        Ok(OmniglotError { file, problem }) => (file, problem),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn both_archives_are_the_official_parts() {
    let made = Made::new();
    let omniglot = made.open("").unwrap();
    assert_eq!((omniglot.len(), omniglot.train_len()), (12, 6));
    assert_eq!(omniglot.name(), "omniglot");
    let factors: Vec<_> = omniglot
        .factors()
        .iter()
        .map(|factor| (factor.name.as_str(), factor.kind, factor.values))
        .collect();
    let categorical = FactorKind::Categorical;
    let expected = [
        ("alphabet", categorical, 4),
        ("character", categorical, 6),
        ("drawer", categorical, 2),
    ];
    assert_eq!(factors, expected);
    // The training part first, each part sorted.
    assert_eq!(
        omniglot.value_names(0).unwrap(),
        ["Greek", "Latin", "Angelic", "Tibetan"]
    );
    let characters = [
        "Greek/character01",
        "Greek/character02",
        "Latin/character01",
        "Angelic/character01",
        "Tibetan/character01",
        "Tibetan/character02",
    ];
    assert_eq!(omniglot.value_names(1).unwrap(), characters);
    assert_eq!(omniglot.value_names(2).unwrap(), ["01", "02"]);
    assert!(omniglot.value_names(3).is_none());

    let alphabets = [0, 0, 1, 2, 3, 3];
    // Numbers as `files` counted them: Latin was listed before Greek.
    let numbers = [2, 3, 1, 103, 101, 102];
    for index in 0..12 {
        let item = omniglot.item(index).unwrap();
        let (character, drawer) = (index / 2, index % 2);
        assert_eq!(
            item.factors,
            [alphabets[character], character as u32, drawer as u32]
        );
        assert_eq!(
            (item.image.channels, item.image.height, item.image.width),
            (1, 15, 15)
        );
        let seed = 10 * numbers[character] + drawer + 1;
        for y in 0..15 {
            for x in 0..15 {
                let expected = if is_white(x, y, seed) { 255 } else { 0 };
                assert_eq!(item.image.pixels[y * 15 + x], expected);
            }
        }
    }
    assert!(matches!(
        omniglot.item(12),
        Err(DatasetError::IndexOutOfRange { index: 12, .. })
    ));
    let split = Split::official(&omniglot).unwrap();
    assert_eq!(
        (split.train.len(), split.validation.len(), split.test.len()),
        (6, 0, 6)
    );
}

#[test]
fn inverted_is_white_on_black() {
    let made = Made::new();
    let published = made.open("").unwrap();
    let inverted = Omniglot::open(&made.path(""), Polarity::Inverted).unwrap();
    assert_ne!(published.fingerprint(), inverted.fingerprint());
    for index in 0..12 {
        let (a, b) = (
            published.item(index).unwrap(),
            inverted.item(index).unwrap(),
        );
        assert_eq!(a.factors, b.factors);
        assert!(
            a.image
                .pixels
                .iter()
                .zip(&b.image.pixels)
                .all(|(a, b)| a + b == 255)
        );
    }
}

#[test]
fn any_single_archive_is_all_training() {
    let made = Made::new();
    for name in ["images_background.zip", "images_evaluation.zip"] {
        let single = made.open(name).unwrap();
        assert_eq!((single.len(), single.train_len()), (6, 6));
    }
    fs::remove_file(made.path("images_background.zip")).unwrap();
    let single = made.open("").unwrap();
    assert_eq!((single.len(), single.train_len()), (6, 6));
    assert_eq!(single.value_names(0).unwrap(), ["Angelic", "Tibetan"]);
}

#[test]
fn the_small_archives_of_a_directory_are_its_training_part() {
    let made = Made::new();
    let directory = made.path("small");
    fs::create_dir(&directory).unwrap();
    // As in the published archives, they share drawings: here those of Greek.
    let archives = [
        ("images_background_small1", [("Greek", 1), ("Latin", 1)]),
        ("images_background_small2", [("Greek", 1), ("Thaana", 1)]),
    ];
    let mut lengths = Vec::new();
    for (name, alphabets) in archives {
        let archive = directory.join(format!("{name}.zip"));
        write_zip(&archive, &files(name, &alphabets, 0), Deflated);
        let all = made.open("small").unwrap();
        assert_eq!(all.train_len(), all.len());
        lengths.push(all.len());
    }
    assert_eq!(lengths, [4, 6]);
    let all = made.open("small").unwrap();
    assert_eq!(all.value_names(0).unwrap(), ["Greek", "Latin", "Thaana"]);
    // They add nothing to the whole training part.
    fs::copy(
        made.path("images_background.zip"),
        directory.join("images_background.zip"),
    )
    .unwrap();
    let whole = made.open("small").unwrap();
    assert_eq!(whole.value_names(0).unwrap(), ["Greek", "Latin"]);
}

#[test]
fn the_parts_are_found_one_level_down() {
    let made = Made::new();
    let parts = made.open("").unwrap();
    let official = |opened: Omniglot| {
        assert_eq!((opened.len(), opened.train_len()), (12, 6));
        assert_eq!(opened.fingerprint(), parts.fingerprint());
    };
    let background = files("images_background", &[("Latin", 1), ("Greek", 2)], 0);
    let evaluation = files("images_evaluation", &[("Tibetan", 2), ("Angelic", 1)], 100);
    let both: Vec<_> = background.iter().chain(&evaluation).cloned().collect();
    // torchvision's directory unpacked, a clone's with archives, and both with a level more.
    for (name, bytes) in &both {
        write(&made.path("vision/omniglot-py").join(name), bytes);
        write(&made.path("deep/data/sets").join(name), bytes);
    }
    official(made.open("vision").unwrap());
    official(made.open("vision/omniglot-py").unwrap());
    official(made.open("deep").unwrap());
    fs::create_dir_all(made.path("clone/python")).unwrap();
    fs::create_dir_all(made.path("clone/matlab")).unwrap();
    for name in ["images_background.zip", "images_evaluation.zip"] {
        fs::copy(made.path(name), made.path("clone/python").join(name)).unwrap();
    }
    official(made.open("clone").unwrap());
    // One archive with both parts, and more around them.
    for around in ["", "omniglot-py/", "./omniglot-master/python/"] {
        let files: Vec<_> = both
            .iter()
            .map(|(name, bytes)| (format!("{around}{name}"), bytes.clone()))
            .collect();
        write_zip(&made.path("both.zip"), &files, Deflated);
        official(made.open("both.zip").unwrap());
    }

    let other = made.path("clone/other");
    fs::create_dir(&other).unwrap();
    fs::copy(
        made.path("images_background.zip"),
        other.join("images_background.zip"),
    )
    .unwrap();
    let (file, found) = problem(made.open("clone"));
    assert!(file.ends_with("clone"), "{file}");
    assert!(
        matches!(&found, OmniglotProblem::SeveralPlaces { one, other }
            if one.ends_with("other") && other.ends_with("python")),
        "{found:?}"
    );
}

#[test]
fn an_unpacked_folder_is_the_same() {
    let made = Made::new();
    let zipped = made.open("").unwrap();
    for (name, bytes) in files("images_background", &[("Latin", 1), ("Greek", 2)], 0) {
        write(&made.path(&name), &bytes);
    }
    fs::remove_file(made.path("images_background.zip")).unwrap();
    let mixed = made.open("").unwrap();
    assert_eq!(mixed.fingerprint(), zipped.fingerprint());
    for index in 0..12 {
        assert_eq!(mixed.item(index).unwrap(), zipped.item(index).unwrap());
    }
    let single = made.open("images_background").unwrap();
    assert_eq!((single.len(), single.train_len()), (6, 6));
}

#[test]
fn archives_that_overlap_count_once_within_a_part() {
    let made = Made::new();
    let more = files(
        "images_background_small1",
        &[("Latin", 1), ("Thaana", 1)],
        0,
    );
    write_zip(&made.path("small1.zip"), &more, Deflated);
    let open = |training: &[&str], test: &[&str]| {
        let paths = |names: &[&str]| names.iter().map(|name| made.path(name)).collect::<Vec<_>>();
        Omniglot::open_parts(&paths(training), &paths(test), Polarity::AsPublished)
    };
    // Latin is in both, with the same drawings.
    let both = open(&["images_background.zip", "small1.zip"], &[]).unwrap();
    assert_eq!((both.len(), both.train_len()), (8, 8));
    assert_eq!(both.value_names(0).unwrap(), ["Greek", "Latin", "Thaana"]);
    for index in 0..8 {
        both.item(index).unwrap();
    }

    let (file, found) = problem(open(&["images_background.zip"], &["small1.zip"]));
    assert!(
        file.contains("small1.zip: ") && file.contains("Latin/character01"),
        "{file}"
    );
    assert!(
        matches!(found, OmniglotProblem::InBothParts { other } if other.contains("images_background.zip"))
    );

    let other = files("images_background_small2", &[("Latin", 1)], 50);
    write_zip(&made.path("small2.zip"), &other, Deflated);
    let (file, found) = problem(open(&["small1.zip", "small2.zip"], &[]));
    assert!(file.contains("small2.zip: "), "{file}");
    assert!(matches!(found, OmniglotProblem::Conflict { other } if other.contains("small1.zip: ")));
}

#[test]
fn the_fingerprint_follows_content_and_division() {
    let made = Made::new();
    let fingerprint = |training: &[&str], test: &[&str]| {
        let paths = |names: &[&str]| names.iter().map(|name| made.path(name)).collect::<Vec<_>>();
        let open = Omniglot::open_parts(&paths(training), &paths(test), Polarity::AsPublished);
        open.unwrap().fingerprint()
    };
    let (a, b) = ("images_background.zip", "images_evaluation.zip");
    let parts = fingerprint(&[a], &[b]);
    assert_eq!(parts, fingerprint(&[a], &[b]));
    let one_part = fingerprint(&[a, b], &[]);
    let swapped = fingerprint(&[b], &[a]);
    // One drawing is changed, but its name and its length in bytes are the same.
    let mut changed = files("images_background", &[("Latin", 1), ("Greek", 2)], 0);
    let length = changed[0].1.len();
    changed[0].1 = (0..9999)
        .map(drawing)
        .find(|png| png.len() == length && *png != changed[0].1)
        .unwrap();
    write_zip(&made.path(a), &changed, Deflated);
    let all = [parts, one_part, swapped, fingerprint(&[a], &[b])];
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one));
    }
}

#[test]
fn what_is_not_omniglot_is_named() {
    let made = Made::new();
    let loose = vec![("images/1.png".to_owned(), drawing(1))];
    write_zip(&made.path("other.zip"), &loose, Deflated);
    let (file, found) = problem(made.open("other.zip"));
    assert!(matches!(found, OmniglotProblem::Name), "{found:?}");
    assert!(file.ends_with("other.zip: images/1.png"), "{file}");

    fs::create_dir(made.path("empty")).unwrap();
    let error = made.open("empty").unwrap_err();
    assert!(matches!(
        error.downcast_ref(),
        Some(ImageFileError {
            problem: ImageFileProblem::NoImages,
            ..
        })
    ));
}

#[test]
fn a_corrupt_entry_is_named() {
    let made = Made::new();
    let mut all = files("images_background", &[("Greek", 2)], 0);
    all[1].1 = encoded(greys(15, 15, 1), ImageFormat::Png)[..60].to_vec();
    write_zip(&made.path("cut.zip"), &all, Deflated);
    let omniglot = made.open("cut.zip").unwrap();
    let failed: Vec<_> = (0..4)
        .filter_map(|index| omniglot.item(index).err())
        .collect();
    let [error] = &failed[..] else {
        panic!("{failed:?}");
    };
    let error: &ImageFileError = error.downcast_ref().unwrap();
    assert!(
        error.file.ends_with(&format!("cut.zip: {}", all[1].0)),
        "{}",
        error.file
    );
    assert!(matches!(
        error.problem,
        ImageFileProblem::Damaged { format: "PNG", .. }
    ));
}

#[test]
fn many_threads_read_one_archive() {
    let made = Made::new();
    let omniglot = made.open("").unwrap();
    let expected: Vec<_> = (0..12).map(|index| omniglot.item(index).unwrap()).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (omniglot, expected) = (&omniglot, &expected);
            scope.spawn(move || {
                for step in 0..200 {
                    let index = (step * (thread + 1) + thread) % 12;
                    assert_eq!(omniglot.item(index).unwrap(), expected[index]);
                }
            });
        }
    });
}
