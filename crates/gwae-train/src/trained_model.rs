//! A trained model, loaded from its run directory and ready for use.

mod codes;
mod images;

use std::fmt;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use gwae_core::random::{RandomSource, SeededGenerator};
use gwae_datasets::ImageShape;
use gwae_models::{Autoencoder, Score};

use crate::algorithm::Algorithm;
use crate::checkpoint::{CheckpointError, CheckpointFile, Which};
use crate::model_config::ModelConfig;
use crate::model_file::{ModelFileError, load_model, load_model_of, read_model_for_use};
use crate::run_directory::{RunDirectory, RunDirectoryError, free_path};
use gwae_datasets::open::Preparation;

pub use codes::{CodedPart, Codes};
pub use images::{ImageRequest, ImageRequestError, RequestedImages};

/// Images or codes computed at a time, so that memory does not grow with their number.
const BATCH: usize = 64;

/// A trained model from a run directory.
///
/// ```no_run
/// use gwae_train::DeviceSpec;
/// use gwae_train::trained_model::TrainedModel;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let device = DeviceSpec::default().open()?;
/// let model = TrainedModel::load("runs/digits", &device)?;
/// let drawn = model.sample(64, 0);
/// assert_eq!(model.encode(drawn).dims()[1], model.autoencoder().latent_dim());
/// # Ok(())
/// # }
/// ```
pub struct TrainedModel {
    /// The run.
    pub run: RunDirectory,
    /// The model, on `device`, without autodiff; its averaged parameters if the run keeps them.
    pub model: Box<dyn Autoencoder>,
    /// The device that it computes on.
    pub device: Device,
    /// Main steps of its training.
    pub step: u64,
    /// The checkpoint that it was loaded from.
    pub which: Which,
}

/// A trained model that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The directory does not hold a run, or the run is damaged.
    #[error(transparent)]
    Run(#[from] RunDirectoryError),
    /// The checkpoint is missing or damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The model's file does not fit the run's configuration.
    #[error(transparent)]
    Model(#[from] ModelFileError),
}

impl TrainedModel {
    /// Loads the best checkpoint of the run in directory `run`, or the last one if no validation
    /// has chosen a best one yet. `device` is without autodiff.
    ///
    /// # Errors
    /// When the run or checkpoint does not exist, or a file is damaged.
    pub fn load(run: impl Into<PathBuf>, device: &Device) -> Result<Self, LoadError> {
        Self::load_from(run.into(), None, device)
    }

    /// As [`Self::load`], from the given checkpoint.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_checkpoint(
        run: impl Into<PathBuf>,
        which: Which,
        device: &Device,
    ) -> Result<Self, LoadError> {
        Self::load_from(run.into(), Some(which), device)
    }

    /// As [`Self::load`], for a model that only the caller's program knows.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_own<A: Algorithm>(
        algorithm: &A,
        run: impl Into<PathBuf>,
        device: &Device,
    ) -> Result<Self, LoadError>
    where
        A::Model: 'static,
    {
        Self::load_with(run.into(), None, device, |_, file| {
            Ok(Box::new(load_model_of(algorithm, file, device)?))
        })
    }

    fn load_from(run: PathBuf, which: Option<Which>, device: &Device) -> Result<Self, LoadError> {
        Self::load_with(run, which, device, |config, file| {
            load_model(config, file, device)
        })
    }

    fn load_with(
        run: PathBuf,
        which: Option<Which>,
        device: &Device,
        load: impl FnOnce(&ModelConfig, CheckpointFile) -> Result<Box<dyn Autoencoder>, ModelFileError>,
    ) -> Result<Self, LoadError> {
        let run = RunDirectory::open(run)?;
        let mut store = run.open_checkpoints()?;
        let (file, checkpoint) = read_model_for_use(&mut store, which)?;
        Ok(Self {
            step: checkpoint.step,
            which: checkpoint.which,
            model: load(&run.config().model, file)?,
            device: device.clone(),
            run,
        })
    }

    /// The model through the interface that every kind of model has.
    pub fn autoencoder(&self) -> &dyn Autoencoder {
        self.model.as_ref()
    }

    /// The shape of the images that the model takes.
    pub fn image_shape(&self) -> ImageShape {
        self.run.config().model.image_shape()
    }

    /// The code of each image: the posterior mean if the encoder has a posterior.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`, at least one
    /// - output: `[batch, latent]`
    pub fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        in_batches(images, |images| self.autoencoder().encode(images))
    }

    /// The image of each code.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`, at least one
    /// - output: `[batch, channels, size, size]` in `[0, 1]`
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        in_batches(codes, |codes| self.autoencoder().decode(codes))
    }

    /// Encodes and decodes each image.
    ///
    /// # Shapes
    /// - `images` and output: `[batch, channels, size, size]` in `[0, 1]`, at least one
    pub fn reconstruct(&self, images: Tensor<4>) -> Tensor<4> {
        in_batches(images, |images| self.autoencoder().reconstruct(images))
    }

    /// Draws codes from the model's latent distribution.
    ///
    /// # Shapes
    /// - output: `[count, latent]`
    pub fn sample_codes(&self, count: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        // At least two, because some priors normalise over the batch.
        let codes = self.autoencoder().sample_prior(count.max(2), noise);
        codes.narrow(0, 0, count)
    }

    /// Draws from the model's latent distribution, decoded. The same `seed` gives the same images.
    ///
    /// # Shapes
    /// - output: `[count, channels, size, size]` in `[0, 1]`
    pub fn sample(&self, count: usize, seed: u64) -> Tensor<4> {
        self.decode(self.sample_codes(count, &mut SeededGenerator::new(seed, 0)))
    }

    /// How far each image is from the training data, by every score of the model. The published
    /// score comes first. Higher is further.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`, at least one
    /// - each output: `[batch]`
    pub fn score(&self, images: Tensor<4>) -> Vec<Score> {
        let model = self.autoencoder();
        let batches = images.split(BATCH, 0).into_iter();
        let all = batches.map(|images| model.scores(&model.encoded(images)));
        let joined = all.reduce(|before, after| {
            let pairs = before.into_iter().zip(after);
            let join = |(a, b): (Score, Score)| Score {
                values: Tensor::cat(vec![a.values, b.values], 0),
                ..a
            };
            pairs.map(join).collect()
        });
        joined.unwrap_or_default()
    }

    /// Opens the images of `request`, prepared for the model. `progress` reports copies of
    /// datasets, which are made on first use.
    ///
    /// # Errors
    /// When a dataset is missing, or it is the run's own and has changed since.
    pub fn images(
        &self,
        request: &ImageRequest,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<RequestedImages, ImageRequestError> {
        RequestedImages::open(&self.run, request, progress)
    }

    /// Up to `count` of the images in `request` that the model was not trained on, beginning with
    /// the `start`-th, and their description, such as `test images of digits`.
    ///
    /// # Shapes
    /// - output: `[images, channels, size, size]`
    ///
    /// # Errors
    /// As [`Self::images`], and when there is no such image.
    pub fn unseen_images(
        &self,
        request: &ImageRequest,
        start: usize,
        count: usize,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<(Tensor<4>, String), ImageRequestError> {
        self.unseen_of(&self.images(request, progress)?, start, count)
    }

    /// As [`Self::unseen_images`], of images that are open.
    ///
    /// # Errors
    /// When there is no such image, or it cannot be read.
    pub fn unseen_of(
        &self,
        images: &RequestedImages,
        start: usize,
        count: usize,
    ) -> Result<(Tensor<4>, String), ImageRequestError> {
        let (unseen, what) = (images.unseen()?, images.description());
        let wanted: Vec<u32> = unseen.iter().copied().skip(start).take(count).collect();
        if wanted.is_empty() {
            return Err(ImageRequestError::NoSuchImage {
                index: start,
                count: unseen.len(),
                what,
            });
        }
        Ok((images.data.images(&wanted, &self.device)?, what))
    }

    /// A path in the run directory that does not exist yet: `name`, the step, a number if the path
    /// is taken, and `ending`, such as `.png`.
    pub fn free_path(&self, name: &str, ending: &str) -> PathBuf {
        let name = format!("{name}-step-{}", self.step);
        free_path(&self.run.path().join(name), ending)
    }
}

impl fmt::Display for TrainedModel {
    /// Formats as `best checkpoint (step 500)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} checkpoint (step {})", self.which, self.step)
    }
}

fn in_batches<const D: usize, const E: usize>(
    inputs: Tensor<D>,
    compute: impl Fn(Tensor<D>) -> Tensor<E>,
) -> Tensor<E> {
    let batches = inputs.split(BATCH, 0).into_iter();
    Tensor::cat(batches.map(compute).collect(), 0)
}
