//! The images of a run: the dataset, its split, and batches on a device.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_datasets::{
    BatchConfig, BatchStream, CachedImages, Celeba, Dataset, DatasetError, DspritesFile,
    ImageFolder, ImageSource, InventedCharacters, InventedCharactersConfig, Inverted, Letters,
    LettersConfig, Mnist, MnistFamily, NoiseImages, NoiseImagesConfig, Omniglot, PatchShuffled,
    Polarity, Position, RenderedDsprites, RenderedShapes3d, Shapes3dFile, Split, Transform,
    Transformed, dataset_directory, embedded_digits, manifest,
};
use gwae_models::BackboneConfig;

use crate::config::{DataConfig, DatasetName, RunConfig, TrainingConfig};

/// 3D Shapes as published.
const SHAPES3D_FILE: &str = "3dshapes.h5";

/// dSprites as published.
const DSPRITES_FILE: &str = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz";

/// Seed of the patches' places: the same images at every opening.
const SHUFFLING_SEED: u64 = 0;

/// How far the making of a dataset's faster copy has come, which takes minutes for the large ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Which dataset.
    pub dataset: DatasetName,
    /// Images done.
    pub done: u64,
    /// Images in all.
    pub total: u64,
}

/// What a model of `size`×`size` pixels and so many channels sees of every image of `data`.
pub fn transform(data: &DataConfig, size: usize, channels: usize) -> Transform {
    let whole = Transform::new(size, channels);
    match data.crop_side() {
        Some(side) => whole.cropped(side),
        None => whole,
    }
}

/// Opens the dataset that a valid `data` names, with its images as they are, but for those whose
/// patches are shuffled: where there is a crop, it comes before. Images of rendered datasets are drawn
/// with `size`×`size` pixels. `progress` is told of copies of published files that are made on first
/// use.
///
/// # Errors
/// When its files are missing or damaged, or a copy cannot be written.
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

/// The dataset with black and white exchanged and patches shuffled, where `data` says so and the
/// dataset itself does not know how.
fn changed(
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

fn open_as_it_is(
    data: &DataConfig,
    size: usize,
    progress: &mut dyn FnMut(Preparation),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let mut report = reporter(data, progress);
    let cache = data.cache.as_deref();
    let polarity = data.polarity.unwrap_or_default();
    // The datasets that need one have a place: the configuration was checked.
    let place = place(data)?.unwrap_or_default();
    let mnist = |family| Ok::<_, DatasetError>(Arc::new(Mnist::open(&place, family)?));
    Ok(match data.dataset {
        DatasetName::Digits => Arc::new(embedded_digits()?),
        DatasetName::Mnist => mnist(MnistFamily::Digits)?,
        DatasetName::FashionMnist => mnist(MnistFamily::Fashion)?,
        DatasetName::Kmnist => mnist(MnistFamily::Kuzushiji)?,
        DatasetName::Omniglot => Arc::new(Omniglot::open(&place, polarity)?),
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
        DatasetName::Celeba => Arc::new(Celeba::open(&place)?),
        DatasetName::Folder => Arc::new(ImageFolder::open(&place)?),
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
    })
}

fn reporter(data: &DataConfig, progress: &mut dyn FnMut(Preparation)) -> impl FnMut(u64, u64) {
    let dataset = data.dataset;
    move |done, total| {
        progress(Preparation {
            dataset,
            done,
            total,
        });
    }
}

/// Where the files are: the directory or file given, or its subdirectory of the dataset's name.
fn place(data: &DataConfig) -> Result<Option<PathBuf>, DatasetError> {
    let Some(given) = &data.directory else {
        return Ok(None);
    };
    let Some(name) = data.dataset.manifest().filter(|_| given.is_dir()) else {
        return Ok(Some(given.clone()));
    };
    let own = dataset_directory(manifest(name)?, given)?;
    Ok(Some(if own.is_dir() { own } else { given.clone() }))
}

/// The file `name` in a directory, or the file itself.
fn file_in(place: &Path, name: &str) -> PathBuf {
    if place.is_dir() {
        place.join(name)
    } else {
        place.to_owned()
    }
}

/// Where a copy of the images at the model's size is kept, for datasets that need one to be quick.
fn resized_copy(data: &DataConfig) -> Result<Option<PathBuf>, DatasetError> {
    Ok(match data.dataset {
        DatasetName::Celeba => match &data.cache {
            Some(cache) => Some(cache.clone()),
            None => place(data)?,
        },
        DatasetName::Folder => data.cache.clone(),
        _ => None,
    })
}

/// A dataset at the model's image size.
///
/// Images are cropped, then resized, then inverted, and at last their patches are shuffled: by the pixels
/// that the model sees, so that a shuffled image has those of the plain one (rounded to 8 bits, as a copy on
/// the disk has them), no patch comes from outside the crop, and nothing is smeared across a seam.
pub struct RunData {
    source: Arc<ImageSource>,
}

impl RunData {
    /// Opens the dataset that `data` names for images as `model` takes them. `progress` is told of
    /// copies that are made on first use.
    ///
    /// # Errors
    /// When its files are missing or damaged, or a copy cannot be written.
    pub fn open(
        data: &DataConfig,
        model: &BackboneConfig,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Self, DatasetError> {
        let mut dataset = open_as_it_is(data, model.image_size, progress)?;
        let mut transform = transform(data, model.image_size, model.channels);
        if let Some(directory) = resized_copy(data)? {
            let mut report = reporter(data, progress);
            let report = |done, total| report(done as u64, total as u64);
            let copy = CachedImages::open_or_create(dataset, transform, &directory, report)?;
            dataset = Arc::new(copy);
            // It has been cropped.
            transform.crop = None;
        } else if data.patch_shuffle.is_some() {
            dataset = Arc::new(Transformed::new(dataset, transform)?);
            transform.crop = None;
        }
        // After the copy, which then serves every form of the dataset.
        let dataset = changed(dataset, data)?;
        Ok(Self {
            source: Arc::new(ImageSource::new(dataset, transform)?),
        })
    }

    /// The dataset.
    pub fn dataset(&self) -> &dyn Dataset {
        self.source.dataset()
    }

    /// The division that a run of `config` begins with: the official validation part where there
    /// is one, else a share of the training part by the run's seed; each part no larger than
    /// `data.limit`.
    ///
    /// # Errors
    /// When nothing is left to train on.
    pub fn draw_split(&self, config: &RunConfig) -> Result<Split, DatasetError> {
        let (data, seed) = (&config.data, config.training.seed);
        let split = match (data.validation_fraction, self.dataset().validation_len()) {
            (fraction, 1..) if fraction > 0.0 => Split::official(self.dataset())?,
            (fraction, _) => Split::draw(self.dataset(), fraction, seed)?,
        };
        Ok(match data.limit {
            Some(limit) => split.limited(usize::try_from(limit).unwrap_or(usize::MAX), seed),
            None => split,
        })
    }

    /// Reads what the dataset keeps on the disk once, on a thread of its own, so that scattered
    /// reads become quick. It does no harm where that fails: the training will tell.
    pub(crate) fn warm(&self) {
        let source = self.source.clone();
        let reader = std::thread::Builder::new().name("gwae-warm".into());
        let _ = reader.spawn(move || source.dataset().warm());
    }

    /// The endless stream of training batches of `split`, starting at `position`.
    ///
    /// # Errors
    /// When the batch is larger than the training part.
    pub fn batches(
        &self,
        split: &Split,
        training: &TrainingConfig,
        position: Position,
    ) -> Result<BatchStream, DatasetError> {
        let config = BatchConfig {
            batch_size: training.batch_size,
            seed: training.seed,
            // The losses compare pairs within a batch, so all batches have the same size.
            drop_last: true,
        };
        BatchStream::start(self.source.clone(), split.train.clone(), config, position)
    }

    /// The images at `indices`, `[indices, channels, size, size]`.
    ///
    /// # Errors
    /// When an item cannot be read.
    pub fn images(&self, indices: &[u32], device: &Device) -> Result<Tensor<4>, DatasetError> {
        let loaded = self.source.load(indices)?;
        Ok(upload(loaded.images, loaded.shape, device))
    }
}

/// Images from host memory.
pub(crate) fn upload(images: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(images, shape), device)
}

/// A batch of images from host memory in shards of equal size, one for each of `devices`.
pub(crate) fn upload_shards(
    images: Vec<f32>,
    shape: [usize; 4],
    devices: &[Device],
) -> Vec<Tensor<4>> {
    let [batch, channels, height, width] = shape;
    if let [device] = devices {
        return vec![upload(images, shape, device)];
    }
    let shard = [batch / devices.len(), channels, height, width];
    let parts = images.chunks_exact(shard.iter().product());
    let on_devices = parts.zip(devices);
    on_devices
        .map(|(part, device)| upload(part.to_vec(), shard, device))
        .collect()
}

#[cfg(test)]
mod tests;
