//! Trainable latent priors for Gromov-Wasserstein autoencoders.
//!
//! The objective only ever *samples* its prior, so what is believed about the latent space
//! (independent entries, clusters, a causal order) goes in by choosing the family of
//! distributions that the prior can become. Each family is one file: a sampler that turns
//! noise into codes, differentiable in its parameters.
//!
//! ```
//! use burn::tensor::Device;
//! use gwae_core::{Mode, random::SeededGenerator};
//! use gwae_priors::{Form, Prior, PriorConfig};
//!
//! let device = Device::flex().autodiff();
//! let mut noise = SeededGenerator::new(0, 0);
//! let config = PriorConfig::GaussianMixture { components: 3, form: Form::Corrected };
//! let prior = config.init(8, &mut noise, &device);
//! let codes = prior.sample(16, Mode::Train, &mut noise, &device);
//! assert_eq!(codes.dims(), [16, 8]);
//! ```

mod causal;
mod config;
mod factorized_neural;
mod factorized_normal;
mod factorized_uniform;
mod gaussian_mixture;
mod gumbel;
mod neural;
mod sampler;
mod spherical;
#[cfg(test)]
mod testing;
mod vector_quantized;

pub use causal::{CausalMap, CausalPrior, RandomGraph};
pub use config::{Form, PriorConfig, PriorConfigError, UnknownFamily};
pub use factorized_neural::FactorizedNeuralPrior;
pub use factorized_normal::FactorizedNormalPrior;
pub use factorized_uniform::FactorizedUniformPrior;
pub use gaussian_mixture::{ComponentError, GaussianMixturePrior};
pub use neural::NeuralPrior;
pub use sampler::PriorSampler;
pub use spherical::SphericalPrior;
pub use vector_quantized::VectorQuantizedPrior;

use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, random::RandomSource};

/// Slope a of the LeakySiLU between the layers of the neural families.
const SLOPE: f64 = 0.2;

/// A latent prior: noise in, codes out, differentiable in its parameters.
pub trait Prior {
    /// Latent dimension L.
    fn latent_dim(&self) -> usize;

    /// Draws `batch` codes; each family documents which noise it asks for, in order.
    ///
    /// `device` is where the noise is uploaded: the device of the parameters, with or without
    /// automatic differentiation. Noise is a constant either way, so whether the result is
    /// tracked depends on the parameters alone (take `prior.valid()` for plain samples).
    ///
    /// # Shapes
    /// - output: `[batch, L]`
    ///
    /// # Panics
    /// In [`Mode::Train`] with a batch of one, in the families that end in a batch
    /// normalisation: the variance of one draw does not exist.
    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2>;
}
