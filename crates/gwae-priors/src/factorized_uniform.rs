//! The uniform prior of unit variance, nothing trainable.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, uniform_tensor};

use crate::Prior;

/// `z = √3·(2u − 1)`, u uniform: independent entries of mean 0 and variance 1.
///
/// A draw asks for: uniform `[batch, L]`.
#[derive(Module, Debug)]
pub struct FactorizedUniformPrior {
    latent_dim: usize,
}

impl FactorizedUniformPrior {
    /// A prior over `latent_dim` entries.
    pub fn new(latent_dim: usize) -> Self {
        Self { latent_dim }
    }
}

impl Prior for FactorizedUniformPrior {
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
        (uniform_tensor(noise, [batch, self.latent_dim], device) * 2.0 - 1.0) * 3f64.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn samples_fill_the_interval_with_unit_variance() {
        let mut tape = Tape::new(9);
        let prior = FactorizedUniformPrior::new(3);
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
}
