//! The objective of a deep autoencoding Gaussian mixture model.

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_core::{MixtureMoments, Mode, NamedLosses, diagonals, reconstruction_loss};

use super::model::Dagmm;
use crate::networks::{Decoder, Encoder};
use crate::objective::{Forward, LossTerms, Objective};

/// `mean_b ‖x_b − x̂_b‖² + λ₁·mean_b E(z_b) + λ₂·Σ_k Σ_j 1/Σ_kjj` (Zong et al., ICLR 2018, equation 7,
/// with the squared error as L). E is the energy of an image's features under the mixture. Training
/// uses the moments of the batch, evaluation the running moments.
///
/// The term `reconstruction` is half the squared error, as in all models, so that their logs can be
/// compared. The total counts it twice.
#[derive(Clone, Debug, PartialEq)]
pub struct DagmmObjective {
    /// λ₁.
    pub energy_weight: f64,
    /// λ₂.
    pub covariance_weight: f64,
}

/// Factor from the reconstruction loss, which is half the squared error, to the squared error.
const SQUARED_ERROR_OF_HALF: f64 = 2.0;

/// Variances are raised to at least this value in the penalty, which divides by them.
const LEAST_VARIANCE: f64 = 1e-6;

impl<E: Encoder, D: Decoder> Objective<Dagmm<E, D>> for DagmmObjective {
    /// In [`Mode::Train`] updates the running mixture, and asks `noise` for the numbers of the
    /// estimation network's dropout.
    fn losses(
        &self,
        model: &Dagmm<E, D>,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
        terms: &LossTerms<Dagmm<E, D>>,
    ) -> NamedLosses<Tensor<1>> {
        let encoded = model.autoencode(images.clone(), mode);
        let features = model.features(&encoded);
        let reconstruction = reconstruction_loss(images.clone(), encoded.reconstructed.clone());
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
        let total = reconstruction.clone() * SQUARED_ERROR_OF_HALF
            + energy.clone() * self.energy_weight
            + penalty.clone() * self.covariance_weight;
        let losses = NamedLosses::new([
            ("total", total),
            ("reconstruction", reconstruction),
            ("energy", energy),
            ("covariance_penalty", penalty),
            ("usage_entropy", usage),
        ]);
        terms.add_to(losses, || Forward {
            model,
            mode,
            images,
            posterior: None,
            codes: encoded.codes,
            reconstructed: encoded.reconstructed,
            generated: None,
        })
    }
}

/// `Σ_k Σ_j 1/Σ_kjj`, which keeps components from collapsing to a point.
fn covariance_penalty(covariances: Tensor<3>) -> Tensor<1> {
    diagonals(covariances)
        .clamp_min(LEAST_VARIANCE)
        .recip()
        .sum()
}

/// `−Σ_k φ_k log φ_k` in nats: log K if all components are used equally, 0 if only one is used.
fn usage_entropy(weights: Tensor<1>) -> Tensor<1> {
    let logarithms = weights.clone().clamp_min(1e-12).log();
    -(weights * logarithms).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dagmm::DagmmConfig;
    use crate::networks::BackboneConfig;
    use crate::settings::{ModelSettings, SingleObjectiveSettings};
    use burn::tensor::Device;
    use gwae_core::random::{SeededGenerator, uniform_tensor};

    /// Before any step the mixture is K standard normals, so every term has a closed form.
    #[test]
    fn the_total_is_the_published_sum() {
        let device = Device::flex();
        let config = DagmmConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 2,
                width: 0.1,
                ..BackboneConfig::default()
            },
            components: 3,
            ..DagmmConfig::default()
        };
        let mut noise = SeededGenerator::new(4, 0);
        let model = config.init(&mut noise, &device).unwrap();
        let images: Tensor<4> = uniform_tensor(&mut noise, [5, 1, 32, 32], &device);
        let numbers = |tensor: Tensor<1>| -> Vec<f64> { tensor.into_data().iter().collect() };
        let encoded = model.autoencode(images.clone(), Mode::Evaluate);
        let (inputs, outputs) = (
            numbers(images.clone().flatten(0, 3)),
            numbers(encoded.reconstructed.clone().flatten(0, 3)),
        );
        let pairs = inputs.iter().zip(&outputs);
        let squared_error = pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>() / 5.0;
        // Variances of 1, enlarged by the share 1e-3 and its square.
        let variance = 1.0 + 1e-3 + 1e-6;
        let features = numbers(model.features(&encoded).flatten(0, 1));
        let square = features.iter().map(|z| z.powi(2)).sum::<f64>() / 5.0;
        let energy = square / variance / 2.0 + 2.0 * (std::f64::consts::TAU * variance).ln();
        let penalty = 12.0;
        for (energy_weight, covariance_weight) in [(0.1, 1e-4), (0.0, 0.0), (3.0, 0.5)] {
            let weighted = DagmmConfig {
                energy_weight,
                covariance_weight,
                ..config.clone()
            };
            let (mode, none) = (Mode::Evaluate, LossTerms::none());
            let objective = weighted.objective();
            let losses = objective.losses(&model, images.clone(), mode, &mut noise, &none);
            let losses = losses.read();
            let expected = squared_error + energy_weight * energy + covariance_weight * penalty;
            let found = *losses.total();
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
            let half = losses.get("reconstruction").unwrap();
            assert!((half / squared_error - 0.5).abs() < 1e-5);
        }
    }

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
