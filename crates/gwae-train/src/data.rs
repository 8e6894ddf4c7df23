//! The images of a run: the dataset, its split, and batches on a device.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_datasets::{
    BatchConfig, BatchStream, Dataset, DatasetError, ImageSource, Mnist, MnistFamily, Position,
    Split, Transform, embedded_digits,
};
use gwae_models::GwaeConfig;

use crate::config::{DataConfig, DatasetName, TrainingConfig};

/// A dataset at the model's image size.
pub struct RunData {
    source: Arc<ImageSource>,
}

impl RunData {
    /// Opens the dataset that `data` names for images as `model` takes them.
    ///
    /// # Errors
    /// When its files are missing or damaged.
    pub fn open(data: &DataConfig, model: &GwaeConfig) -> Result<Self, DatasetError> {
        let dataset: Arc<dyn Dataset> = match (data.dataset, &data.directory) {
            (DatasetName::Mnist, Some(directory)) => {
                Arc::new(Mnist::open(directory, MnistFamily::Digits)?)
            }
            // Without a directory there is only what is embedded; the configuration was checked.
            (DatasetName::Mnist, None) | (DatasetName::Digits, _) => Arc::new(embedded_digits()?),
        };
        let transform = Transform::new(model.image_size, model.channels);
        Ok(Self {
            source: Arc::new(ImageSource::new(dataset, transform)?),
        })
    }

    /// The dataset.
    pub fn dataset(&self) -> &dyn Dataset {
        self.source.dataset()
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
