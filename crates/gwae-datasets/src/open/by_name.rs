//! Opens datasets by name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{DataConfig, DatasetName};
use crate::dataset::Dataset;
use crate::derived::inverted::Inverted;
use crate::derived::patch_shuffled::PatchShuffled;
use crate::derived::transformed::Transformed;
use crate::drawn::invented_characters::{InventedCharacters, InventedCharactersConfig};
use crate::drawn::letters::{Letters, LettersConfig};
use crate::drawn::noise_images::{NoiseImages, NoiseImagesConfig};
use crate::error::{DatasetError, behind};
#[cfg(feature = "image-files")]
use crate::fit::Fit;
#[cfg(feature = "image-files")]
use crate::images::memory::user_cache;
use crate::polarity::Polarity;
#[cfg(feature = "image-files")]
use crate::published::celeba::Celeba;
use crate::published::dsprites_file::DspritesFile;
use crate::published::embedded::embedded_digits;
#[cfg(feature = "image-files")]
use crate::published::image_folder::ImageFolder;
use crate::published::manifest::manifest;
use crate::published::mnist::{Mnist, MnistFamily};
#[cfg(feature = "image-files")]
use crate::published::omniglot::Omniglot;
use crate::published::presence::dataset_directory;
use crate::published::shapes3d_file::Shapes3dFile;
use crate::rendered::dsprites::RenderedDsprites;
use crate::rendered::shapes3d::RenderedShapes3d;
use crate::transform::Transform;
use gwae_formats::records::{Progress, Replaced};

/// Name of the published file of 3D Shapes.
const SHAPES3D_FILE: &str = "3dshapes.h5";

/// Name of the published file of dSprites.
const DSPRITES_FILE: &str = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz";

/// Seed for shuffling patches. It is fixed, so that the images are the same at every opening.
const SHUFFLING_SEED: u64 = 0;

/// [`DatasetName::Own`] cannot be opened by name.
#[derive(Debug, thiserror::Error)]
#[error(
    "dataset own: it cannot be opened by name; use the program that made the run, which hands its \
     dataset over, or name another dataset"
)]
struct OwnDataset;

behind!(Other, OwnDataset);

/// This program was built without image decoders.
#[cfg(not(feature = "image-files"))]
#[derive(Debug, thiserror::Error)]
#[error(
    "dataset {dataset}: this program was built without decoders of image files; build it with the \
     feature `image-files` of gwae-datasets"
)]
struct NoImageFiles {
    dataset: DatasetName,
}

#[cfg(not(feature = "image-files"))]
behind!(Other, NoImageFiles);

/// The work on a dataset before it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreparationStage {
    /// All images are read once: their checksums, and whether they can be decoded.
    Checking,
    /// A faster copy is made.
    Copying,
}

/// Progress of the work on a dataset before its use, which takes minutes for large datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// The dataset.
    pub dataset: DatasetName,
    /// The work.
    pub stage: PreparationStage,
    /// Number of finished images.
    pub done: u64,
    /// Number of images in total.
    pub total: u64,
    /// Why an existing copy is made again.
    pub replaced: Option<Replaced>,
}

/// Opens the dataset that a valid `data` names. Its images are unchanged, except that patches may
/// be shuffled; then a crop is applied first. Rendered datasets use `size`×`size` pixels.
/// `progress` gets reports about copies of published files that are made on first use.
///
/// # Errors
/// If files are missing or damaged, or a copy cannot be written.
pub fn open_dataset(
    data: &DataConfig,
    size: usize,
    progress: &mut dyn FnMut(Preparation),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let mut dataset = open_as_it_is(data, size, progress)?;
    if let (Some(_), Some(side)) = (data.patch_shuffle, data.crop_side()) {
        // Nothing is resized, and grey images stay grey.
        let square = Transform::new(side, 3).cropped(side);
        dataset = Arc::new(Transformed::new(dataset, square)?);
    }
    changed(dataset, data)
}

/// Inverts the dataset and shuffles its patches if `data` says so and the dataset cannot do it
/// itself.
pub(super) fn changed(
    mut dataset: Arc<dyn Dataset>,
    data: &DataConfig,
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let has_both_polarities = matches!(
        data.dataset,
        DatasetName::Omniglot | DatasetName::InventedCharacters
    );
    if data.polarity == Some(Polarity::Inverted) && !has_both_polarities {
        dataset = Arc::new(Inverted::new(dataset));
    }
    if let Some(grid) = data.patch_shuffle {
        dataset = Arc::new(PatchShuffled::new(dataset, grid, SHUFFLING_SEED)?);
    }
    Ok(dataset)
}

pub(super) fn open_as_it_is(
    data: &DataConfig,
    size: usize,
    progress: &mut dyn FnMut(Preparation),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let mut report = reporter(data, progress);
    let cache = data.cache.as_deref();
    let polarity = data.polarity.unwrap_or_default();
    // The configuration was checked: datasets that need a directory have one.
    let place = place(data)?.unwrap_or_default();
    let mnist = |family| Ok::<_, DatasetError>(Arc::new(Mnist::open(&place, family)?));
    Ok(match data.dataset {
        DatasetName::Digits => Arc::new(embedded_digits()?),
        DatasetName::Mnist => mnist(MnistFamily::Digits)?,
        DatasetName::FashionMnist => mnist(MnistFamily::Fashion)?,
        DatasetName::Kmnist => mnist(MnistFamily::Kuzushiji)?,
        DatasetName::Omniglot | DatasetName::Celeba | DatasetName::Folder => {
            drop(report);
            open_image_files(data, &place, &mut |done, total| {
                progress(Preparation {
                    dataset: data.dataset,
                    stage: PreparationStage::Checking,
                    done,
                    total,
                    replaced: None,
                });
            })?
        }
        DatasetName::Shapes3d if data.directory.is_none() => Arc::new(RenderedShapes3d::new(size)?),
        DatasetName::Shapes3d => {
            let file = file_in(&place, SHAPES3D_FILE);
            Arc::new(Shapes3dFile::open_cached(&file, cache, &mut report)?)
        }
        DatasetName::Dsprites if data.directory.is_none() => Arc::new(RenderedDsprites::new(size)?),
        DatasetName::Dsprites => {
            let file = file_in(&place, DSPRITES_FILE);
            Arc::new(DspritesFile::open_cached(&file, cache, &mut report)?)
        }
        DatasetName::InventedCharacters => {
            Arc::new(InventedCharacters::new(InventedCharactersConfig {
                polarity,
                ..InventedCharactersConfig::default()
            })?)
        }
        DatasetName::Letters => Arc::new(Letters::new(LettersConfig::default())?),
        DatasetName::Noise => Arc::new(NoiseImages::new(NoiseImagesConfig {
            size,
            ..NoiseImagesConfig::default()
        })?),
        DatasetName::Own => return Err(OwnDataset.into()),
    })
}

/// A dataset of PNG, JPEG or WebP files. What is learnt about the files is kept in the user's cache directory.
#[cfg(feature = "image-files")]
fn open_image_files(
    data: &DataConfig,
    place: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let memory = user_cache();
    let memory = memory.as_deref();
    Ok(match data.dataset {
        DatasetName::Omniglot => {
            let polarity = data.polarity.unwrap_or_default();
            Arc::new(Omniglot::open(place, polarity)?)
        }
        DatasetName::Celeba => Arc::new(Celeba::open_with(place, memory, progress)?),
        _ => {
            let mut folder = ImageFolder::open_with(place, data.unreadable, memory, progress)?;
            if data.crop_side().is_none() && folder.not_square() > 0 {
                folder.note(fit_note(&folder, data.fit()));
            }
            Arc::new(folder)
        }
    })
}

/// Says what becomes of images that are not square.
#[cfg(feature = "image-files")]
fn fit_note(folder: &ImageFolder, fit: Fit) -> String {
    let what = match fit {
        Fit::Crop => "only their central square is used (data.fit = \"crop\")",
        Fit::Pad => "they get black margins (data.fit = \"pad\")",
        Fit::Stretch => "they are stretched (data.fit = \"stretch\")",
    };
    format!(
        "{} of {} images are not square: {what}",
        folder.not_square(),
        folder.len()
    )
}

#[cfg(not(feature = "image-files"))]
fn open_image_files(
    data: &DataConfig,
    _: &Path,
    _: &mut dyn FnMut(u64, u64),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let dataset = data.dataset;
    Err(NoImageFiles { dataset }.into())
}

pub(super) fn reporter(
    data: &DataConfig,
    progress: &mut dyn FnMut(Preparation),
) -> impl FnMut(Progress) {
    let dataset = data.dataset;
    move |made| {
        let Progress {
            done,
            total,
            replaced,
        } = made;
        progress(Preparation {
            dataset,
            stage: PreparationStage::Copying,
            done,
            total,
            replaced,
        });
    }
}

/// The path of the files: the given directory or file, or its subdirectory with the dataset's name.
pub(super) fn place(data: &DataConfig) -> Result<Option<PathBuf>, DatasetError> {
    let Some(given) = &data.directory else {
        return Ok(None);
    };
    let Some(name) = data.dataset.manifest().filter(|_| given.is_dir()) else {
        return Ok(Some(given.clone()));
    };
    let own = dataset_directory(manifest(name)?, given)?;
    Ok(Some(if own.is_dir() { own } else { given.clone() }))
}

/// The file `name` in a directory, or the given file itself.
fn file_in(place: &Path, name: &str) -> PathBuf {
    if place.is_dir() {
        place.join(name)
    } else {
        place.to_owned()
    }
}
