//! The configuration of a dataset: its name, its files, and the part of it to use.

mod dataset_name;
mod error;
mod one_word;
pub mod zero_is_none;

use std::path::{Path, PathBuf};

use gwae_formats::atomic::FileError;
use serde::{Deserialize, Serialize};

use crate::fit::Fit;
use crate::polarity::Polarity;
use crate::unreadable::Unreadable;

pub use dataset_name::{DatasetName, UnknownDataset};
pub use error::DataConfigError;

/// Side of the central square of CelebA's images that models see, as in the authors' program.
pub const CELEBA_CROP: usize = 144;

/// Maximum number of patches along a side of a shuffled image.
const MAX_PATCHES: usize = 16;

/// Maximum side of a crop.
const MAX_CROP: usize = 1 << 16;

/// The images of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table: [data], with its fields in the lines below"
)]
pub struct DataConfig {
    /// The dataset.
    pub dataset: DatasetName,
    /// The directory of the files, or a directory with a subdirectory of the dataset's name, as
    /// `gwae data get` makes it. It may also be a single file or archive. Embedded datasets have no
    /// directory, and rendered ones do not need one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// The directory for copies that are faster to read: `3dshapes.h5` and dSprites' archive
    /// uncompressed, CelebA's images at the model's size. By default, copies are beside the files.
    /// An image folder is copied only if this is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// Share of the training images that are held out for validation, at least 0 and below 1. A
    /// dataset with an official validation part (CelebA) uses that part, unless this is 0.
    pub validation_fraction: f64,
    /// Maximum number of images in each of the training, validation and test part, chosen by the
    /// run's seed, for quick runs. `None`, in files 0, uses all.
    #[serde(with = "zero_is_none")]
    pub limit: Option<u64>,
    /// Side of the central square of every image that is used; 0 uses the whole image. The default
    /// is [`CELEBA_CROP`] for CelebA and the whole image for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<usize>,
    /// How an image of another aspect ratio than the model's becomes its input. The default is
    /// [`Fit::Crop`] for an image folder; other datasets stretch such images. Earlier versions
    /// stretched those of folders too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// What becomes of the images of a folder that cannot be read.
    #[serde(skip_serializing_if = "is_refuse")]
    pub unreadable: Unreadable,
    /// As published, or with black and white exchanged: Omniglot inverted is white on black, like
    /// MNIST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polarity: Option<Polarity>,
    /// Cuts every image, after crop and resizing, into this many patches along each side and
    /// shuffles them. Out-of-distribution tests use such images.
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
            fit: None,
            unreadable: Unreadable::Refuse,
            polarity: None,
            patch_shuffle: None,
        }
    }
}

impl DataConfig {
    /// Every field with its explanation, for commented configurations.
    pub const EXPLANATIONS: [(&'static str, &'static str); 10] = [
        (
            "dataset",
            "The dataset. `gwae data list` describes them, `gwae data get` downloads them.",
        ),
        (
            "directory",
            "Directory of its files, or one with a subdirectory of the dataset's name. A relative \
             path starts at this file.",
        ),
        (
            "cache",
            "Directory for copies that are faster to read; if not set, beside the files.",
        ),
        (
            "validation_fraction",
            "Share of the training images that is held out for validation, at least 0 and below 1.",
        ),
        (
            "limit",
            "Largest number of images in each part, for quick runs; 0: all.",
        ),
        (
            "crop",
            "Side in pixels of the central square of each image that is used; 0: the whole image. If \
             not set, 144 for celeba and 0 for the others.",
        ),
        (
            "fit",
            "How an image that is not square becomes one: \"crop\" takes its centre, \"pad\" adds \
             black borders, \"stretch\" changes its proportions. If not set, crop for folder and \
             stretch for the others.",
        ),
        (
            "unreadable",
            "What to do with images of a folder that cannot be read: \"refuse\" to train, or \
             \"skip\" them and list them.",
        ),
        (
            "polarity",
            "\"inverted\" exchanges black and white; \"as_published\" does not.",
        ),
        (
            "patch_shuffle",
            "Cuts each image into so many patches along each side and shuffles them.",
        ),
    ];

    /// The dataset `dataset`, in `directory` if it needs one; defaults for all other fields.
    pub fn of(dataset: DatasetName, directory: Option<PathBuf>) -> Self {
        Self {
            dataset,
            directory,
            ..Self::default()
        }
    }

    /// A dataset of the user's own program; defaults for all other fields.
    pub fn own() -> Self {
        Self::of(DatasetName::Own, None)
    }

    /// Side of the central square of every image that is used; `None` for the whole image.
    pub fn crop_side(&self) -> Option<usize> {
        match (self.crop, self.dataset) {
            (None, DatasetName::Celeba) => Some(CELEBA_CROP),
            (crop, _) => crop.filter(|side| *side > 0),
        }
    }

    /// How an image of another aspect ratio than the model's becomes its input.
    pub fn fit(&self) -> Fit {
        self.fit.unwrap_or(match self.dataset {
            DatasetName::Folder => Fit::Crop,
            _ => Fit::Stretch,
        })
    }

    /// Writes the default of [`Self::fit`] down, for the record of a new run.
    pub fn write_down_fit(&mut self) {
        if self.dataset == DatasetName::Folder {
            self.fit = Some(self.fit());
        }
    }

    /// Gives the configuration of a stored run, where nothing is written down, the fit of the
    /// versions that did not write it down.
    pub fn restore_fit(&mut self) {
        if self.dataset == DatasetName::Folder {
            self.fit.get_or_insert(Fit::Stretch);
        }
    }

    /// Makes the paths absolute, so that they are valid from every working directory.
    ///
    /// # Errors
    ///
    /// If the working directory is unknown.
    pub fn make_absolute(&mut self) -> Result<(), DataConfigError> {
        for path in [&mut self.directory, &mut self.cache].into_iter().flatten() {
            let absolute = std::path::absolute(&*path);
            *path = absolute.map_err(FileError::on("locate", &*path))?;
        }
        Ok(())
    }

    /// Checks every field, and that the directory of a dataset that needs one exists.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), DataConfigError> {
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
        if self.unreadable == Unreadable::Skip && self.dataset != DatasetName::Folder {
            return Err(DataConfigError::Conflict {
                field: "data.unreadable",
                problem: "only the images of dataset = \"folder\" can be left out: remove it",
            });
        }
        self.validate_directory()
    }

    fn validate_directory(&self) -> Result<(), DataConfigError> {
        let Some(files) = self.dataset.files() else {
            return match &self.directory {
                None => Ok(()),
                Some(_) => Err(DataConfigError::Conflict {
                    field: "data.directory",
                    problem: "this dataset is embedded or rendered and has none: remove it, or \
                              choose another dataset",
                }),
            };
        };
        match &self.directory {
            None if self.dataset.needs_directory() => Err(DataConfigError::NoDirectory {
                dataset: self.dataset,
                files,
            }),
            None => Ok(()),
            Some(directory) => self.check_there(directory, files),
        }
    }

    fn check_there(&self, directory: &Path, files: &'static str) -> Result<(), DataConfigError> {
        // If the copy of a file is complete, the file itself may be missing.
        let is_there = directory.is_dir()
            || self.dataset.may_be_a_file()
                && (directory.exists() || directory.extension().is_some());
        is_there
            .then_some(())
            .ok_or_else(|| DataConfigError::DirectoryMissing {
                dataset: self.dataset,
                directory: directory.to_owned(),
                files,
            })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes references.
fn is_refuse(unreadable: &Unreadable) -> bool {
    *unreadable == Unreadable::Refuse
}

fn check(
    valid: bool,
    field: &'static str,
    value: impl ToString,
    allowed: &'static str,
) -> Result<(), DataConfigError> {
    valid
        .then_some(())
        .ok_or_else(|| DataConfigError::OutOfRange {
            field,
            value: value.to_string(),
            allowed,
        })
}

#[cfg(test)]
mod tests;
