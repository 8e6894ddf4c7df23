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
mod vae_family;

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
pub use vae_family::annealed_vae::{AnnealedVae, AnnealedVaeConfig};
pub use vae_family::beta_tcvae::{BetaTcvae, BetaTcvaeConfig};
pub use vae_family::beta_vae::BetaVaeConfig;
pub use vae_family::dip_vae::{DipVae, DipVaeIConfig, DipVaeIiConfig};
pub use vae_family::factor_vae::{
    DensityRatioCritic, FactorVae, FactorVaeConfig, FactorVaeObjective,
};
pub use vae_family::info_vae::{InfoVae, InfoVaeConfig};
pub use vae_family::regulariser::{Penalty, Regulariser};
pub use vae_family::wae_mmd::{WaeMmd, WaeMmdConfig};
