//! The Gromov-Wasserstein autoencoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, random::RandomSource};
use gwae_priors::{Prior, PriorSampler};

use crate::autoencoder::{Autoencoder, Encoded, Score};
use crate::components::Components;
use crate::config::{GwaeConfig, ModelConfigError};
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
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self, ModelConfigError> {
        config.validate()?;
        let backbone = config.backbone();
        let log_coefficient = config.initial_distance_coefficient.ln();
        Ok(Self {
            encoder: Encoder::new(&backbone, noise, device),
            decoder: Decoder::new(&backbone, noise, device),
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
    pub fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
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
}

impl Autoencoder for Gwae {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn code(&self, images: Tensor<4>) -> Tensor<2> {
        self.encode(images).mean
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        Self::decode(self, codes)
    }

    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        Self::sample_prior(self, batch, noise)
    }

    /// With a critic `potential`, the published score D(f(z), z), and `potential_of_input`, D(x, z).
    /// With a Gaussian mixture `prior_negative_log_likelihood`, minus the log-density of the code under the prior.
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        let potential = |images: &Tensor<4>| {
            let potential = self.potential(images.clone(), encoded.codes.clone())?;
            Some(potential.squeeze_dim(1))
        };
        let negative_log_likelihood = match &self.prior {
            PriorSampler::GaussianMixture(prior) => {
                Some(prior.mixture().energy(encoded.codes.clone()))
            }
            _ => None,
        };
        [
            ("potential", potential(&encoded.reconstructed)),
            ("potential_of_input", potential(&encoded.images)),
            ("prior_negative_log_likelihood", negative_log_likelihood),
        ]
        .into_iter()
        .filter_map(|(name, values)| Some(Score::new(name, values?)))
        .collect()
    }

    fn components(&self) -> Option<&dyn Components> {
        match &self.prior {
            PriorSampler::GaussianMixture(prior) => Some(prior),
            _ => None,
        }
    }
}
