//! What pictures, metrics and scores need of a model, whichever it is.

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_core::{reconstruction_error, relative_reconstruction_error};

use crate::components::Components;

/// A trained model that encodes images, decodes codes, and has a law of codes to draw from.
///
/// Everything works in evaluation mode. Call it on a model on a plain device, or on `model.valid()`.
pub trait Autoencoder {
    /// Latent dimension L.
    fn latent_dim(&self) -> usize;

    /// The code of each image: the posterior mean where the encoder has a posterior.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    /// - output: `[batch, latent]`
    fn code(&self, images: Tensor<4>) -> Tensor<2>;

    /// The image of each code.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`
    /// - output: `[batch, channels, size, size]` in `[0, 1]`
    fn decode(&self, codes: Tensor<2>) -> Tensor<4>;

    /// Draws `batch` codes `[batch, latent]` from the model's law of codes.
    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2>;

    /// How far each image is from the training data, by the model's own measures first: the
    /// published score, then others that the model has.
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score>;

    /// The components of its law of codes, where that is a mixture.
    fn components(&self) -> Option<&dyn Components> {
        None
    }

    /// Each image through its code and back.
    ///
    /// # Shapes
    /// - `images` and output: `[batch, channels, size, size]` in `[0, 1]`
    fn reconstruct(&self, images: Tensor<4>) -> Tensor<4> {
        self.decode(self.code(images))
    }

    /// Images with their codes and reconstructions.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    fn encoded(&self, images: Tensor<4>) -> Encoded {
        let codes = self.code(images.clone());
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

/// Images, their codes, and the images of the codes.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `[batch, channels, size, size]`.
    pub images: Tensor<4>,
    /// `[batch, latent]`.
    pub codes: Tensor<2>,
    /// `[batch, channels, size, size]`.
    pub reconstructed: Tensor<4>,
}

/// One number per image: the higher, the further from the training data.
#[derive(Clone, Debug)]
pub struct Score {
    /// What it is called in tables and files.
    pub name: &'static str,
    /// `[batch]`.
    pub values: Tensor<1>,
}

impl Score {
    /// A score of that name.
    ///
    /// # Shapes
    /// - `values`: `[batch]`
    pub fn new(name: &'static str, values: Tensor<1>) -> Self {
        Self { name, values }
    }
}

/// The scores that need no more than a reconstruction: `reconstruction_error`, half the squared error
/// summed over an image, which grows with its contrast; and `relative_error`, the distance from
/// the image as a share of the image's own norm, which does not.
pub fn reconstruction_scores(encoded: &Encoded) -> Vec<Score> {
    let pair = || (encoded.images.clone(), encoded.reconstructed.clone());
    let (images, reconstructed) = pair();
    let error = reconstruction_error(images, reconstructed);
    let (images, reconstructed) = pair();
    let relative = relative_reconstruction_error(images, reconstructed);
    vec![
        Score::new("reconstruction_error", error),
        Score::new("relative_error", relative),
    ]
}
