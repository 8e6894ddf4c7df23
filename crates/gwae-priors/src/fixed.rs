//! The priors without parameters: standard normal, uniform, and uniform on the sphere.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, normal_tensor, uniform_tensor};
use serde::{Deserialize, Serialize};

use crate::family::PriorFamily;
use crate::prior::Prior;

/// Lengths are raised to at least this before a draw is divided by its length.
const SHORTEST: f64 = 1e-12;

/// N(0, I), without trainable parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorizedNormalConfig {}

/// Independent uniform entries of unit variance, without trainable parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorizedUniformConfig {}

/// Uniform on the unit sphere, without trainable parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SphericalConfig {}

/// Makes a configuration without fields that builds a [`FixedPrior`].
macro_rules! fixed {
    ($config:ident, $name:literal, $description:literal, $distribution:ident) => {
        impl PriorFamily for $config {
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;
            type Prior = FixedPrior;

            fn build(
                &self,
                latent_dim: usize,
                _noise: &mut dyn RandomSource,
                _device: &Device,
            ) -> FixedPrior {
                FixedPrior {
                    latent_dim,
                    distribution: FixedDistribution::$distribution,
                }
            }

            fn parameters(&self, _latent_dim: usize) -> usize {
                0
            }
        }
    };
}

fixed!(
    FactorizedNormalConfig,
    "factorized_normal",
    "N(0, I), not trainable",
    Normal
);
fixed!(
    FactorizedUniformConfig,
    "factorized_uniform",
    "independent uniform entries of unit variance, not trainable",
    Uniform
);
fixed!(
    SphericalConfig,
    "spherical",
    "uniform on the unit sphere, not trainable",
    Sphere
);

/// A prior without trainable parameters.
#[derive(Module, Debug)]
pub struct FixedPrior {
    latent_dim: usize,
    #[module(skip)]
    distribution: FixedDistribution,
}

/// The distribution of the codes of a [`FixedPrior`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixedDistribution {
    /// `z = ε`, ε ~ N(0, I): the prior of a variational autoencoder.
    ///
    /// A draw asks for: standard normal `[batch, L]`.
    Normal,
    /// `z = √3·(2u − 1)`, u uniform: independent entries of mean 0 and variance 1.
    ///
    /// A draw asks for: uniform `[batch, L]`.
    Uniform,
    /// `z = ε / max(‖ε‖₂, 10⁻¹²)`, ε ~ N(0, I): uniform on the sphere of radius 1. It has no density
    /// in the latent space.
    ///
    /// A draw asks for: standard normal `[batch, L]`.
    Sphere,
}

impl FixedPrior {
    /// The distribution of the codes.
    pub fn distribution(&self) -> FixedDistribution {
        self.distribution
    }
}

impl Prior for FixedPrior {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn sample(
        &self,
        batch: usize,
        _mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let shape = [batch, self.latent_dim];
        match self.distribution {
            FixedDistribution::Normal => normal_tensor(noise, shape, device),
            FixedDistribution::Uniform => {
                (uniform_tensor(noise, shape, device) * 2.0 - 1.0) * 3f64.sqrt()
            }
            FixedDistribution::Sphere => {
                let epsilon = normal_tensor(noise, shape, device);
                let length = epsilon.clone().square().sum_dim(1).sqrt();
                epsilon / length.clamp_min(SHORTEST)
            }
        }
    }

    /// −∞ outside the cube of [`FixedDistribution::Uniform`]; `None` for
    /// [`FixedDistribution::Sphere`].
    fn log_density(&self, codes: Tensor<2>) -> Option<Tensor<1>> {
        let size = self.latent_dim as f64;
        match self.distribution {
            FixedDistribution::Normal => {
                let squares: Tensor<1> = codes.square().sum_dim(1).squeeze_dim(1);
                Some(squares * -0.5 - 0.5 * size * std::f64::consts::TAU.ln())
            }
            FixedDistribution::Uniform => {
                let edge = 3f64.sqrt();
                // A NaN counts as outside too.
                let outside = codes.clone().abs().lower_equal_scalar(edge).bool_not();
                let densities = Tensor::full(codes.dims(), -(2.0 * edge).ln(), &codes.device());
                let densities = densities.mask_fill(outside, f64::NEG_INFINITY);
                Some(densities.sum_dim(1).squeeze_dim(1))
            }
            FixedDistribution::Sphere => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn init(config: &impl PriorFamily<Prior = FixedPrior>, latent_dim: usize) -> FixedPrior {
        let mut no_noise = Replay::new([]);
        config
            .init(latent_dim, &mut no_noise, &Device::flex())
            .unwrap()
    }

    #[test]
    fn normal_samples_are_the_noise_itself() {
        let mut tape = Tape::new(8);
        let prior = init(&FactorizedNormalConfig {}, 3);
        let codes = prior.sample(5000, Mode::Train, &mut tape, &Device::flex());
        assert_eq!(tape.shapes(), [(Kind::Normal, 15_000)]);
        let codes = values(codes);
        assert_eq!(codes, tape.read(0));
        // Mean 0, variance 1, fourth moment 3.
        assert!(moment(&codes, 1).abs() < 0.03);
        assert!((moment(&codes, 2) - 1.0).abs() < 0.04);
        assert!((moment(&codes, 4) - 3.0).abs() < 0.3);
    }

    #[test]
    fn uniform_samples_fill_the_interval_with_unit_variance() {
        let mut tape = Tape::new(9);
        let prior = init(&FactorizedUniformConfig {}, 3);
        let codes = prior.sample(5000, Mode::Train, &mut tape, &Device::flex());
        assert_eq!(tape.shapes(), [(Kind::Uniform, 15_000)]);
        let codes = values(codes);
        let expected: Vec<f64> = tape
            .read(0)
            .iter()
            .map(|u| (6.0 * u - 3.0) / 3f64.sqrt())
            .collect();
        assert_close(&codes, &expected, 1e-6);
        // Mean 0, variance 1, fourth moment (√3)⁴/5.
        assert!(moment(&codes, 1).abs() < 0.03);
        assert!((moment(&codes, 2) - 1.0).abs() < 0.03);
        assert!((moment(&codes, 4) - 1.8).abs() < 0.08);
        let largest = codes.iter().fold(0.0f64, |a, x| a.max(x.abs()));
        assert!(largest > 1.73 && largest <= 3f64.sqrt() + 1e-6);
    }

    #[test]
    fn spherical_samples_are_directions_of_the_noise() {
        let mut tape = Tape::new(10);
        let prior = init(&SphericalConfig {}, 3);
        let codes = prior.sample(4000, Mode::Train, &mut tape, &Device::flex());
        assert_eq!(tape.shapes(), [(Kind::Normal, 12_000)]);
        let codes = values(codes);
        let expected: Vec<f64> = tape
            .read(0)
            .chunks(3)
            .flat_map(|row| {
                let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                row.iter().map(move |x| x / length).collect::<Vec<_>>()
            })
            .collect();
        assert_close(&codes, &expected, 1e-6);
        // Each coordinate of the sphere in three dimensions is uniform on [−1, 1] (Archimedes).
        assert!(moment(&codes, 1).abs() < 0.02);
        assert!((moment(&codes, 2) - 1.0 / 3.0).abs() < 0.01);
        assert!((moment(&codes, 4) - 0.2).abs() < 0.01);
    }

    #[test]
    fn a_zero_draw_on_the_sphere_stays_finite() {
        let mut noise = Replay::new([vec![0.0, 0.0]]);
        let prior = init(&SphericalConfig {}, 2);
        let codes = prior.sample(1, Mode::Train, &mut noise, &Device::flex());
        assert_eq!(values(codes), [0.0, 0.0]);
    }

    #[test]
    fn densities_equal_their_formula() {
        let device = Device::flex();
        let rows = [[0.3, -1.2], [1.7, 1.7], [-1.8, 0.0], [f32::NAN, 0.0]];
        let codes = Tensor::<2>::from_data(rows, &device);
        let density = |prior: FixedPrior| prior.log_density(codes.clone()).map(values);

        let normal = density(init(&FactorizedNormalConfig {}, 2)).unwrap();
        let naive = |z: [f64; 2]| {
            let entry = |z: f64| (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
            (entry(z[0]) * entry(z[1])).ln()
        };
        assert_close(&normal[..2], &[naive([0.3, -1.2]), naive([1.7, 1.7])], 1e-6);

        // The cube has edges of length 2√3, so a volume of 12.
        let uniform = density(init(&FactorizedUniformConfig {}, 2)).unwrap();
        assert_close(&uniform[..2], &[-12f64.ln(); 2], 1e-6);
        assert_eq!(uniform[2..], [f64::NEG_INFINITY; 2]);

        assert_eq!(density(init(&SphericalConfig {}, 2)), None);
    }

    #[test]
    fn the_ends_of_the_uniform_interval_have_a_density() {
        let device = Device::flex();
        let prior = init(&FactorizedUniformConfig {}, 2);
        let mut noise = Replay::new([vec![0.0, 1.0]]);
        let ends = prior.sample(1, Mode::Evaluate, &mut noise, &device);
        assert!(values(prior.log_density(ends).unwrap())[0].is_finite());
    }
}
