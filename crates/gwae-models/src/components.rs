//! The components of a model's mixture.

use burn::tensor::Tensor;
use gwae_core::Mode;
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_priors::GaussianMixturePrior;

use crate::autoencoder::Encoded;
use crate::dagmm::Dagmm;

/// A law of codes that is a mixture of K components.
pub trait Components {
    /// Mixture weights, `[K]`, of sum 1.
    fn weights(&self) -> Tensor<1>;

    /// The logarithm of each component's weight times its density at each image, whose largest entry
    /// is the component that the image most probably belongs to.
    ///
    /// # Shapes
    /// - output: `[batch, K]`
    fn log_densities(&self, encoded: &Encoded) -> Tensor<2>;

    /// Draws `count` codes `[count, latent]` from one component, counted from 0. Asks `noise` for
    /// standard normal `[count, latent]`.
    ///
    /// # Panics
    /// If there is no such component.
    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2>;
}

/// The mixture over the codes.
impl Components for GaussianMixturePrior {
    fn weights(&self) -> Tensor<1> {
        Self::weights(self)
    }

    fn log_densities(&self, encoded: &Encoded) -> Tensor<2> {
        self.mixture()
            .component_log_densities(encoded.codes.clone())
    }

    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let device = self.component_mean.val().device();
        self.component_samples(component, count, Mode::Evaluate, noise, &device)
            .expect("a component of the mixture")
    }
}

/// The mixture over codes and two features of the reconstruction, by the running statistics; draws are
/// of the codes alone.
impl Components for Dagmm {
    fn weights(&self) -> Tensor<1> {
        self.running.moments().weights
    }

    fn log_densities(&self, encoded: &Encoded) -> Tensor<2> {
        self.mixture()
            .component_log_densities(self.features(encoded))
    }

    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let mixture = self.mixture_of(self.code_moments());
        let mean = mixture.means.slice_dim(0, component);
        let factor = mixture.factors.slice_dim(0, component).squeeze_dim::<2>(0);
        let latent = mean.dims()[1];
        let epsilon = normal_tensor(noise, [count, latent], &mean.device());
        epsilon.matmul(factor.transpose()) + mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values;
    use crate::{Autoencoder, BackboneConfig, DagmmConfig, Gwae, GwaeConfig, Vae, VaeConfig};
    use burn::tensor::Device;
    use gwae_core::MixtureMoments;
    use gwae_core::random::{SeededGenerator, uniform_tensor};

    fn backbone() -> BackboneConfig {
        BackboneConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 2,
            width: 0.1,
            ..BackboneConfig::default()
        }
    }

    fn dagmm(device: &Device) -> Dagmm {
        let config = DagmmConfig {
            backbone: backbone(),
            components: 3,
            ..DagmmConfig::default()
        };
        let model = Dagmm::new(&config, &mut SeededGenerator::new(4, 0), device).unwrap();
        // Any moments but those that it begins with.
        let features = uniform_tensor(&mut SeededGenerator::new(6, 0), [40, 4], device);
        let memberships: Tensor<2> =
            uniform_tensor(&mut SeededGenerator::new(7, 0), [40, 3], device);
        let memberships = memberships.clone() / memberships.sum_dim(1);
        for _ in 0..20 {
            let moments = MixtureMoments::of(features.clone(), memberships.clone());
            model.running.update(&moments);
        }
        model
    }

    fn mixture(device: &Device) -> Gwae {
        let config = GwaeConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 2,
            width: 0.1,
            prior: "gaussian_mixture".parse().unwrap(),
            ..GwaeConfig::default()
        };
        Gwae::new(&config, &mut SeededGenerator::new(5, 0), device).unwrap()
    }

    #[test]
    fn densities_sum_up_to_the_score_of_the_model() {
        let device = Device::flex();
        let (gwae, dagmm) = (mixture(&device), dagmm(&device));
        let images: Tensor<4> =
            uniform_tensor(&mut SeededGenerator::new(5, 0), [4, 1, 32, 32], &device);
        let models: [(&dyn Autoencoder, &str); 2] =
            [(&gwae, "prior_negative_log_likelihood"), (&dagmm, "energy")];
        for (model, score) in models {
            let encoded = model.encoded(images.clone());
            let components = model.components().unwrap();
            let weights = values(components.weights());
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-5);
            let densities = values(components.log_densities(&encoded));
            let scores = model.own_scores(&encoded).into_iter();
            let mut scores = scores.filter(|own| own.name == score);
            let expected = values(scores.next().unwrap().values);
            for (row, expected) in densities.chunks(weights.len()).zip(expected) {
                let sum: f64 = row.iter().map(|density| density.exp()).sum();
                assert!((-sum.ln() - expected).abs() < 1e-3 * expected.abs().max(1.0));
            }
        }
    }

    #[test]
    fn draws_have_the_moments_of_their_component() {
        let device = Device::flex();
        let model = dagmm(&device);
        let count = 4_000;
        for component in 0..3 {
            let draws = model.draw(component, count, &mut SeededGenerator::new(8, 0));
            assert_eq!(draws.dims(), [count, 2]);
            let draws = values(draws);
            let moments = model.running.moments();
            let (means, covariances) = (values(moments.means), values(moments.covariances));
            for (row, column) in [(0, 0), (0, 1), (1, 1)] {
                let mean = |axis| means[4 * component + axis];
                let products = draws
                    .chunks(2)
                    .map(|z| (z[row] - mean(row)) * (z[column] - mean(column)));
                let found = products.sum::<f64>() / count as f64;
                let expected = covariances[16 * component + 4 * row + column];
                // Five standard deviations of the estimate, with what the factorisation enlarges.
                let scale = covariances[16 * component + 5 * row].sqrt()
                    * covariances[16 * component + 5 * column].sqrt();
                let allowed = (5.0 * (2.0 / count as f64).sqrt() + 2e-3) * scale;
                assert!((found - expected).abs() < allowed, "{found} {expected}");
            }
        }
    }

    #[test]
    fn other_models_have_none() {
        let device = Device::flex();
        let vae = VaeConfig {
            backbone: backbone(),
            ..VaeConfig::default()
        };
        let vae = Vae::new(&vae, &mut SeededGenerator::new(4, 0), &device).unwrap();
        assert!(vae.components().is_none());
        let gwae = GwaeConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 2,
            width: 0.1,
            ..GwaeConfig::default()
        };
        let gwae = Gwae::new(&gwae, &mut SeededGenerator::new(4, 0), &device).unwrap();
        assert!(gwae.components().is_none());
    }
}
