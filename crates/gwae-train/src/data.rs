//! The images of a run: the dataset, its split, and batches on a device.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_datasets::{
    BatchConfig, BatchStream, CachedImages, Celeba, Dataset, DatasetError, DspritesFile,
    ImageFolder, ImageSource, Mnist, MnistFamily, Omniglot, Position, RenderedDsprites,
    RenderedShapes3d, Shapes3dFile, Split, Transform, dataset_directory, embedded_digits, manifest,
};
use gwae_models::GwaeConfig;

use crate::config::{DataConfig, DatasetName, RunConfig, TrainingConfig};

/// 3D Shapes as published.
const SHAPES3D_FILE: &str = "3dshapes.h5";

/// dSprites as published.
const DSPRITES_FILE: &str = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz";

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

/// What a model sees of every image of `data`: its size and channels, and the crop.
pub fn transform(data: &DataConfig, size: usize, channels: usize) -> Transform {
    let whole = Transform::new(size, channels);
    match data.crop_side() {
        Some(side) => whole.cropped(side),
        None => whole,
    }
}

/// Opens the dataset that a valid `data` names, for images that are looked at through
/// `transform`: rendered datasets are drawn at its size, and copies of resized images have it.
/// `progress` is told of copies that are made on first use.
///
/// # Errors
/// When its files are missing or damaged, or a copy cannot be written.
pub fn open_dataset(
    data: &DataConfig,
    transform: Transform,
    progress: &mut dyn FnMut(Preparation),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let mut report = |done, total| {
        progress(Preparation {
            dataset: data.dataset,
            done,
            total,
        });
    };
    let cache = data.cache.as_deref();
    let Some(place) = place(data)? else {
        return Ok(match data.dataset {
            DatasetName::Shapes3d => Arc::new(RenderedShapes3d::new(transform.size)?),
            DatasetName::Dsprites => Arc::new(RenderedDsprites::new(transform.size)?),
            // The others have a directory: the configuration was checked.
            _ => Arc::new(embedded_digits()?),
        });
    };
    let mnist = |family| Ok::<_, DatasetError>(Arc::new(Mnist::open(&place, family)?));
    Ok(match data.dataset {
        DatasetName::Digits => Arc::new(embedded_digits()?),
        DatasetName::Mnist => mnist(MnistFamily::Digits)?,
        DatasetName::FashionMnist => mnist(MnistFamily::Fashion)?,
        DatasetName::Kmnist => mnist(MnistFamily::Kuzushiji)?,
        DatasetName::Omniglot => {
            Arc::new(Omniglot::open(&place, data.polarity.unwrap_or_default())?)
        }
        DatasetName::Shapes3d => {
            let file = file_in(&place, SHAPES3D_FILE);
            Arc::new(Shapes3dFile::open_cached(&file, cache, &mut report)?)
        }
        DatasetName::Dsprites => {
            let file = file_in(&place, DSPRITES_FILE);
            Arc::new(DspritesFile::open_cached(&file, cache, &mut report)?)
        }
        DatasetName::Celeba => {
            let images = Arc::new(Celeba::open(&place)?);
            resized(images, transform, cache.unwrap_or(&place), &mut report)?
        }
        DatasetName::Folder => {
            let images = Arc::new(ImageFolder::open(&place)?);
            match cache {
                Some(cache) => resized(images, transform, cache, &mut report)?,
                None => images,
            }
        }
    })
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

fn resized(
    images: Arc<dyn Dataset>,
    transform: Transform,
    directory: &Path,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Arc<dyn Dataset>, DatasetError> {
    let report = |done, total| report(done as u64, total as u64);
    let cached = CachedImages::open_or_create(images, transform, directory, report)?;
    Ok(Arc::new(cached))
}

/// A dataset at the model's image size.
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
        model: &GwaeConfig,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Self, DatasetError> {
        let wanted = transform(data, model.image_size, model.channels);
        let dataset = open_dataset(data, wanted, progress)?;
        // What was cropped before it was kept is not cropped again.
        let is_kept = data.dataset == DatasetName::Celeba
            || data.dataset == DatasetName::Folder && data.cache.is_some();
        let rest = match is_kept {
            true => Transform::new(model.image_size, model.channels),
            false => wanted,
        };
        Ok(Self {
            source: Arc::new(ImageSource::new(dataset, rest)?),
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
