//! The Gromov-Wasserstein autoencoder with its encoder, decoder and critic, and the baselines that
//! share them: [`Vae`] and [`Dagmm`].

mod autoencoder;
mod backbone;
mod components;
mod config;
mod critic;
mod critic_activation;
mod dagmm;
mod decoder;
mod encoder;
mod gwae;
mod latent_norm;
mod model;
pub mod official;
mod residual;
mod spectral;
#[cfg(test)]
mod testing;
mod vae;

pub use autoencoder::{Autoencoder, Encoded, Score, reconstruction_scores};
pub use backbone::BackboneConfig;
pub use components::Components;
pub use config::{GwaeConfig, ModelConfigError};
pub use critic::{Critic, ImageBranch, NormalisedCritic};
pub use critic_activation::CriticActivation;
pub use dagmm::{Dagmm, DagmmConfig, EstimationNetwork, RunningMoments};
pub use decoder::{Decoder, DecoderStage};
pub use encoder::{Encoder, EncoderStage, Head, Posterior};
pub use gwae::Gwae;
pub use latent_norm::LatentNorm;
pub use model::{Model, ModelConfig, ModelKind};
pub use residual::{PointwiseLayer, ResidualBlock};
pub use spectral::{NormalisedWeight, SpectralWeight};
pub use vae::{Vae, VaeConfig};
