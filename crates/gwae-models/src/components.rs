//! The components of a model's latent mixture.

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;

use crate::encoded::Encoded;

/// A latent mixture of K components.
pub trait Components {
    /// Mixture weights, `[K]`, which sum to 1.
    fn weights(&self) -> Tensor<1>;

    /// The logarithm of each component's weight times its density at each image. The largest entry
    /// of a row marks the most probable component of the image.
    ///
    /// # Shapes
    /// - output: `[batch, K]`
    fn log_densities(&self, encoded: &Encoded) -> Tensor<2>;

    /// The most probable component of each image, counted from 0. Of equally probable ones, the last.
    fn most_probable(&self, encoded: &Encoded) -> Vec<usize> {
        let densities = self.log_densities(encoded);
        let components = densities.dims()[1];
        let densities: Vec<f64> = densities.into_data().iter::<f64>().collect();
        let rows = densities.chunks(components);
        rows.map(|row| {
            let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.expect("a mixture has components").0
        })
        .collect()
    }

    /// Draws `count` codes `[count, latent]` from one component, counted from 0. Asks `noise` for
    /// standard normal `[count, latent]`.
    ///
    /// # Panics
    /// If `component` is not below K.
    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values;
    use crate::{
        Autoencoder, BackboneConfig, Dagmm, DagmmConfig, Gwae, GwaeConfig, ModelSettings, VaeConfig,
    };
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
        let model = config
            .init(&mut SeededGenerator::new(4, 0), device)
            .unwrap();
        // Moments that differ from the initial ones.
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
            backbone: backbone(),
            prior: "gaussian_mixture".parse().unwrap(),
            ..GwaeConfig::default()
        };
        config
            .init(&mut SeededGenerator::new(5, 0), device)
            .unwrap()
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
            let draws = (&model).draw(component, count, &mut SeededGenerator::new(8, 0));
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
                // Five standard deviations of the estimate, plus the enlargement by the
                // factorisation.
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
        let vae = vae.init(&mut SeededGenerator::new(4, 0), &device).unwrap();
        assert!(vae.components().is_none());
        let gwae = GwaeConfig {
            backbone: backbone(),
            ..GwaeConfig::default()
        };
        let gwae = gwae.init(&mut SeededGenerator::new(4, 0), &device).unwrap();
        assert!(gwae.components().is_none());
    }
}
