//! The images of a run: which dataset, where it lies, and what is taken of it.

use std::path::{Path, PathBuf};

use gwae_datasets::Polarity;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check, zero_is_none};
use crate::atomic::FileError;

/// Side of the square in the middle of CelebA's images that models see, as in the authors' program.
pub const CELEBA_CROP: usize = 144;

/// Most patches along the side of an image that is shuffled.
const MAX_PATCHES: usize = 16;

/// Largest side of a crop.
const MAX_CROP: usize = 1 << 16;

/// The images of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table: [data], with its fields in the lines below"
)]
pub struct DataConfig {
    /// Which dataset.
    pub dataset: DatasetName,
    /// Where its files lie: their directory, or one that has them in a subdirectory of the
    /// dataset's name, as `gwae data get` makes it. A single file or archive may be named itself.
    /// Embedded datasets have none, and rendered ones need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Where copies are kept that make the dataset faster to read: of `3dshapes.h5` and of dSprites'
    /// archive uncompressed, of CelebA's images at the model's size. Without it they lie beside the
    /// files. An image folder is copied only where this is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// Share of the training images that are held out for validation, at least 0 and below 1. A
    /// dataset with an official validation part (CelebA) validates on that, unless this is 0.
    pub validation_fraction: f64,
    /// At most so many images in each of the training, validation and test part, a choice by the
    /// run's seed, for quick runs; `None`, in files 0, takes all.
    #[serde(with = "zero_is_none")]
    pub limit: Option<u64>,
    /// Side of the square in the middle of every image that is looked at; 0 takes the whole
    /// image. Without it [`CELEBA_CROP`] for CelebA, the whole image for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<usize>,
    /// As published, or with black and white exchanged: Omniglot inverted is white on black, as MNIST
    /// is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polarity: Option<Polarity>,
    /// Cuts every image, cropped and at the model's size, into so many patches along each side, which
    /// change places; a set that out-of-distribution tests are made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_shuffle: Option<usize>,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            dataset: DatasetName::Digits,
            directory: None,
            cache: None,
            validation_fraction: 0.1,
            limit: None,
            crop: None,
            polarity: None,
            patch_shuffle: None,
        }
    }
}

/// A dataset that a run can be trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DatasetName {
    /// Ten thousand handwritten digits, embedded in the program.
    #[default]
    Digits,
    /// MNIST, from a directory with its IDX files.
    Mnist,
    /// Fashion-MNIST, in the same files.
    #[serde(alias = "fashion-mnist")]
    FashionMnist,
    /// KMNIST, in the same files.
    Kmnist,
    /// Omniglot, from its archives or unpacked.
    Omniglot,
    /// 3D Shapes: rendered, or with a directory from `3dshapes.h5`.
    Shapes3d,
    /// dSprites: rendered, or with a directory from its `.npz` file.
    Dsprites,
    /// CelebA, from its images, packed or unpacked, and its lists.
    Celeba,
    /// Any folder or zip archive of images.
    Folder,
    /// Invented handwritten characters, rendered: a stand-in for Omniglot.
    InventedCharacters,
    /// Letters of a font that look like no digit, rendered.
    Letters,
    /// Noise at several smoothness levels.
    Noise,
}

impl DatasetName {
    /// Every dataset.
    pub const ALL: [Self; 12] = [
        Self::Digits,
        Self::Mnist,
        Self::FashionMnist,
        Self::Kmnist,
        Self::Omniglot,
        Self::Shapes3d,
        Self::Dsprites,
        Self::Celeba,
        Self::Folder,
        Self::InventedCharacters,
        Self::Letters,
        Self::Noise,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion_mnist",
            Self::Kmnist => "kmnist",
            Self::Omniglot => "omniglot",
            Self::Shapes3d => "shapes3d",
            Self::Dsprites => "dsprites",
            Self::Celeba => "celeba",
            Self::Folder => "folder",
            Self::InventedCharacters => "invented_characters",
            Self::Letters => "letters",
            Self::Noise => "noise",
        }
    }

    /// The name of its manifest, where it can be downloaded or verified.
    pub fn manifest(self) -> Option<&'static str> {
        match self {
            Self::Digits
            | Self::Folder
            | Self::InventedCharacters
            | Self::Letters
            | Self::Noise => None,
            Self::FashionMnist => Some("fashion-mnist"),
            _ => Some(self.name()),
        }
    }

    /// What its directory must hold; `None` where there is none.
    fn files(self) -> Option<&'static str> {
        match self {
            Self::Digits | Self::InventedCharacters | Self::Letters | Self::Noise => None,
            Self::Mnist | Self::FashionMnist | Self::Kmnist => {
                Some("its four IDX files, with or without .gz")
            }
            Self::Omniglot => Some(
                "images_background and images_evaluation, or the small images_background_small1 \
                 and _small2, each as .zip or unpacked",
            ),
            Self::Shapes3d => Some("3dshapes.h5"),
            Self::Dsprites => Some("dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"),
            Self::Celeba => Some(
                "img_align_celeba (.zip or unpacked), list_attr_celeba.txt and \
                 list_eval_partition.txt",
            ),
            Self::Folder => Some("PNG, JPEG or WebP images, in subfolders where they have classes"),
        }
    }

    fn needs_directory(self) -> bool {
        self.files().is_some() && !matches!(self, Self::Shapes3d | Self::Dsprites)
    }

    /// Whether a single file can hold it.
    fn may_be_a_file(self) -> bool {
        matches!(
            self,
            Self::Omniglot | Self::Shapes3d | Self::Dsprites | Self::Folder
        )
    }
}

impl std::fmt::Display for DatasetName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl std::str::FromStr for DatasetName {
    type Err = ConfigError;

    /// Hyphens are as good as underscores, and names are those of the authors' program too.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        let plain = name.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|dataset| dataset.name() == plain)
            .or((plain == "fashionmnist").then_some(Self::FashionMnist))
            .ok_or_else(|| ConfigError::UnknownDataset(name.to_owned()))
    }
}

/// All names.
pub(super) fn dataset_names() -> String {
    DatasetName::ALL.map(DatasetName::name).join(", ")
}

/// How to get the files of a dataset, as the end of a message.
pub(super) fn how_to_get(dataset: DatasetName) -> String {
    dataset.manifest().map_or(String::new(), |name| {
        format!("; `gwae data get {name} --dir DIRECTORY` gets them")
    })
}

impl DataConfig {
    /// The dataset `dataset`, in `directory` where it has one, and all else as by default.
    pub fn of(dataset: DatasetName, directory: Option<PathBuf>) -> Self {
        Self {
            dataset,
            directory,
            ..Self::default()
        }
    }

    /// The side of the square in the middle of every image that is looked at; `None` for the whole
    /// image.
    pub fn crop_side(&self) -> Option<usize> {
        match (self.crop, self.dataset) {
            (None, DatasetName::Celeba) => Some(CELEBA_CROP),
            (crop, _) => crop.filter(|side| *side > 0),
        }
    }

    /// Makes the paths mean the same from every working directory.
    ///
    /// # Errors
    ///
    /// When the working directory is unknown.
    pub(crate) fn make_absolute(&mut self) -> Result<(), ConfigError> {
        for path in [&mut self.directory, &mut self.cache].into_iter().flatten() {
            let absolute = std::path::absolute(&*path);
            *path = absolute.map_err(FileError::on("locate", &*path))?;
        }
        Ok(())
    }

    /// Checks every field, and that the directory of a dataset that needs one is there.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check(
            (0.0..1.0).contains(&self.validation_fraction),
            "data.validation_fraction",
            self.validation_fraction,
            "at least 0 and below 1",
        )?;
        check(
            self.limit.is_none_or(|limit| limit >= 2),
            "data.limit",
            self.limit.unwrap_or_default(),
            "at least 2 (the losses compare images), or 0 for all",
        )?;
        check(
            self.crop.is_none_or(|side| side <= MAX_CROP),
            "data.crop",
            self.crop.unwrap_or_default(),
            "from 1 to 65536 pixels, or 0 for the whole image",
        )?;
        check(
            self.patch_shuffle
                .is_none_or(|grid| (2..=MAX_PATCHES).contains(&grid)),
            "data.patch_shuffle",
            self.patch_shuffle.unwrap_or_default(),
            "from 2 to 16 patches along each side",
        )?;
        self.validate_directory()
    }

    fn validate_directory(&self) -> Result<(), ConfigError> {
        let Some(files) = self.dataset.files() else {
            return match &self.directory {
                None => Ok(()),
                Some(_) => Err(ConfigError::Conflict {
                    field: "data.directory",
                    problem: "this dataset is embedded or rendered and has none: remove it, or \
                              choose another dataset",
                }),
            };
        };
        match &self.directory {
            None if self.dataset.needs_directory() => Err(ConfigError::NoDirectory {
                dataset: self.dataset,
                files,
            }),
            None => Ok(()),
            Some(directory) => self.check_there(directory, files),
        }
    }

    fn check_there(&self, directory: &Path, files: &'static str) -> Result<(), ConfigError> {
        // Where a copy of a file is complete, the file itself may be gone.
        let is_there = directory.is_dir()
            || self.dataset.may_be_a_file()
                && (directory.exists() || directory.extension().is_some());
        is_there
            .then_some(())
            .ok_or_else(|| ConfigError::DirectoryMissing {
                dataset: self.dataset,
                directory: directory.to_owned(),
                files,
            })
    }
}
