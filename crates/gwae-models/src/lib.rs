//! Encoder, decoder, critic and the Gromov-Wasserstein autoencoder.

mod config;
mod critic;
mod decoder;
mod encoder;
mod gwae;
mod latent_norm;
pub mod official;
mod residual;
mod spectral;
#[cfg(test)]
mod testing;

pub use config::{GwaeConfig, GwaeConfigError};
pub use critic::{Critic, ImageBranch, NormalisedCritic};
pub use decoder::{Decoder, DecoderStage};
pub use encoder::{Encoder, EncoderStage, Head, Posterior};
pub use gwae::Gwae;
pub use latent_norm::LatentNorm;
pub use residual::{PointwiseLayer, ResidualBlock};
pub use spectral::{NormalisedWeight, SpectralWeight};
