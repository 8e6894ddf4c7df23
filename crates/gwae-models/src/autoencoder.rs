//! The interface of every model for pictures, metrics and scores.

use burn::tensor::{FloatDType, Tensor};
use gwae_core::random::RandomSource;

use crate::components::Components;
use crate::encoded::Encoded;
use crate::networks::Posterior;
use crate::score::{Score, reconstruction_scores};

/// A model that encodes images, decodes codes, and has a latent distribution to draw from.
///
/// Everything works in evaluation mode. Call it on a model on a plain device, or on `model.valid()`. A
/// model in training would record every call for a backward pass.
pub trait Autoencoder {
    /// Latent dimension L.
    fn latent_dim(&self) -> usize;

    /// The posterior of each image. The default, `None`, is for a model whose codes have no spread.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` in `[0, 1]`
    /// - output: mean and logvar `[batch, latent]`
    fn posterior(&self, _images: Tensor<4>) -> Option<Posterior> {
        None
    }

    /// The code of each image: the mean of its posterior, if the model has one.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` in `[0, 1]`
    /// - output: `[batch, latent]`
    fn encode(&self, images: Tensor<4>) -> Tensor<2>;

    /// The image of each code.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`
    /// - output: `[batch, channels, height, width]` in `[0, 1]`
    fn decode(&self, codes: Tensor<2>) -> Tensor<4>;

    /// Draws `batch` codes `[batch, latent]` from the model's latent distribution.
    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2>;

    /// How far each image is from the training data, by the model's own scores. The published score
    /// comes first.
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score>;

    /// The components of its latent distribution, if that is a mixture.
    fn components(&self) -> Option<Box<dyn Components + '_>> {
        None
    }

    /// After averages have replaced the parameters, updates the buffers that depend on them, if that
    /// is possible without training images.
    fn settle_buffers(&self) {}

    /// The model with the weights of its networks rounded to `dtype`, for one training step in reduced
    /// precision. The default leaves the weights in single precision.
    fn networks_in_precision(self, _dtype: FloatDType) -> Self
    where
        Self: Sized,
    {
        self
    }

    /// Encodes and decodes each image.
    ///
    /// # Shapes
    /// - `images` and output: `[batch, channels, height, width]` in `[0, 1]`
    fn reconstruct(&self, images: Tensor<4>) -> Tensor<4> {
        self.decode(self.encode(images))
    }

    /// Images with their codes and reconstructions.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` in `[0, 1]`
    fn encoded(&self, images: Tensor<4>) -> Encoded {
        let codes = self.encode(images.clone());
        Encoded {
            reconstructed: self.decode(codes.clone()),
            images,
            codes,
        }
    }

    /// Every score of the model: its own, then the [reconstruction scores](reconstruction_scores)
    /// that all models have.
    fn scores(&self, encoded: &Encoded) -> Vec<Score> {
        let mut scores = self.own_scores(encoded);
        scores.extend(reconstruction_scores(encoded));
        scores
    }
}
