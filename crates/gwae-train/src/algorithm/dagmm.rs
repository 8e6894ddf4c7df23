//! What a deep autoencoding Gaussian mixture model minimises.

use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::noise::NoiseSource;
use gwae_core::{MixtureMoments, Mode, diagonals, reconstruction_loss};
use gwae_models::{Dagmm, DagmmConfig, ModelConfigError};

use super::SingleObjective;
use super::replicas::lowered;
use crate::named_losses::NamedLosses;

/// `mean_b ½ ‖x − x̂‖² + λ₁·mean_b E(z_b) + λ₂·Σ_k Σ_j 1/Σ_kjj` (Zong et al., ICLR 2018, equation 7):
/// E is the energy of the features of an image under the mixture, whose moments are those of the
/// batch in training and the running ones in evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct DagmmObjective {
    /// λ₁.
    pub energy_weight: f64,
    /// λ₂.
    pub covariance_weight: f64,
}

/// Variances are kept at least this large in the penalty, which divides by them.
const LEAST_VARIANCE: f64 = 1e-6;

impl SingleObjective for DagmmObjective {
    type Config = DagmmConfig;
    type Model = Dagmm;

    fn build(
        config: &DagmmConfig,
        noise: &mut dyn NoiseSource,
        device: &Device,
    ) -> Result<Dagmm, ModelConfigError> {
        Dagmm::new(config, noise, device)
    }

    fn new(config: &DagmmConfig) -> Self {
        Self {
            energy_weight: config.energy_weight,
            covariance_weight: config.covariance_weight,
        }
    }

    fn lowered(mut model: Dagmm, dtype: FloatDType) -> Dagmm {
        model.encoder = lowered(model.encoder, dtype);
        model.decoder = lowered(model.decoder, dtype);
        model
    }

    /// In [`Mode::Train`] moves the running mixture, and asks `noise` for what the estimation
    /// network's dropout needs.
    fn losses(
        &self,
        model: &Dagmm,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn NoiseSource,
    ) -> NamedLosses<Tensor<1>> {
        let encoded = model.autoencode(images.clone(), mode);
        let features = model.features(&encoded);
        let reconstruction = reconstruction_loss(images, encoded.reconstructed);
        let moments = match mode {
            Mode::Train => {
                let memberships = model.estimation.forward(features.clone(), mode, noise);
                let moments = MixtureMoments::of(features.clone(), memberships);
                model.running.update(&moments);
                moments
            }
            Mode::Evaluate => model.running.moments(),
        };
        let penalty = covariance_penalty(moments.covariances.clone());
        let usage = usage_entropy(moments.weights.clone());
        let energy = model.mixture_of(moments).energy(features).mean();
        let total = reconstruction.clone()
            + energy.clone() * self.energy_weight
            + penalty.clone() * self.covariance_weight;
        NamedLosses::new(vec![
            ("total", total),
            ("reconstruction", reconstruction),
            ("energy", energy),
            ("covariance_penalty", penalty),
            ("usage_entropy", usage),
        ])
    }
}

/// `Σ_k Σ_j 1/Σ_kjj`, which keeps components from collapsing to a point.
fn covariance_penalty(covariances: Tensor<3>) -> Tensor<1> {
    diagonals(covariances)
        .clamp_min(LEAST_VARIANCE)
        .recip()
        .sum()
}

/// `−Σ_k φ_k log φ_k` in nats: log K where all components are used alike, 0 where one is.
fn usage_entropy(weights: Tensor<1>) -> Tensor<1> {
    let logarithms = weights.clone().clamp_min(1e-12).log();
    -(weights * logarithms).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        let device = Device::flex();
        let covariances = Tensor::<3>::from_data([[[0.5, 9.0], [9.0, 4.0]]], &device);
        let penalty = covariance_penalty(covariances).into_scalar::<f32>();
        assert!((penalty - 2.25).abs() < 1e-6);
        let entropy = |weights: [f32; 4]| {
            usage_entropy(Tensor::<1>::from_data(weights, &device)).into_scalar::<f32>()
        };
        assert!((entropy([0.25; 4]) - 4f32.ln()).abs() < 1e-6);
        assert!(entropy([1.0, 0.0, 0.0, 0.0]).abs() < 1e-6);
    }
}
