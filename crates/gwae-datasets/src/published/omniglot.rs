//! Omniglot: handwritten characters of fifty alphabets, each drawn by twenty people.
//!
//! The files are those published at <https://github.com/brendenlake/omniglot>:
//! `alphabet/characterNN/NNNN_MM.png` below a folder with the archive's name. Images have 105×105
//! pixels of one bit. `MM` numbers the twenty drawings of a character, from 01 on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, out_of_range};
use crate::error::{DatasetError, behind};
use crate::images::decode::decode_image;
use crate::images::error::{ImageFileError, ImageFileProblem};
use crate::images::listing::FileEntry;
use crate::images::tree::FileTree;
use crate::item::{FactorKind, FactorSpec, Item};
use crate::polarity::Polarity;
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::parallel::{default_threads, in_ranges};

/// Name of the official training archive or folder, without `.zip`.
const BACKGROUND: &str = "images_background";
/// Names of the two published small selections of the training part. They share drawings.
const SMALL: [&str; 2] = ["images_background_small1", "images_background_small2"];
/// Name of the official test archive or folder, without `.zip`.
const EVALUATION: &str = "images_evaluation";

/// The error for files of Omniglot that do not belong together.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct OmniglotError {
    /// The file or folder. A file in an archive is written as `archive.zip: path/in/archive.png`.
    pub file: String,
    /// The problem.
    pub problem: OmniglotProblem,
}

behind!(Files, OmniglotError);

/// A problem of Omniglot's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OmniglotProblem {
    /// The path of a file is not that of a drawing.
    #[error(
        "is not named alphabet/character/NUMBER_DRAWER.png; \
         give the archive as published, or the folder unpacked from it"
    )]
    Name,

    /// The same drawing of the same character occurs twice with different content.
    #[error("is another picture than {other}, although both have the same name; remove one")]
    Conflict {
        /// The first of the two files.
        other: String,
    },

    /// Several directories have the parts.
    #[error("{one} and {other} both have images_background or images_evaluation; give one of them")]
    SeveralPlaces {
        /// The first directory.
        one: String,
        /// Another one.
        other: String,
    },

    /// A drawing is in the training part and in the test part.
    #[error("is already in the training part as {other}; take one of the archives away")]
    InBothParts {
        /// The file in the training part.
        other: String,
    },
}

/// Omniglot, read from archives or folders when an item is asked for. Nothing is unpacked, and no
/// image stays in memory.
///
/// Items are ordered by part, alphabet, character and drawer. The factors are categorical, and
/// their values are numbered in this order too:
///
/// | factor | values | names |
/// |---|---|---|
/// | `alphabet` | one per alphabet | `Greek` |
/// | `character` | unique in the whole set: alphabets do not share characters | `Greek/character01` |
/// | `drawer` | one per drawer (20) | `01` |
#[derive(Debug)]
pub struct Omniglot {
    trees: Vec<FileTree>,
    drawings: Vec<Drawing>,
    train_len: usize,
    polarity: Polarity,
    factors: [FactorSpec; 3],
    names: [Vec<String>; 3],
    fingerprint: String,
}

#[derive(Debug)]
struct Drawing {
    tree: usize,
    file: FileEntry,
    factors: [u32; 3],
}

impl Omniglot {
    /// Opens the files at `path`:
    ///
    /// * a directory with `images_background` and `images_evaluation`, each as `.zip` or unpacked:
    ///   the official training part and the official test part;
    /// * a directory with only one of these two, or with one or both of the small archives: all of
    ///   it is the training part;
    /// * a directory that has such a directory in it, such as torchvision's `omniglot-py`;
    /// * a single archive or unpacked folder: all of it is the training part, except what is in a
    ///   folder `images_evaluation` beside other images.
    ///
    /// # Errors
    /// The same as [`Omniglot::open_parts`], and [`OmniglotProblem::SeveralPlaces`].
    pub fn open(path: &Path, polarity: Polarity) -> Result<Self, DatasetError> {
        if let Some(place) = place_of(path, &[BACKGROUND, EVALUATION])? {
            return match (part(&place, BACKGROUND), part(&place, EVALUATION)) {
                (Some(background), Some(evaluation)) => {
                    Self::open_parts(&[background], &[evaluation], polarity)
                }
                (one, other) => {
                    let only: Vec<_> = one.into_iter().chain(other).collect();
                    Self::open_parts(&only, &[], polarity)
                }
            };
        }
        if let Some(place) = place_of(path, &SMALL)? {
            let small = SMALL.into_iter().filter_map(|name| part(&place, name));
            return Self::open_parts(&small.collect::<Vec<_>>(), &[], polarity);
        }
        let tree = FileTree::open(path)?;
        let files = tree.images()?.files;
        let in_test = files.iter().filter(|file| is_in_test_part(&file.path));
        let in_test = in_test.count();
        if in_test == 0 || in_test == files.len() {
            return Self::of(vec![Source::all(tree)], Vec::new(), polarity);
        }
        let test = FileTree::open(path)?;
        let [train, test] = [(tree, false), (test, true)].map(|(tree, is_test)| Source {
            tree,
            is_test: Some(is_test),
        });
        Self::of(vec![train], vec![test], polarity)
    }

    /// Opens archives and unpacked folders as training part and test part. A drawing that occurs in
    /// several of them within one part, as in the two small archives, counts once.
    ///
    /// # Errors
    /// [`ImageFileError`] if a file or folder cannot be read, is damaged or holds no image;
    /// [`OmniglotError`] if images do not have the published names, or collide.
    pub fn open_parts(
        training: &[PathBuf],
        test: &[PathBuf],
        polarity: Polarity,
    ) -> Result<Self, DatasetError> {
        let sources = |paths: &[PathBuf]| {
            let trees = paths.iter().map(|path| FileTree::open(path));
            trees
                .map(|tree| tree.map(Source::all))
                .collect::<Result<Vec<_>, _>>()
        };
        Self::of(sources(training)?, sources(test)?, polarity)
    }

    fn of(
        training: Vec<Source>,
        test: Vec<Source>,
        polarity: Polarity,
    ) -> Result<Self, DatasetError> {
        let train_part = list(&training, 0)?;
        let test_part = list(&test, training.len())?;
        let sources = training.into_iter().chain(test);
        let trees: Vec<FileTree> = sources.map(|source| source.tree).collect();
        let mut shared = test_part
            .iter()
            .filter(|(key, _)| train_part.contains_key(*key));
        if let Some((key, file)) = shared.next() {
            return Err(OmniglotError {
                file: file.name_in(&trees),
                problem: OmniglotProblem::InBothParts {
                    other: train_part[key].name_in(&trees),
                },
            }
            .into());
        }
        Ok(Self::number(trees, train_part, test_part, polarity))
    }

    fn number(trees: Vec<FileTree>, train: Part, test: Part, polarity: Polarity) -> Self {
        let train_len = train.len();
        let mut drawers: Vec<String> = [&train, &test]
            .into_iter()
            .flat_map(|part| part.keys().map(|key| key.drawer.clone()))
            .collect();
        drawers.sort_unstable();
        drawers.dedup();
        let mut alphabets: Vec<String> = Vec::new();
        let mut characters: Vec<String> = Vec::new();
        let mut drawings = Vec::with_capacity(train.len() + test.len());
        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets: omniglot, version 1\0");
        hash.update([u8::from(polarity == Polarity::Inverted)]);
        hash.update((train_len as u64).to_le_bytes());
        for (key, place) in train.into_iter().chain(test) {
            // An alphabet in both parts keeps its number from the training part.
            let character = format!("{}/{}", key.alphabet, key.character);
            let factors = [
                number_of(&mut alphabets, key.alphabet),
                number_of(&mut characters, character),
                drawers.binary_search(&key.drawer).unwrap_or(0) as u32,
            ];
            for factor in factors {
                hash.update(factor.to_le_bytes());
            }
            hash.update(place.file.bytes.to_le_bytes());
            hash.update(place.checksum.to_le_bytes());
            drawings.push(Drawing {
                tree: place.tree,
                file: place.file,
                factors,
            });
        }
        let names = [alphabets, characters, drawers];
        for name in names.iter().flatten() {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        let factor = |place: usize, name: &str| FactorSpec {
            name: name.to_owned(),
            kind: FactorKind::Categorical,
            values: names[place].len() as u32,
        };
        Self {
            factors: [
                factor(0, "alphabet"),
                factor(1, "character"),
                factor(2, "drawer"),
            ],
            trees,
            drawings,
            train_len,
            polarity,
            names,
            fingerprint: hexadecimal(&hash.finalize()),
        }
    }
}

impl Dataset for Omniglot {
    fn name(&self) -> &str {
        "omniglot"
    }

    fn len(&self) -> usize {
        self.drawings.len()
    }

    fn train_len(&self) -> usize {
        self.train_len
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let Some(drawing) = self.drawings.get(index) else {
            return Err(out_of_range(self, index));
        };
        let tree = &self.trees[drawing.tree];
        let bytes = tree.read(&drawing.file)?;
        let mut image = decode_image(&tree.name_of(&drawing.file), &bytes)?;
        if self.polarity == Polarity::Inverted {
            for value in &mut image.pixels {
                *value = 255 - *value;
            }
        }
        Ok(Item {
            image,
            factors: drawing.factors.to_vec(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.factors
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        self.names.get(factor).map(Vec::as_slice)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

/// The parts of a file's path. Their order is that of the items.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    alphabet: String,
    character: String,
    drawer: String,
}

#[derive(Debug)]
struct Place {
    tree: usize,
    file: FileEntry,
    checksum: u32,
}

type Part = BTreeMap<Key, Place>;

impl Place {
    fn name_in(&self, trees: &[FileTree]) -> String {
        trees[self.tree].name_of(&self.file)
    }
}

/// A folder or archive with drawings of one part.
struct Source {
    tree: FileTree,
    /// Only the drawings in a folder of the test part, or only the others; `None` for all.
    is_test: Option<bool>,
}

impl Source {
    fn all(tree: FileTree) -> Self {
        Self {
            tree,
            is_test: None,
        }
    }
}

/// The archive or folder of this name in a directory.
fn part(directory: &Path, name: &str) -> Option<PathBuf> {
    // An archive is preferred to a folder, which may be only half unpacked.
    [directory.join(format!("{name}.zip")), directory.join(name)]
        .into_iter()
        .find(|part| part.exists())
}

/// The directory that has a part of one of these names: `path`, or a directory in it.
fn place_of(path: &Path, names: &[&str]) -> Result<Option<PathBuf>, OmniglotError> {
    let has = |directory: &Path| names.iter().any(|name| part(directory, name).is_some());
    if has(path) {
        return Ok(Some(path.to_owned()));
    }
    // If the directory cannot be read, opening it as a whole says why.
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    places.retain(|place| place.is_dir() && has(place));
    places.sort();
    match places.as_slice() {
        [] => Ok(None),
        [place] => Ok(Some(place.clone())),
        [one, other, ..] => Err(OmniglotError {
            file: path.display().to_string(),
            problem: OmniglotProblem::SeveralPlaces {
                one: one.display().to_string(),
                other: other.display().to_string(),
            },
        }),
    }
}

/// Whether a file is in a folder of the official test part.
fn is_in_test_part(path: &Path) -> bool {
    let folders = path.parent().into_iter().flat_map(Path::iter);
    folders.into_iter().any(|folder| folder == EVALUATION)
}

/// The drawings in the `sources` of one part. The first source has the number `first`.
fn list(sources: &[Source], first: usize) -> Result<Part, DatasetError> {
    let mut part = Part::new();
    for (number, Source { tree, is_test }) in sources.iter().enumerate() {
        let mut files = tree.images()?.files;
        files.retain(|file| is_test.is_none_or(|test| is_in_test_part(&file.path) == test));
        if files.is_empty() {
            return Err(ImageFileError {
                file: tree.root().display().to_string(),
                problem: ImageFileProblem::NoImages,
            }
            .into());
        }
        let checksums = in_ranges(default_threads().get(), files.len(), |range| {
            let checksums: Result<Vec<u32>, _> = files[range]
                .iter()
                .map(|file| tree.checksum(file))
                .collect();
            checksums
        })?;
        for (file, checksum) in files.into_iter().zip(checksums.concat()) {
            let failed = |problem| OmniglotError {
                file: tree.name_of(&file),
                problem,
            };
            let key = key(&file.path).ok_or_else(|| failed(OmniglotProblem::Name))?;
            match part.get(&key) {
                Some(known) if known.checksum == checksum => {}
                Some(known) => {
                    let other = sources[known.tree - first].tree.name_of(&known.file);
                    return Err(failed(OmniglotProblem::Conflict { other }).into());
                }
                None => {
                    let place = Place {
                        tree: first + number,
                        file,
                        checksum,
                    };
                    part.insert(key, place);
                }
            }
        }
    }
    Ok(part)
}

fn key(path: &Path) -> Option<Key> {
    let mut parts = path.iter().rev().skip(1).map(|part| part.to_str());
    let (_, drawer) = path.file_stem()?.to_str()?.rsplit_once('_')?;
    let character = parts.next()??.to_owned();
    let alphabet = parts.next()??.to_owned();
    let is_number = !drawer.is_empty() && drawer.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Key {
        alphabet,
        character,
        drawer: drawer.to_owned(),
    })
}

/// The number of `name` among `names`. A new name is appended. Names come sorted, so a known name
/// is nearly always the last one.
fn number_of(names: &mut Vec<String>, name: String) -> u32 {
    let place = names.iter().rposition(|known| *known == name);
    place.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    }) as u32
}
