//! The FactorVAE: a critic estimates the total correlation of the codes.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, FloatDType, Tensor, activation};
use gwae_core::random::RandomSource;
use gwae_core::{
    Mode, NamedLosses, density_ratio_loss, density_ratio_total_correlation, initialise,
    permuted_columns, reconstruction_loss, standard_normal_divergence,
};
use serde::{Deserialize, Serialize};

use super::settings::check_weight;
use crate::autoencoder::Autoencoder;
use crate::encoded::Encoded;
use crate::networks::{BackboneConfig, ConvDecoder, ConvEncoder, Decoder, Encoder, Posterior};
use crate::objective::{Forward, LossTerms};
use crate::score::Score;
use crate::settings::{ModelConfigError, ModelSettings, in_range, settings_table};
use crate::vae::Vae;

/// Slope of the critic's LeakyReLU for negative values (Kim, Mnih, ICML 2018, appendix A).
const SLOPE: f64 = 0.2;

/// Settings of a [`FactorVae`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct FactorVaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight γ of the total correlation. Studies of disentanglement try 10 to 100.
    pub gamma: f64,
    /// Number of linear layers of the critic.
    pub critic_layers: usize,
    /// Number of hidden features of each of them.
    pub critic_features: usize,
}

settings_table!(FactorVaeConfig);

impl Default for FactorVaeConfig {
    /// As published, with γ 35 (the value for 3D Shapes).
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            gamma: 35.0,
            critic_layers: 6,
            critic_features: 1000,
        }
    }
}

impl ModelSettings for FactorVaeConfig {
    const KIND: &'static str = "factor-vae";
    const SUMMARY: &'static str = "VAE with a critic of the total correlation of the codes";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[
        ("gamma", "Weight of the total correlation of the codes."),
        ("critic_layers", "Number of linear layers of the critic."),
        (
            "critic_features",
            "Number of hidden features of each layer of the critic.",
        ),
    ];
    type Model = FactorVae;

    fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone.validate()?;
        check_weight("gamma", self.gamma)?;
        in_range(
            (2..=64).contains(&self.critic_layers),
            "critic_layers",
            self.critic_layers,
            "from 2 to 64",
        )?;
        in_range(
            (1..=16_384).contains(&self.critic_features),
            "critic_features",
            self.critic_features,
            "from 1 to 16384",
        )
    }

    fn has_critic(&self) -> bool {
        true
    }

    fn backbone(&self) -> &BackboneConfig {
        &self.backbone
    }

    fn backbone_mut(&mut self) -> &mut BackboneConfig {
        &mut self.backbone
    }

    fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<FactorVae, ModelConfigError> {
        self.validate()?;
        let latent_dim = self.backbone.latent_dim;
        let (encoder, decoder) = self.backbone.init(noise, device)?;
        let (layers, features) = (self.critic_layers, self.critic_features);
        Ok(FactorVae {
            vae: Vae::new(encoder, decoder, latent_dim),
            critic: DensityRatioCritic::new(latent_dim, layers, features, noise, device),
        })
    }
}

/// A VAE whose critic tells codes from codes with exchanged entries (Kim, Mnih, ICML 2018).
#[derive(Module, Debug)]
pub struct FactorVae<E = ConvEncoder, D = ConvDecoder>
where
    E: Module,
    D: Module,
{
    /// The autoencoder.
    pub vae: Vae<E, D>,
    /// The critic of the total correlation.
    pub critic: DensityRatioCritic,
}

/// Linear layers with LeakyReLU between them, from a code to one logit.
#[derive(Module, Debug)]
pub struct DensityRatioCritic {
    /// The layers; the last has one output.
    pub layers: Vec<Linear>,
}

impl DensityRatioCritic {
    /// A critic of `layers` linear layers with `features` hidden features, for codes of `latent_dim`
    /// entries.
    pub fn new(
        latent_dim: usize,
        layers: usize,
        features: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Self {
        let size =
            |layer: usize, end: usize, at_end: usize| if layer == end { at_end } else { features };
        let layers = (0..layers)
            .map(|layer| {
                let inputs = size(layer, 0, latent_dim);
                let outputs = size(layer + 1, layers, 1);
                initialise::linear(inputs, outputs, noise, device)
            })
            .collect();
        Self { layers }
    }

    /// A logit for each code, positive for a code of an image.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`, output: `[batch, 1]`
    pub fn forward(&self, codes: Tensor<2>) -> Tensor<2> {
        let mut values = codes;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                values = activation::leaky_relu(values, SLOPE);
            }
            values = layer.forward(values);
        }
        values
    }
}

impl<E: Encoder, D: Decoder> Autoencoder for FactorVae<E, D> {
    fn latent_dim(&self) -> usize {
        self.vae.latent_dim()
    }

    fn posterior(&self, images: Tensor<4>) -> Option<Posterior> {
        self.vae.posterior(images)
    }

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.vae.encode(images)
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.vae.decode(codes)
    }

    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        self.vae.sample_prior(batch, noise)
    }

    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        self.vae.own_scores(encoded)
    }

    fn networks_in_precision(mut self, dtype: FloatDType) -> Self {
        self.vae = self.vae.networks_in_precision(dtype);
        self
    }
}

/// The two objectives of a [`FactorVae`] (Kim, Mnih, ICML 2018, algorithm 2).
#[derive(Clone, Debug, PartialEq)]
pub struct FactorVaeObjective {
    /// γ.
    pub gamma: f64,
}

impl FactorVaeObjective {
    /// `reconstruction + KL(q(z|x) ‖ N(0, I)) + γ·mean_b D(z_b)` of a batch, for encoder and decoder,
    /// and its codes without a gradient. Asks `noise` for ε `[batch, latent]`.
    pub fn main_losses<E: Encoder, D: Decoder>(
        &self,
        model: &FactorVae<E, D>,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
        terms: &LossTerms<FactorVae<E, D>>,
    ) -> (NamedLosses<Tensor<1>>, Tensor<2>) {
        let posterior = model.vae.encoder.encode(images.clone(), mode);
        let codes = posterior.sample(noise);
        let reconstructed = model.vae.decoder.decode(codes.clone(), mode);
        let reconstruction = reconstruction_loss(images.clone(), reconstructed.clone());
        let Posterior { mean, logvar } = posterior.clone();
        let divergence = standard_normal_divergence(mean, logvar);
        let logits = model.critic.forward(codes.clone());
        let correlation = density_ratio_total_correlation(logits);
        let total = reconstruction.clone() + divergence.clone() + correlation.clone() * self.gamma;
        let losses = NamedLosses::new([
            ("total", total),
            ("reconstruction", reconstruction),
            ("divergence", divergence),
            ("total_correlation", correlation),
        ]);
        let detached = codes.clone().detach();
        let losses = terms.add_to(losses, || Forward {
            model,
            mode,
            images,
            posterior: Some(posterior),
            codes,
            reconstructed,
            generated: None,
        });
        (losses, detached)
    }

    /// The loss of the critic on the codes of one batch and the exchanged codes of a second batch.
    /// Asks `noise` for ε `[second, latent]`, then for uniform `[latent, second]`.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]` of the first batch, without a gradient
    /// - `second`: images `[second, channels, height, width]`
    pub fn critic_loss<E: Encoder, D: Decoder>(
        &self,
        model: &FactorVae<E, D>,
        codes: Tensor<2>,
        second: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> Tensor<1> {
        let others = model
            .vae
            .encoder
            .encode(second, mode)
            .detach()
            .sample(noise);
        let permuted = permuted_columns(others, noise);
        density_ratio_loss(model.critic.forward(codes), model.critic.forward(permuted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values;
    use gwae_core::random::{SeededGenerator, uniform_tensor};

    fn model() -> FactorVae {
        let config = FactorVaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 3,
                width: 0.1,
                ..BackboneConfig::default()
            },
            critic_layers: 3,
            critic_features: 8,
            ..FactorVaeConfig::default()
        };
        config
            .init(&mut SeededGenerator::new(1, 0), &Device::flex())
            .unwrap()
    }

    #[test]
    fn the_critic_has_the_sizes_of_its_settings() {
        let sizes: Vec<_> = model()
            .critic
            .layers
            .iter()
            .map(|l| l.weight.dims())
            .collect();
        assert_eq!(sizes, [[3, 8], [8, 8], [8, 1]]);
    }

    #[test]
    fn the_total_is_the_sum_of_its_weighted_terms() {
        let device = Device::flex();
        let images: Tensor<4> =
            uniform_tensor(&mut SeededGenerator::new(2, 0), [4, 1, 32, 32], &device);
        let model = model();
        let (losses, codes) = FactorVaeObjective { gamma: 5.0 }.main_losses(
            &model,
            images,
            Mode::Evaluate,
            &mut SeededGenerator::new(3, 0),
            &LossTerms::none(),
        );
        let losses = losses.read();
        let loss = |name| *losses.get(name).unwrap();
        let logits = values(model.critic.forward(codes));
        let correlation = logits.iter().sum::<f64>() / 4.0;
        assert!((loss("total_correlation") - correlation).abs() < 1e-5);
        let expected = loss("reconstruction") + loss("divergence") + 5.0 * correlation;
        assert!((loss("total") - expected).abs() < 1e-4 * expected.abs());
    }

    /// A critic whose last layer is zero cannot tell codes from exchanged codes.
    #[test]
    fn a_critic_that_knows_nothing_has_the_loss_log_two() {
        let device = Device::flex();
        let mut model = model();
        let last = model.critic.layers.last_mut().unwrap();
        last.weight = last.weight.clone().map(|weight| weight.zeros_like());
        last.bias = last
            .bias
            .clone()
            .map(|bias| bias.map(|bias| bias.zeros_like()));
        let images: Tensor<4> =
            uniform_tensor(&mut SeededGenerator::new(2, 0), [4, 1, 32, 32], &device);
        let codes = model.encode(images.clone());
        let loss = FactorVaeObjective { gamma: 5.0 }.critic_loss(
            &model,
            codes,
            images,
            Mode::Evaluate,
            &mut SeededGenerator::new(3, 0),
        );
        assert!((values(loss)[0] - 2f64.ln()).abs() < 1e-6);
    }
}
