//! The variational autoencoder, a baseline.

use burn::module::Module;
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{Mode, standard_normal_divergence, standard_normal_negative_log_density};
use serde::{Deserialize, Serialize};

use crate::autoencoder::Autoencoder;
use crate::encoded::Encoded;
use crate::networks::{BackboneConfig, ConvDecoder, ConvEncoder, Decoder, Encoder, Posterior};
use crate::score::{Score, ScoreDirection};
use crate::settings::{
    ModelConfigError, ModelSettings, SingleObjectiveSettings, in_range, settings_table,
};
use crate::vae_family::regulariser::{Penalty, Regulariser};

/// Settings of a [`Vae`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct VaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight β of the divergence from the prior. 1 gives the evidence lower bound, a larger value a
    /// β-VAE (Higgins et al., ICLR 2017).
    pub divergence_weight: f64,
}

settings_table!(VaeConfig);

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            divergence_weight: 1.0,
        }
    }
}

impl ModelSettings for VaeConfig {
    const KIND: &'static str = "vae";
    const SUMMARY: &'static str = "variational autoencoder";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[(
        "divergence_weight",
        "Weight of the divergence from the prior. 1 is a VAE, more is a β-VAE.",
    )];
    type Model = Vae;

    fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone.validate()?;
        in_range(
            (0.0..=1e9).contains(&self.divergence_weight),
            "divergence_weight",
            self.divergence_weight,
            "from 0 to 1e9 (1 is the evidence lower bound)",
        )
    }

    fn backbone(&self) -> &BackboneConfig {
        &self.backbone
    }

    fn backbone_mut(&mut self) -> &mut BackboneConfig {
        &mut self.backbone
    }

    fn init(&self, noise: &mut dyn RandomSource, device: &Device) -> Result<Vae, ModelConfigError> {
        self.validate()?;
        let (encoder, decoder) = self.backbone.init(noise, device)?;
        Ok(Vae::new(encoder, decoder, self.backbone.latent_dim))
    }
}

impl SingleObjectiveSettings for VaeConfig {
    type Objective = VaeObjective;

    fn objective(&self) -> VaeObjective {
        VaeObjective {
            divergence_weight: self.divergence_weight,
        }
    }
}

/// A variational autoencoder (Kingma, Welling, ICLR 2014) with a Gaussian likelihood of unit
/// variance and the prior N(0, I). It has an encoder and a decoder, and neither a trainable prior
/// nor a critic.
#[derive(Module, Debug)]
pub struct Vae<E = ConvEncoder, D = ConvDecoder>
where
    E: Module,
    D: Module,
{
    /// Image to posterior over codes.
    pub encoder: E,
    /// Code to image.
    pub decoder: D,
    latent_dim: usize,
}

impl<E: Encoder, D: Decoder> Vae<E, D> {
    /// Builds a model from any encoder and decoder of codes with `latent_dim` entries.
    pub fn new(encoder: E, decoder: D, latent_dim: usize) -> Self {
        Self {
            encoder,
            decoder,
            latent_dim,
        }
    }
}

impl<E: Encoder, D: Decoder> Autoencoder for Vae<E, D> {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn posterior(&self, images: Tensor<4>) -> Option<Posterior> {
        Some(self.encoder.encode(images, Mode::Evaluate))
    }

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.encoder.encode(images, Mode::Evaluate).mean
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.decoder.decode(codes, Mode::Evaluate)
    }

    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let devices = self.decoder.devices();
        let device = devices.first().cloned().unwrap_or_default();
        normal_tensor(noise, [batch, self.latent_dim], &device)
    }

    /// `prior_negative_log_likelihood`, −log N(z; 0, I).
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        let values = standard_normal_negative_log_density(encoded.codes.clone());
        let (name, direction) = (
            "prior_negative_log_likelihood",
            ScoreDirection::HigherIsOutside,
        );
        vec![Score::new(name, direction, values)]
    }

    fn networks_in_precision(mut self, dtype: FloatDType) -> Self {
        self.encoder = self.encoder.in_precision(dtype);
        self.decoder = self.decoder.in_precision(dtype);
        self
    }
}

/// The negative evidence lower bound `mean_b (½ ‖x − f(z)‖² + β·KL(q(z|x) ‖ N(0, I)))` with one draw
/// z per image (Kingma, Welling, ICLR 2014, equation 10). It omits the constant `½ D log 2π` of the
/// Gaussian likelihood of unit variance.
#[derive(Clone, Debug, PartialEq)]
pub struct VaeObjective {
    /// β.
    pub divergence_weight: f64,
}

impl Regulariser for VaeObjective {
    fn penalty(&self, posterior: &Posterior, _: &Tensor<2>, _: &mut dyn RandomSource) -> Penalty {
        let Posterior { mean, logvar } = posterior.clone();
        let divergence = standard_normal_divergence(mean, logvar);
        Penalty {
            weighted: divergence.clone() * self.divergence_weight,
            terms: vec![("divergence", divergence)],
        }
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
        let model = config().init(&mut noise, &device).unwrap();
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
        let codes = values(model.encode(images.clone()));
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
        let model = config()
            .init(&mut SeededGenerator::new(4, 0), &device)
            .unwrap();
        let drawn = model.sample_prior(5, &mut SeededGenerator::new(8, 0));
        let expected = SeededGenerator::new(8, 0).standard_normal(15);
        assert_eq!(drawn.into_data(), TensorData::new(expected, [5, 3]));
    }
}
