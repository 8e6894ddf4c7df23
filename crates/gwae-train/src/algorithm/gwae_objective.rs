//! The official objective: what one main step minimises and one critic step maximises.

use burn::tensor::{Device, Tensor};
use gwae_core::{
    CriticLoss, Mode, critic_loss, entropy_loss, estimated_gw_loss, gradient_penalty, interpolate,
    maximum_mean_discrepancy, merged_condition_loss, mixed_potential,
    random::{RandomSource, uniform_tensor},
    reconstruction_loss,
};
use gwae_models::{Critic, Gwae, GwaeConfig, Posterior};
use gwae_priors::Prior;

use crate::config::TrainingConfig;

/// Weights and switches of the objective
/// `L = L_GW + λ_W·L_W + λ_D·L_D + λ_H·L_H`.
#[derive(Clone, Debug, PartialEq)]
pub struct GwaeObjective {
    /// λ_W.
    pub reconstruction_weight: f64,
    /// λ_D.
    pub merged_weight: f64,
    /// λ_H.
    pub entropy_weight: f64,
    /// λ_GP.
    pub gradient_penalty_weight: f64,
    /// Compare images by the critic's features too.
    pub learned_similarity: bool,
    /// Mix the potential of autoencoded pairs into that of prior pairs.
    pub mixed_potential: bool,
}

/// The terms of the main step, tensors `[1]`, with the codes they were computed from.
pub struct MainTerms {
    /// Everything weighted and added up.
    pub total: Tensor<1>,
    /// L_GW.
    pub gw: Tensor<1>,
    /// L_W.
    pub reconstruction: Tensor<1>,
    /// L_D, or the MMD.
    pub merged: Tensor<1>,
    /// L_H.
    pub entropy: Tensor<1>,
    /// Encoded codes `[batch, latent]`.
    pub encoded: Tensor<2>,
    /// Prior codes `[batch, latent]`.
    pub prior: Tensor<2>,
}

/// The terms of a critic step with what they were computed from.
pub struct CriticTerms {
    /// The critic's objective.
    pub loss: CriticLoss,
    /// D(x, z), `[batch, 1]`.
    pub potential_encoded: Tensor<2>,
    /// D(xs, zs), mixed where the switch says so, `[batch, 1]`.
    pub potential_prior: Tensor<2>,
    /// Encoded codes `[batch, latent]`.
    pub encoded: Tensor<2>,
    /// Prior codes `[batch, latent]`.
    pub prior: Tensor<2>,
}

impl GwaeObjective {
    /// The objective that a configuration describes.
    pub fn new(model: &GwaeConfig, training: &TrainingConfig) -> Self {
        Self {
            reconstruction_weight: training.reconstruction_weight,
            merged_weight: training.merged_weight,
            entropy_weight: training.entropy_weight,
            gradient_penalty_weight: training.gradient_penalty_weight,
            learned_similarity: model.learned_similarity,
            mixed_potential: model.mixed_potential,
        }
    }

    /// The main step's terms. Gradients reach encoder, decoder, prior and distance scale; the
    /// critic only passes them through.
    ///
    /// Asks `noise` for ε `[batch, latent]`, then for what the prior needs.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]`, at least two of them
    pub fn main_terms(
        &self,
        model: &Gwae,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> MainTerms {
        let posterior = model.encoder.forward(images.clone(), mode);
        let encoded = posterior.sample(noise);
        let reconstructed = model.decoder.forward(encoded.clone(), mode);
        let prior = sample_prior(model, &images, mode, noise);
        let decoded = model.decoder.forward(prior.clone(), mode);

        let gw = estimated_gw_loss(
            decoded.clone().flatten(1, 3),
            prior.clone(),
            model.log_distance_coefficient.val(),
        );
        let mut reconstruction = reconstruction_loss(images.clone(), reconstructed.clone());
        let merged = match &model.critic {
            None => maximum_mean_discrepancy(encoded.clone(), prior.clone()),
            Some(critic) => {
                if self.learned_similarity {
                    let features = |images| critic.normalise_image(mode).detach().forward(images);
                    let of_images = features(images.clone());
                    reconstruction =
                        reconstruction + reconstruction_loss(of_images, features(reconstructed));
                }
                let potential =
                    |images, codes| critic.normalise(mode).detach().potential(images, codes);
                let of_encoded = potential(images, encoded.clone());
                let mut of_prior = potential(decoded, prior.clone());
                if self.mixed_potential {
                    let codes = encoded.clone().detach();
                    let autoencoded = model.decoder.forward(codes.clone(), mode);
                    of_prior = mixed_potential(of_prior, potential(autoencoded, codes));
                }
                merged_condition_loss(of_prior, of_encoded)
            }
        };
        let entropy = entropy_loss(posterior.logvar);
        let total = gw.clone()
            + reconstruction.clone() * self.reconstruction_weight
            + entropy.clone() * self.entropy_weight
            + merged.clone() * self.merged_weight;
        MainTerms {
            total,
            gw,
            reconstruction,
            merged,
            entropy,
            encoded,
            prior,
        }
    }

    /// One critic step's terms. Gradients reach the critic alone: pass a `model` without
    /// gradients (`model.clone().no_grad()` or `model.valid()`) and the tracked `critic` apart.
    ///
    /// Asks `noise` for ε `[batch, latent]`, for what the prior needs, then for the
    /// interpolation `[batch]`.
    pub fn critic_terms(
        &self,
        model: &Gwae,
        critic: &Critic,
        images: Tensor<4>,
        posterior: &Posterior,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> CriticTerms {
        let encoded = posterior.sample(noise);
        // The official program decodes the encoded codes here even where nothing uses them. That
        // only matters if the decoder's batch statistics move.
        let moves = mode == Mode::Train && model.decoder.has_batch_statistics();
        let reconstructed =
            (self.mixed_potential || moves).then(|| model.decoder.forward(encoded.clone(), mode));
        let prior = sample_prior(model, &images, mode, noise);
        let decoded = model.decoder.forward(prior.clone(), mode);

        let potential_encoded = critic
            .normalise(mode)
            .potential(images.clone(), encoded.clone());
        let mut potential_prior = critic
            .normalise(mode)
            .potential(decoded.clone(), prior.clone());
        if let (true, Some(reconstructed)) = (self.mixed_potential, reconstructed) {
            let autoencoded = critic
                .normalise(mode)
                .potential(reconstructed, encoded.clone());
            potential_prior = mixed_potential(potential_prior, autoencoded);
        }
        let t = uniform_tensor(noise, [images.dims()[0]], &images.device());
        let (image_gradient, code_gradient) = critic.normalise(mode).input_gradient(
            interpolate(images, decoded, t.clone()),
            interpolate(encoded.clone(), prior.clone(), t),
        );
        let loss = critic_loss(
            potential_prior.clone(),
            potential_encoded.clone(),
            gradient_penalty(image_gradient, code_gradient),
            self.gradient_penalty_weight,
        );
        CriticTerms {
            loss,
            potential_encoded,
            potential_prior,
            encoded,
            prior,
        }
    }
}

/// As many prior codes as there are images.
fn sample_prior(
    model: &Gwae,
    images: &Tensor<4>,
    mode: Mode,
    noise: &mut dyn RandomSource,
) -> Tensor<2> {
    let device: Device = images.device();
    model.prior.sample(images.dims()[0], mode, noise, &device)
}
