//! The paper's objective: the losses of the main step and of the critic step.

use burn::tensor::{Device, Tensor};
use gwae_core::random::{RandomSource, uniform_tensor};
use gwae_core::{
    CriticLoss, Mode, NamedLosses, critic_loss, entropy_loss, estimated_gw_loss, gradient_penalty,
    interpolate, latent_scale, maximum_mean_discrepancy, merged_condition_loss, mixed_potential,
    reconstruction_loss,
};

use super::model::{Gwae, PriorModule};
use crate::critic::{Critic, CriticWeights};
use crate::networks::{Decoder, Encoder, Posterior};
use crate::objective::{Forward, Generated, LossTerms};

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
    /// Also compare images by the critic's features.
    pub learned_similarity: bool,
    /// Mix the potential of autoencoded pairs into that of prior pairs.
    pub mixed_potential: bool,
}

/// The losses of the main step, and the codes that they were computed from.
pub struct MainTerms {
    /// `total`, then `gw`, `reconstruction`, `merged` and `entropy` without their weights, then the
    /// terms that the user added.
    pub losses: NamedLosses<Tensor<1>>,
    /// Encoded codes `[batch, latent]`.
    pub encoded: Tensor<2>,
    /// Prior codes `[batch, latent]`.
    pub prior: Tensor<2>,
}

/// The terms of a critic step, and the codes that they were computed from.
pub struct CriticTerms {
    /// The critic's objective.
    pub loss: CriticLoss,
    /// D(x, z), `[batch, 1]`.
    pub potential_encoded: Tensor<2>,
    /// D(xs, zs), mixed if the objective says so, `[batch, 1]`.
    pub potential_prior: Tensor<2>,
    /// Encoded codes `[batch, latent]`.
    pub encoded: Tensor<2>,
    /// Prior codes `[batch, latent]`.
    pub prior: Tensor<2>,
}

impl MainTerms {
    /// The same values without a gradient.
    pub fn detach(self) -> Self {
        Self {
            losses: self.losses.detach(),
            encoded: self.encoded.detach(),
            prior: self.prior.detach(),
        }
    }

    /// All losses of a step: first those of the main step, then those of the (last) critic step, then the
    /// distance scale and the spread of the last drawn codes.
    pub fn with_critic(
        self,
        critic: Option<CriticTerms>,
        distance_coefficient: Tensor<1>,
    ) -> NamedLosses<Tensor<1>> {
        let (mut encoded, mut prior) = (self.encoded, self.prior);
        let mut losses = self.losses;
        if let Some(critic) = critic {
            (encoded, prior) = (critic.encoded, critic.prior);
            losses = losses
                .with("critic", critic.loss.total.detach())
                .with("critic_potential", critic.loss.potential.detach())
                .with("gradient_penalty", critic.loss.penalty.detach())
                .with(
                    "potential_encoded",
                    critic.potential_encoded.mean().detach(),
                )
                .with("potential_prior", critic.potential_prior.mean().detach());
        }
        losses
            .with("distance_coefficient", distance_coefficient)
            .with("encoded_scale", latent_scale(encoded.detach()))
            .with("prior_scale", latent_scale(prior.detach()))
    }
}

impl GwaeObjective {
    /// The terms of the main step. Gradients reach encoder, decoder, prior and distance scale. They pass
    /// through the critic without changing it.
    ///
    /// Asks `noise` for ε `[batch, latent]`, then for the prior's noise.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, at least two of them
    pub fn main_terms<E: Encoder, D: Decoder, P: PriorModule, C: Critic>(
        &self,
        model: &Gwae<E, D, P, C>,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
        terms: &LossTerms<Gwae<E, D, P, C>>,
    ) -> MainTerms {
        let posterior = model.encoder.encode(images.clone(), mode);
        let encoded = posterior.sample(noise);
        let reconstructed = model.decoder.decode(encoded.clone(), mode);
        let prior = sample_prior(model, &images, mode, noise);
        let decoded = model.decoder.decode(prior.clone(), mode);

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
                    let of_images = critic.image_features(images.clone(), mode);
                    let of_reconstructed = critic.image_features(reconstructed.clone(), mode);
                    if let (Some(a), Some(b)) = (of_images, of_reconstructed) {
                        reconstruction = reconstruction + reconstruction_loss(a, b);
                    }
                }
                let potential =
                    |images, codes| critic.weights(mode).detach().potential(images, codes);
                let of_encoded = potential(images.clone(), encoded.clone());
                let mut of_prior = potential(decoded.clone(), prior.clone());
                if self.mixed_potential {
                    let codes = encoded.clone().detach();
                    let autoencoded = model.decoder.decode(codes.clone(), mode);
                    of_prior = mixed_potential(of_prior, potential(autoencoded, codes));
                }
                merged_condition_loss(of_prior, of_encoded)
            }
        };
        let entropy = entropy_loss(posterior.logvar.clone());
        let total = gw.clone()
            + reconstruction.clone() * self.reconstruction_weight
            + entropy.clone() * self.entropy_weight
            + merged.clone() * self.merged_weight;
        let losses = NamedLosses::new([
            ("total", total),
            ("gw", gw),
            ("reconstruction", reconstruction),
            ("merged", merged),
            ("entropy", entropy),
        ]);
        let losses = terms.add_to(losses, || Forward {
            model,
            mode,
            images,
            posterior: Some(posterior),
            codes: encoded.clone(),
            reconstructed,
            generated: Some(Generated {
                codes: prior.clone(),
                images: decoded,
            }),
        });
        MainTerms {
            losses,
            encoded,
            prior,
        }
    }

    /// The terms of one critic step. Gradients reach only the critic: pass a `model` without gradients
    /// (`model.clone().no_grad()` or `model.valid()`) and the tracked `critic` separately. A critic without
    /// an input gradient is trained without a gradient penalty.
    ///
    /// Asks `noise` for ε `[batch, latent]`, for the prior's noise, then for the interpolation `[batch]`.
    pub fn critic_terms<E: Encoder, D: Decoder, P: PriorModule, C: Critic>(
        &self,
        model: &Gwae<E, D, P, C>,
        critic: &C,
        images: Tensor<4>,
        posterior: &Posterior,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> CriticTerms {
        let encoded = posterior.sample(noise);
        // The official program decodes the encoded codes here even if nothing uses the result. That matters
        // only if it moves the decoder's batch statistics.
        let moves = mode == Mode::Train && model.decoder.has_batch_statistics();
        let reconstructed =
            (self.mixed_potential || moves).then(|| model.decoder.decode(encoded.clone(), mode));
        let prior = sample_prior(model, &images, mode, noise);
        let decoded = model.decoder.decode(prior.clone(), mode);

        let potential_encoded = critic
            .weights(mode)
            .potential(images.clone(), encoded.clone());
        let mut potential_prior = critic
            .weights(mode)
            .potential(decoded.clone(), prior.clone());
        if let (true, Some(reconstructed)) = (self.mixed_potential, reconstructed) {
            let autoencoded = critic
                .weights(mode)
                .potential(reconstructed, encoded.clone());
            potential_prior = mixed_potential(potential_prior, autoencoded);
        }
        let t = uniform_tensor(noise, [images.dims()[0]], &images.device());
        let gradient = critic.weights(mode).input_gradient(
            interpolate(images, decoded, t.clone()),
            interpolate(encoded.clone(), prior.clone(), t),
        );
        let penalty = match gradient {
            Some((image, code)) => gradient_penalty(image, code),
            None => Tensor::zeros([1], &potential_prior.device()),
        };
        let loss = critic_loss(
            potential_prior.clone(),
            potential_encoded.clone(),
            penalty,
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

    /// The losses of a batch in evaluation mode; no statistics change.
    ///
    /// `model` is a plain one ([`valid`](burn::module::Module::valid)). The order of the noise is that of a
    /// step with one critic step.
    pub fn evaluate<E: Encoder, D: Decoder, P: PriorModule, C: Critic>(
        &self,
        model: &Gwae<E, D, P, C>,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
        terms: &LossTerms<Gwae<E, D, P, C>>,
    ) -> NamedLosses<Tensor<1>> {
        let mode = Mode::Evaluate;
        let main = self.main_terms(model, images.clone(), mode, noise, terms);
        let critic = model.critic.as_ref().map(|critic| {
            let posterior = model.encoder.encode(images.clone(), mode);
            self.critic_terms(model, critic, images, &posterior, mode, noise)
        });
        main.with_critic(critic, model.log_distance_coefficient.val().exp())
    }
}

/// One prior code per image.
fn sample_prior<E: Encoder, D: Decoder, P: PriorModule, C: Critic>(
    model: &Gwae<E, D, P, C>,
    images: &Tensor<4>,
    mode: Mode,
    noise: &mut dyn RandomSource,
) -> Tensor<2> {
    let device: Device = images.device();
    model.prior.sample(images.dims()[0], mode, noise, &device)
}
