//! The images of a run on a device.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_datasets::config::DataConfig;
use gwae_datasets::open::{Preparation, draw_split, images_of, open_images, open_images_if};
use gwae_datasets::{
    BatchConfig, BatchStream, Dataset, DatasetError, ImageShape, ImageSource, Position, Split,
};

use crate::config::{RunConfig, TrainingConfig};

/// A dataset whose images are prepared for a model.
pub struct RunData {
    source: Arc<ImageSource>,
}

impl RunData {
    /// Opens the dataset that `data` names, like [`open_images`].
    ///
    /// # Errors
    /// When its files are missing or damaged, or a copy cannot be written.
    pub fn open(
        data: &DataConfig,
        shape: ImageShape,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Self, DatasetError> {
        open_images(data, shape, progress).map(Self::from)
    }

    /// Like [`Self::open`], but asks `accept` before a copy is made, like [`open_images_if`].
    ///
    /// # Errors
    /// As [`Self::open`], and the error of `accept`.
    pub(crate) fn open_if<E: From<DatasetError>>(
        data: &DataConfig,
        shape: ImageShape,
        progress: &mut dyn FnMut(Preparation),
        accept: impl FnOnce(&dyn Dataset) -> Result<(), E>,
    ) -> Result<Self, E> {
        open_images_if(data, shape, progress, accept).map(Self::from)
    }

    /// Prepares an open dataset, such as the user's own, like [`images_of`].
    ///
    /// # Errors
    /// When an image cannot be read or does not fit, or a copy cannot be written.
    pub fn of(
        dataset: Arc<dyn Dataset>,
        data: &DataConfig,
        shape: ImageShape,
    ) -> Result<Self, DatasetError> {
        images_of(dataset, data, shape, &mut |_| {}).map(Self::from)
    }

    /// The dataset.
    pub fn dataset(&self) -> &dyn Dataset {
        self.source.dataset()
    }

    /// The division for a new run of `config`: the official validation part if there is one,
    /// otherwise a share of the training part, chosen by the run's seed. No part is larger than
    /// `data.limit`.
    ///
    /// # Errors
    /// When no training images remain.
    pub fn draw_split(&self, config: &RunConfig) -> Result<Split, DatasetError> {
        draw_split(self.dataset(), &config.data, config.training.seed)
    }

    /// Reads the dataset's files from the disk once, on its own thread, so that later scattered
    /// reads are fast. Failures do not matter here: the training reports them.
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
            // The losses compare pairs within a batch, so all batches must have the same size.
            drop_last: true,
        };
        BatchStream::start(self.source.clone(), split.train.clone(), config, position)
    }

    /// Loads the images at `indices`, `[indices, channels, height, width]`.
    ///
    /// # Errors
    /// When an item cannot be read.
    pub fn images(&self, indices: &[u32], device: &Device) -> Result<Tensor<4>, DatasetError> {
        let loaded = self.source.load(indices)?;
        Ok(upload(loaded.images, loaded.shape, device))
    }
}

impl From<ImageSource> for RunData {
    fn from(source: ImageSource) -> Self {
        Self {
            source: Arc::new(source),
        }
    }
}

/// Copies images from host memory to the device.
pub(crate) fn upload(images: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(images, shape), device)
}

/// Copies a batch from host memory to `devices`, in shards of equal size.
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
