//! Critics: Kantorovich potentials D(x, z) on pairs of image and code.

mod activation;
mod convolutional;
mod potential;
mod spectral;

pub use activation::CriticActivation;
pub use convolutional::{ConvCritic, ConvCriticWeights, CriticConfig, ImageBranch};
pub use potential::{Critic, CriticWeights};
pub use spectral::{NormalisedWeight, SpectralWeight};
