//! What a variational autoencoder minimises.

use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::random::RandomSource;
use gwae_core::{Mode, reconstruction_loss, standard_normal_divergence};
use gwae_models::{ModelConfigError, Vae, VaeConfig};

use super::SingleObjective;
use super::replicas::lowered;
use crate::named_losses::NamedLosses;

/// The negative evidence lower bound `mean_b (½ ‖x − f(z)‖² + β·KL(q(z|x) ‖ N(0, I)))` with one draw
/// z per image (Kingma, Welling, ICLR 2014, equation 10), without the constant `½ D log 2π` of the
/// Gaussian likelihood of unit variance.
#[derive(Clone, Debug, PartialEq)]
pub struct VaeObjective {
    /// β.
    pub divergence_weight: f64,
}

impl SingleObjective for VaeObjective {
    type Config = VaeConfig;
    type Model = Vae;

    fn build(
        config: &VaeConfig,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Vae, ModelConfigError> {
        Vae::new(config, noise, device)
    }

    fn new(config: &VaeConfig) -> Self {
        Self {
            divergence_weight: config.divergence_weight,
        }
    }

    fn lowered(mut model: Vae, dtype: FloatDType) -> Vae {
        model.encoder = lowered(model.encoder, dtype);
        model.decoder = lowered(model.decoder, dtype);
        model
    }

    /// Asks `noise` for ε `[batch, latent]`.
    fn losses(
        &self,
        model: &Vae,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>> {
        let posterior = model.encoder.forward(images.clone(), mode);
        let reconstructed = model.decoder.forward(posterior.sample(noise), mode);
        let reconstruction = reconstruction_loss(images, reconstructed);
        let divergence = standard_normal_divergence(posterior.mean, posterior.logvar);
        let total = reconstruction.clone() + divergence.clone() * self.divergence_weight;
        NamedLosses::new(vec![
            ("total", total),
            ("reconstruction", reconstruction),
            ("divergence", divergence),
        ])
    }
}
