//! The uniform prior on the unit sphere, nothing trainable.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, normal_tensor};

use crate::Prior;

/// Shorter draws are divided by this instead of by their length.
const SHORTEST: f64 = 1e-12;

/// `z = ε / max(‖ε‖₂, 10⁻¹²)`, ε ~ N(0, I): uniform on the sphere of radius 1.
///
/// A draw asks for: standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct SphericalPrior {
    latent_dim: usize,
}

impl SphericalPrior {
    /// A prior over `latent_dim` entries.
    pub fn new(latent_dim: usize) -> Self {
        Self { latent_dim }
    }
}

impl Prior for SphericalPrior {
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
        let epsilon = normal_tensor(noise, [batch, self.latent_dim], device);
        let length = epsilon.clone().square().sum_dim(1).sqrt();
        epsilon / length.clamp_min(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn samples_are_directions_of_the_noise() {
        let mut tape = Tape::new(10);
        let prior = SphericalPrior::new(3);
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
    fn a_zero_draw_stays_finite() {
        let mut noise = Replay::new([vec![0.0, 0.0]]);
        let codes = SphericalPrior::new(2).sample(1, Mode::Train, &mut noise, &Device::flex());
        assert_eq!(values(codes), [0.0, 0.0]);
    }
}
