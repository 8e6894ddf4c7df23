//! The Gromov-Wasserstein autoencoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, noise::NoiseSource};
use gwae_priors::{Prior, PriorSampler};

use crate::config::{GwaeConfig, GwaeConfigError};
use crate::critic::Critic;
use crate::decoder::Decoder;
use crate::encoder::{Encoder, Posterior};

/// A Gromov-Wasserstein autoencoder (Nakagawa, Togo, Ogawa, Haseyama, ICLR 2023): encoder,
/// decoder, trainable prior, trainable distance scale and, with the merged condition, a critic.
///
/// The methods below work in evaluation mode. Call them on a model on a plain device, or on
/// `model.valid()`: a training model would record every call for a backward pass.
#[derive(Module, Debug)]
pub struct Gwae {
    /// Image to posterior over codes.
    pub encoder: Encoder,
    /// Code to image.
    pub decoder: Decoder,
    /// Latent prior.
    pub prior: PriorSampler,
    /// Logarithm of the scale c between latent and data distances, `[1]`.
    pub log_distance_coefficient: Param<Tensor<1>>,
    /// Kantorovich potential; present with `merged_condition`.
    pub critic: Option<Critic>,
    latent_dim: usize,
}

impl Gwae {
    /// Builds a model with PyTorch's default initialisation drawn from `noise`.
    ///
    /// Pass an autodiff device to train it. Fails on a configuration that no model can be
    /// built from.
    pub fn new(
        config: &GwaeConfig,
        noise: &mut dyn NoiseSource,
        device: &Device,
    ) -> Result<Self, GwaeConfigError> {
        config.validate()?;
        let log_coefficient = config.initial_distance_coefficient.ln();
        Ok(Self {
            encoder: Encoder::new(config, noise, device),
            decoder: Decoder::new(config, noise, device),
            prior: config.prior.init(config.latent_dim, noise, device),
            log_distance_coefficient: Param::from_tensor(Tensor::full(
                [1],
                log_coefficient,
                device,
            )),
            critic: config
                .merged_condition
                .then(|| Critic::new(config, noise, device)),
            latent_dim: config.latent_dim,
        })
    }

    /// Latent dimension L.
    pub fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    /// The posterior of each image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    /// - output: mean and logvar `[batch, latent]`
    pub fn encode(&self, images: Tensor<4>) -> Posterior {
        self.encoder.forward(images, Mode::Evaluate)
    }

    /// The image of each code.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`
    /// - output: `[batch, channels, size, size]` in `[0, 1]`
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.decoder.forward(codes, Mode::Evaluate)
    }

    /// Draws `batch` codes `[batch, latent]` from the prior.
    pub fn sample_prior(&self, batch: usize, noise: &mut dyn NoiseSource) -> Tensor<2> {
        let device = self.log_distance_coefficient.val().device();
        self.prior.sample(batch, Mode::Evaluate, noise, &device)
    }

    /// Each image through the mean of its posterior and back.
    ///
    /// # Shapes
    /// - `images` and output: `[batch, channels, size, size]` in `[0, 1]`
    pub fn reconstruct(&self, images: Tensor<4>) -> Tensor<4> {
        self.decode(self.encode(images).mean)
    }

    /// The Kantorovich potential D(x, z), or `None` for a model without critic.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]`, `codes`: `[batch, latent]`
    /// - output: `[batch, 1]`
    pub fn potential(&self, images: Tensor<4>, codes: Tensor<2>) -> Option<Tensor<2>> {
        let critic = self.critic.as_ref()?.normalise(Mode::Evaluate);
        Some(critic.potential(images, codes))
    }

    /// The out-of-distribution score D(f(z), z) with z the posterior mean: higher is further
    /// from the training data. `None` for a model without critic.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]`, output: `[batch, 1]`
    pub fn out_of_distribution_score(&self, images: Tensor<4>) -> Option<Tensor<2>> {
        let codes = self.encode(images).mean;
        self.potential(self.decode(codes.clone()), codes)
    }
}
