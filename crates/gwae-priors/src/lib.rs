#![doc = include_str!("../README.md")]

mod causal;
mod factorized_neural;
mod family;
mod fixed;
mod form;
mod gaussian_mixture;
mod gumbel;
mod neural;
mod prior;
mod registry;
mod table;
#[cfg(test)]
mod testing;
mod vector_quantized;

pub use causal::{CausalConfig, CausalMap, CausalPrior, RandomGraph};
pub use factorized_neural::{FactorizedNeuralConfig, FactorizedNeuralPrior};
pub use family::{PriorConfigError, PriorFamily};
pub use fixed::{
    FactorizedNormalConfig, FactorizedUniformConfig, FixedDistribution, FixedPrior, SphericalConfig,
};
pub use form::Form;
pub use gaussian_mixture::{GaussianMixtureConfig, GaussianMixturePrior};
pub use neural::{NeuralConfig, NeuralPrior};
pub use prior::{Prior, PriorComponents};
pub use registry::{AnyPrior, PriorConfig, UnknownFamily};
pub use vector_quantized::{VectorQuantizedConfig, VectorQuantizedPrior};
