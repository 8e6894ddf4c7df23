//! Trainable latent priors for Gromov-Wasserstein autoencoders.

mod config;

pub use config::{Form, PriorConfig, PriorConfigError};

use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, noise::NoiseSource};

/// A latent prior: noise in, codes out, differentiable in its parameters.
pub trait Prior {
    /// Latent dimension L.
    fn latent_dim(&self) -> usize;

    /// Draws `batch` codes `[batch, L]`; each family documents which noise it asks for, in order.
    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn NoiseSource,
        device: &Device,
    ) -> Tensor<2>;
}
