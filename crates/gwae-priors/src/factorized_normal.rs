//! The standard normal prior, nothing trainable.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, normal_tensor};

use crate::Prior;

/// `z = ε`, ε ~ N(0, I): the prior of a variational autoencoder.
///
/// A draw asks for: standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct FactorizedNormalPrior {
    latent_dim: usize,
}

impl FactorizedNormalPrior {
    /// A prior over `latent_dim` entries.
    pub fn new(latent_dim: usize) -> Self {
        Self { latent_dim }
    }
}

impl Prior for FactorizedNormalPrior {
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
        normal_tensor(noise, [batch, self.latent_dim], device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn samples_are_the_noise_itself() {
        let mut tape = Tape::new(8);
        let prior = FactorizedNormalPrior::new(3);
        let codes = prior.sample(5000, Mode::Train, &mut tape, &Device::flex());
        assert_eq!(tape.shapes(), [(Kind::Normal, 15_000)]);
        let codes = values(codes);
        assert_eq!(codes, tape.read(0));
        // Mean 0, variance 1, fourth moment 3.
        assert!(moment(&codes, 1).abs() < 0.03);
        assert!((moment(&codes, 2) - 1.0).abs() < 0.04);
        assert!((moment(&codes, 4) - 3.0).abs() < 0.3);
    }
}
