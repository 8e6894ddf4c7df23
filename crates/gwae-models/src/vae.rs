//! The variational autoencoder, a baseline.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{Mode, standard_normal_negative_log_density};
use serde::Serialize;

use crate::autoencoder::{Autoencoder, Encoded, Score};
use crate::backbone::{BackboneConfig, check};
use crate::config::ModelConfigError;
use crate::decoder::Decoder;
use crate::encoder::{Encoder, Posterior};

/// Architecture and objective of a [`Vae`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VaeConfig {
    /// Encoder and decoder.
    #[serde(flatten)]
    pub backbone: BackboneConfig,
    /// Weight β of the divergence from the prior: 1 is the evidence lower bound, more is a β-VAE
    /// (Higgins et al., ICLR 2017).
    pub divergence_weight: f64,
}

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            divergence_weight: 1.0,
        }
    }
}

impl VaeConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone.validate()?;
        check(
            (0.0..=1e9).contains(&self.divergence_weight),
            "divergence_weight",
            self.divergence_weight,
            "from 0 to 1e9 (1 is the evidence lower bound)",
        )
    }
}

/// A variational autoencoder (Kingma, Welling, ICLR 2014) with a Gaussian likelihood of unit
/// variance and the prior N(0, I): the encoder and decoder of a GWAE without prior and critic.
#[derive(Module, Debug)]
pub struct Vae {
    /// Image to posterior over codes.
    pub encoder: Encoder,
    /// Code to image.
    pub decoder: Decoder,
    latent_dim: usize,
}

impl Vae {
    /// Builds a model with PyTorch's default initialisation drawn from `noise`.
    ///
    /// Pass an autodiff device to train it.
    ///
    /// # Errors
    /// For a configuration that no model can be built from.
    pub fn new(
        config: &VaeConfig,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self, ModelConfigError> {
        config.validate()?;
        Ok(Self {
            encoder: Encoder::new(&config.backbone, noise, device),
            decoder: Decoder::new(&config.backbone, noise, device),
            latent_dim: config.backbone.latent_dim,
        })
    }

    /// The posterior of each image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    /// - output: mean and logvar `[batch, latent]`
    pub fn encode(&self, images: Tensor<4>) -> Posterior {
        self.encoder.forward(images, Mode::Evaluate)
    }
}

impl Autoencoder for Vae {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn code(&self, images: Tensor<4>) -> Tensor<2> {
        self.encode(images).mean
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.decoder.forward(codes, Mode::Evaluate)
    }

    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let device = self.decoder.device();
        normal_tensor(noise, [batch, self.latent_dim], &device)
    }

    /// `prior_negative_log_likelihood`, −log N(z; 0, I).
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        let negative_log_likelihood = standard_normal_negative_log_density(encoded.codes.clone());
        vec![Score::new(
            "prior_negative_log_likelihood",
            negative_log_likelihood,
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values;
    use burn::tensor::TensorData;
    use gwae_core::random::{SeededGenerator, uniform_tensor};

    fn config() -> VaeConfig {
        VaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 3,
                width: 0.1,
                ..BackboneConfig::default()
            },
            ..VaeConfig::default()
        }
    }

    #[test]
    fn scores_are_those_of_their_definitions() {
        let device = Device::flex();
        let mut noise = SeededGenerator::new(4, 0);
        let model = Vae::new(&config(), &mut noise, &device).unwrap();
        let images: Tensor<4> = uniform_tensor(&mut noise, [2, 1, 32, 32], &device);
        let scores = model.scores(&model.encoded(images.clone()));
        let names: Vec<_> = scores.iter().map(|score| score.name).collect();
        assert_eq!(
            names,
            [
                "prior_negative_log_likelihood",
                "reconstruction_error",
                "relative_error"
            ]
        );
        let codes = values(model.code(images.clone()));
        let negative_log_likelihood = values(scores[0].values.clone());
        let pixels = values(images.clone());
        let reconstructed = values(model.reconstruct(images));
        let error = values(scores[1].values.clone());
        let relative = values(scores[2].values.clone());
        for image in 0..2 {
            let code = &codes[3 * image..3 * (image + 1)];
            let squares: f64 = code.iter().map(|z| z * z).sum();
            let expected = 0.5 * (squares + 3.0 * std::f64::consts::TAU.ln());
            assert!((negative_log_likelihood[image] - expected).abs() < 1e-5 * expected);
            let range = 1024 * image..1024 * (image + 1);
            let pairs = || {
                pixels[range.clone()]
                    .iter()
                    .zip(&reconstructed[range.clone()])
            };
            let squares: f64 = pairs().map(|(a, b)| (a - b).powi(2)).sum();
            assert!((error[image] - squares / 2.0).abs() < 1e-4 * squares);
            let norm: f64 = pairs().map(|(a, _)| a * a).sum();
            assert!((relative[image] - (squares / norm).sqrt()).abs() < 1e-5);
        }
    }

    #[test]
    fn its_prior_is_standard_normal() {
        let device = Device::flex();
        let model = Vae::new(&config(), &mut SeededGenerator::new(4, 0), &device).unwrap();
        let drawn = model.sample_prior(5, &mut SeededGenerator::new(8, 0));
        let expected = SeededGenerator::new(8, 0).standard_normal(15);
        assert_eq!(drawn.into_data(), TensorData::new(expected, [5, 3]));
    }
}
