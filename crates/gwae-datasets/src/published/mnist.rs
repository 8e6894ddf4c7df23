//! MNIST and the datasets with the same files: two parts, each with images and labels in IDX.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, out_of_range};
use crate::error::{DatasetError, behind};
use crate::item::{FactorKind, FactorSpec, Image, Item};
use crate::published::idx_files::{IdxFile, find};
use crate::published::manifest::manifest;
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::idx::{IdxImages, IdxLabels, read_images, read_labels};

/// The error for four files of the MNIST family that do not belong together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MnistError {
    /// The directory has one of the official files under none of its names.
    #[error(
        "{}: neither {file} nor {file}.gz is there; put the four official files \
         (train and t10k images and labels) into this directory",
        directory.display()
    )]
    MissingFile {
        /// The directory.
        directory: PathBuf,
        /// The official name without `.gz`.
        file: &'static str,
    },

    /// What has the name of an official file holds no data.
    #[error(
        "{}: {reason}; put the official file there, unpacked or with .gz after its name",
        path.display()
    )]
    UselessFile {
        /// Its path.
        path: PathBuf,
        /// What it is.
        reason: &'static str,
    },

    /// A part does not have one label per image.
    #[error(
        "{images_file} holds {images} images but {labels_file} holds {labels} labels; \
         download both again from the same source"
    )]
    CountMismatch {
        /// File of the images.
        images_file: String,
        /// Number of images.
        images: usize,
        /// File of the labels.
        labels_file: String,
        /// Number of labels.
        labels: usize,
    },

    /// The two parts of a dataset have images of different sizes.
    #[error(
        "{train_file} holds {}×{} images but {test_file} holds {}×{} images (height × width); \
         take both files from the same dataset",
        train.0, train.1, test.0, test.1
    )]
    SizeMismatch {
        /// File of the training images.
        train_file: String,
        /// Their height and width.
        train: (usize, usize),
        /// File of the test images.
        test_file: String,
        /// Their height and width.
        test: (usize, usize),
    },

    /// A label is not one of the dataset's classes.
    #[error(
        "{file}: label {index} is {label}, but this dataset has the labels 0 to {}; \
         check that the file belongs to it",
        values - 1
    )]
    LabelOutOfRange {
        /// File of the labels.
        file: String,
        /// Position of the label, counted from 0.
        index: usize,
        /// The label.
        label: u8,
        /// Number of classes.
        values: u32,
    },
}

behind!(Files, MnistError);

/// The dataset that the files hold. All have 28×28 grey images in ten classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MnistFamily {
    /// MNIST: handwritten digits; factor `digit`.
    Digits,
    /// Fashion-MNIST: pictures of clothes; factor `article`.
    Fashion,
    /// KMNIST: handwritten cursive Japanese; factor `character`.
    Kuzushiji,
}

impl MnistFamily {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Digits => ("mnist", "digit"),
            Self::Fashion => ("fashion-mnist", "article"),
            Self::Kuzushiji => ("kmnist", "character"),
        }
    }

    /// The names of the labels 0 to 9, as the authors write them.
    fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Digits => &[],
            Self::Fashion => &[
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ],
            Self::Kuzushiji => &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
        }
    }
}

/// The published names, without `.gz`.
const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Number of classes of every dataset of the family.
const CLASSES: u32 = 10;

/// A dataset of the MNIST family, in memory: the official training part, then the test part.
#[derive(Clone, Debug)]
pub struct Mnist {
    name: String,
    factors: [FactorSpec; 1],
    /// Names of the classes; empty if the classes are named by their numbers.
    classes: Vec<String>,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    train_len: usize,
    fingerprint: String,
}

/// One official part, with the names of its files.
pub(crate) struct Part {
    pub(crate) images_file: String,
    pub(crate) images: IdxImages,
    pub(crate) labels_file: String,
    pub(crate) labels: IdxLabels,
}

impl Mnist {
    /// Reads the four official files from `directory`, or from the folder in it that torchvision makes, such as
    /// `MNIST/raw`: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`. Each may have `.gz` appended, or a dot before `idx`, or be in a folder of its name.
    ///
    /// # Errors
    /// If a file is missing or malformed, the numbers of images and labels differ, the parts have
    /// images of different sizes, or a label is above 9.
    pub fn open(directory: &Path, family: MnistFamily) -> Result<Self, DatasetError> {
        let (name, factor) = family.names();
        let directory = &home(directory, &manifest(name)?.folders);
        let find = |file| match find(directory, file) {
            IdxFile::There(path) => Ok(path),
            IdxFile::Useless { path, reason } => Err(MnistError::UselessFile { path, reason }),
            IdxFile::Missing => Err(MnistError::MissingFile {
                directory: directory.clone(),
                file,
            }),
        };
        let part = |images: &'static str, labels: &'static str| {
            let images_path = find(images)?;
            let labels_path = find(labels)?;
            Ok::<_, DatasetError>(Part {
                images: read_images(&images_path)?,
                images_file: images_path.display().to_string(),
                labels: read_labels(&labels_path)?,
                labels_file: labels_path.display().to_string(),
            })
        };
        let [train_images, train_labels, test_images, test_labels] = FILES;
        let train = part(train_images, train_labels)?;
        let test = part(test_images, test_labels)?;
        let mut dataset = Self::from_parts(name, factor, train, test)?;
        dataset.classes = family.classes().iter().copied().map(String::from).collect();
        Ok(dataset)
    }

    pub(crate) fn from_parts(
        name: &str,
        factor: &str,
        train: Part,
        test: Part,
    ) -> Result<Self, DatasetError> {
        check_part(&train)?;
        check_part(&test)?;
        let (height, width) = (train.images.height, train.images.width);
        if (height, width) != (test.images.height, test.images.width) {
            return Err(MnistError::SizeMismatch {
                train_file: train.images_file,
                train: (height, width),
                test_file: test.images_file,
                test: (test.images.height, test.images.width),
            }
            .into());
        }
        let train_len = train.images.count;
        let mut pixels = train.images.pixels;
        pixels.extend_from_slice(&test.images.pixels);
        let mut labels = train.labels.labels;
        labels.extend_from_slice(&test.labels.labels);

        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets: planar images and factors, version 1\0");
        for number in [labels.len(), train_len, 1, height, width, 1] {
            hash.update((number as u64).to_le_bytes());
        }
        hash.update(&pixels);
        hash.update(&labels);
        Ok(Self {
            name: name.to_owned(),
            factors: [FactorSpec {
                name: factor.to_owned(),
                kind: FactorKind::Categorical,
                values: CLASSES,
            }],
            classes: Vec::new(),
            height,
            width,
            pixels,
            labels,
            train_len,
            fingerprint: hexadecimal(&hash.finalize()),
        })
    }
}

impl Dataset for Mnist {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn train_len(&self) -> usize {
        self.train_len
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let size = self.height * self.width;
        let Some(&label) = self.labels.get(index) else {
            return Err(out_of_range(self, index));
        };
        Ok(Item {
            image: Image {
                channels: 1,
                height: self.height,
                width: self.width,
                pixels: self.pixels[index * size..(index + 1) * size].to_vec(),
            },
            factors: vec![u32::from(label)],
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.factors
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        (factor == 0 && !self.classes.is_empty()).then_some(&self.classes)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

/// The directory with the files: `directory` or one of the folders in it. If none has all of them, it is the first
/// that has any.
fn home(directory: &Path, folders: &[String]) -> PathBuf {
    let inside = folders.iter().map(|folder| directory.join(folder));
    let places: Vec<PathBuf> = [directory.to_owned()].into_iter().chain(inside).collect();
    let there = |place: &PathBuf, file: &str| matches!(find(place, file), IdxFile::There(_));
    let has_all = |place: &&PathBuf| FILES.iter().all(|file| there(place, file));
    let has_any = |place: &&PathBuf| FILES.iter().any(|file| there(place, file));
    let home = places.iter().find(has_all).or(places.iter().find(has_any));
    home.unwrap_or(&places[0]).clone()
}

fn check_part(part: &Part) -> Result<(), DatasetError> {
    let labels = &part.labels.labels;
    if part.images.count != labels.len() {
        return Err(MnistError::CountMismatch {
            images_file: part.images_file.clone(),
            images: part.images.count,
            labels_file: part.labels_file.clone(),
            labels: labels.len(),
        }
        .into());
    }
    match labels.iter().position(|&l| u32::from(l) >= CLASSES) {
        None => Ok(()),
        Some(index) => Err(MnistError::LabelOutOfRange {
            file: part.labels_file.clone(),
            index,
            label: labels[index],
            values: CLASSES,
        }
        .into()),
    }
}
