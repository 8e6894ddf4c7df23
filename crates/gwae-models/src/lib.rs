#![doc = include_str!("../README.md")]

mod autoencoder;
mod components;
mod critic;
mod dagmm;
mod encoded;
mod gwae;
mod networks;
mod objective;
mod score;
mod settings;
#[cfg(test)]
mod testing;
mod vae;

pub use autoencoder::Autoencoder;
pub use components::Components;
pub use critic::{
    ConvCritic, ConvCriticWeights, Critic, CriticActivation, CriticConfig, CriticWeights,
    ImageBranch, NormalisedWeight, SpectralWeight,
};
pub use dagmm::{Dagmm, DagmmConfig, DagmmObjective, EstimationNetwork, RunningMoments};
pub use encoded::Encoded;
pub use gwae::{CriticTerms, Gwae, GwaeConfig, GwaeObjective, MainTerms, PriorModule};
pub use networks::{
    BackboneConfig, ConvDecoder, ConvDecoderStage, ConvEncoder, ConvEncoderStage, Decoder, Encoder,
    Head, LatentNorm, PointwiseLayer, Posterior, ResidualBlock, in_precision,
};
pub use objective::{Forward, Generated, LossTerm, LossTerms, Objective};
pub use score::{Score, ScoreDirection, reconstruction_scores};
pub use settings::{ModelConfigError, ModelSettings, SingleObjectiveSettings};
#[doc(hidden)]
pub use settings::{field_names, read_table};
pub use vae::{Vae, VaeConfig, VaeObjective};
