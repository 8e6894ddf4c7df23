//! Settings of a deep autoencoding Gaussian mixture model.

use burn::tensor::Device;
use gwae_core::random::RandomSource;
use serde::{Deserialize, Serialize};

use super::estimation::EstimationNetwork;
use super::model::{Dagmm, RECONSTRUCTION_FEATURES};
use super::objective::DagmmObjective;
use crate::networks::BackboneConfig;
use crate::settings::{
    ModelConfigError, ModelSettings, SingleObjectiveSettings, in_range, settings_table,
};

/// Settings of a [`Dagmm`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct DagmmConfig {
    /// Encoder (the compression network) and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Number of components K of the mixture.
    pub components: usize,
    /// Number of hidden features of the estimation network.
    pub estimation_features: usize,
    /// Share of the hidden features that dropout removes in the estimation network during training.
    pub dropout: f64,
    /// Weight λ₁ of the mixture energy in the objective; the squared error has weight 1.
    pub energy_weight: f64,
    /// Weight λ₂ of the penalty on small variances in the objective; the squared error has weight
    /// 1.
    pub covariance_weight: f64,
}

impl Default for DagmmConfig {
    /// K 10 and L 16; the other values are as published.
    fn default() -> Self {
        Self {
            backbone: BackboneConfig {
                latent_dim: 16,
                ..BackboneConfig::default()
            },
            components: 10,
            estimation_features: 10,
            dropout: 0.5,
            energy_weight: 0.1,
            covariance_weight: 1e-4,
        }
    }
}

settings_table!(DagmmConfig);

impl ModelSettings for DagmmConfig {
    const KIND: &'static str = "dagmm";
    const SUMMARY: &'static str = "deep autoencoding Gaussian mixture model";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[
        (
            "components",
            "Number of Gaussians in the mixture, from 2 to 256.",
        ),
        (
            "estimation_features",
            "Hidden features of the network that assigns images to the components.",
        ),
        (
            "dropout",
            "Share of these features that dropout removes in training, at least 0 and below 1.",
        ),
        (
            "energy_weight",
            "Weight of the mixture's energy. The squared error has weight 1.",
        ),
        (
            "covariance_weight",
            "Weight of the penalty on small variances. The squared error has weight 1.",
        ),
    ];
    type Model = Dagmm;

    fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone.validate()?;
        // The mixture has K·(L+2)² numbers, and its factorisation takes one step per dimension.
        in_range(
            self.backbone.latent_dim <= 256,
            "latent_dim",
            self.backbone.latent_dim,
            "at most 256 for kind = \"dagmm\"",
        )?;
        in_range(
            (2..=256).contains(&self.components),
            "components",
            self.components,
            "from 2 to 256",
        )?;
        in_range(
            (1..=65_536).contains(&self.estimation_features),
            "estimation_features",
            self.estimation_features,
            "from 1 to 65536",
        )?;
        in_range(
            (0.0..1.0).contains(&self.dropout),
            "dropout",
            self.dropout,
            "at least 0 and below 1",
        )?;
        for (field, value) in [
            ("energy_weight", self.energy_weight),
            ("covariance_weight", self.covariance_weight),
        ] {
            in_range(
                (0.0..=1e9).contains(&value),
                field,
                value,
                "from 0 (term left out) to 1e9",
            )?;
        }
        Ok(())
    }

    fn backbone(&self) -> &BackboneConfig {
        &self.backbone
    }

    fn backbone_mut(&mut self) -> &mut BackboneConfig {
        &mut self.backbone
    }

    fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Dagmm, ModelConfigError> {
        self.validate()?;
        let latent_dim = self.backbone.latent_dim;
        let (encoder, decoder) = self.backbone.init(noise, device)?;
        let estimation = EstimationNetwork::new(
            latent_dim + RECONSTRUCTION_FEATURES,
            self.estimation_features,
            self.components,
            self.dropout,
            noise,
            device,
        );
        Ok(Dagmm::new(encoder, decoder, estimation, latent_dim, device))
    }
}

impl SingleObjectiveSettings for DagmmConfig {
    type Objective = DagmmObjective;

    fn objective(&self) -> DagmmObjective {
        DagmmObjective {
            energy_weight: self.energy_weight,
            covariance_weight: self.covariance_weight,
        }
    }
}
