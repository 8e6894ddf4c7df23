//! Which model a run trains.

use std::fmt;

use gwae_priors::PriorConfig;
use serde::{Deserialize, Serialize};

use crate::autoencoder::Autoencoder;
use crate::backbone::BackboneConfig;
use crate::config::{GwaeConfig, ModelConfigError};
use crate::critic_activation::CriticActivation;
use crate::dagmm::{Dagmm, DagmmConfig};
use crate::gwae::Gwae;
use crate::vae::{Vae, VaeConfig};

/// A model and everything that decides which parameters it has and how they act.
///
/// In TOML: `kind = "vae"` with the fields of that model beside it; without `kind` a GWAE. A field of
/// another model is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "Fields")]
pub enum ModelConfig {
    /// Gromov-Wasserstein autoencoder.
    Gwae(GwaeConfig),
    /// Variational autoencoder.
    Vae(VaeConfig),
    /// Deep autoencoding Gaussian mixture model.
    Dagmm(DagmmConfig),
}

/// The models, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Gromov-Wasserstein autoencoder.
    #[default]
    Gwae,
    /// Variational autoencoder.
    Vae,
    /// Deep autoencoding Gaussian mixture model.
    Dagmm,
}

impl fmt::Display for ModelKind {
    /// As in files.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gwae => "gwae",
            Self::Vae => "vae",
            Self::Dagmm => "dagmm",
        })
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self::Gwae(GwaeConfig::default())
    }
}

impl From<GwaeConfig> for ModelConfig {
    fn from(config: GwaeConfig) -> Self {
        Self::Gwae(config)
    }
}

impl From<VaeConfig> for ModelConfig {
    fn from(config: VaeConfig) -> Self {
        Self::Vae(config)
    }
}

impl From<DagmmConfig> for ModelConfig {
    fn from(config: DagmmConfig) -> Self {
        Self::Dagmm(config)
    }
}

impl ModelConfig {
    /// Which model it is.
    pub fn kind(&self) -> ModelKind {
        match self {
            Self::Gwae(_) => ModelKind::Gwae,
            Self::Vae(_) => ModelKind::Vae,
            Self::Dagmm(_) => ModelKind::Dagmm,
        }
    }

    /// What encoder and decoder are built from.
    pub fn backbone(&self) -> BackboneConfig {
        match self {
            Self::Gwae(config) => config.backbone(),
            Self::Vae(config) => config.backbone.clone(),
            Self::Dagmm(config) => config.backbone.clone(),
        }
    }

    /// Changes what encoder and decoder are built from.
    pub fn set_backbone(&mut self, backbone: BackboneConfig) {
        match self {
            Self::Gwae(config) => *config = config.clone().with_backbone(backbone),
            Self::Vae(config) => config.backbone = backbone,
            Self::Dagmm(config) => config.backbone = backbone,
        }
    }

    /// Changes the latent dimension L.
    pub fn set_latent_dim(&mut self, latent_dim: usize) {
        self.set_backbone(BackboneConfig {
            latent_dim,
            ..self.backbone()
        });
    }

    /// The configuration of a GWAE, where it is one.
    pub fn gwae(&self) -> Option<&GwaeConfig> {
        match self {
            Self::Gwae(config) => Some(config),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn gwae_mut(&mut self) -> Option<&mut GwaeConfig> {
        match self {
            Self::Gwae(config) => Some(config),
            _ => None,
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range or does not go with another.
    pub fn validate(&self) -> Result<(), ModelConfigError> {
        match self {
            Self::Gwae(config) => config.validate(),
            Self::Vae(config) => config.validate(),
            Self::Dagmm(config) => config.validate(),
        }
    }
}

/// A model of any kind, for use (without autodiff).
#[derive(Debug)]
pub enum Model {
    /// Gromov-Wasserstein autoencoder.
    Gwae(Box<Gwae>),
    /// Variational autoencoder.
    Vae(Box<Vae>),
    /// Deep autoencoding Gaussian mixture model.
    Dagmm(Box<Dagmm>),
}

impl Model {
    /// What all models can do.
    pub fn autoencoder(&self) -> &dyn Autoencoder {
        match self {
            Self::Gwae(model) => model.as_ref(),
            Self::Vae(model) => model.as_ref(),
            Self::Dagmm(model) => model.as_ref(),
        }
    }

    /// The GWAE, where it is one.
    pub fn gwae(&self) -> Option<&Gwae> {
        match self {
            Self::Gwae(model) => Some(model),
            _ => None,
        }
    }
}

/// Every field of every model, as read from a file.
///
/// Serde's own tagged enums need their tag and lose the place of an error in the file.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
struct Fields {
    #[serde(default)]
    kind: ModelKind,
    image_size: Option<usize>,
    channels: Option<usize>,
    latent_dim: Option<usize>,
    width: Option<f64>,
    batchnorm: Option<bool>,
    resblock: Option<bool>,
    latent_bn: Option<bool>,
    merged_condition: Option<bool>,
    learned_similarity: Option<bool>,
    mixed_potential: Option<bool>,
    critic_activation: Option<CriticActivation>,
    initial_distance_coefficient: Option<f64>,
    prior: Option<PriorConfig>,
    divergence_weight: Option<f64>,
    components: Option<usize>,
    estimation_features: Option<usize>,
    dropout: Option<f64>,
    energy_weight: Option<f64>,
    covariance_weight: Option<f64>,
}

/// A field of another model.
#[derive(Debug, thiserror::Error)]
#[error(
    "model.{field} does nothing for kind = \"{kind}\": remove it, or choose kind = \"{owner}\""
)]
struct Misplaced {
    field: &'static str,
    kind: ModelKind,
    owner: ModelKind,
}

impl Fields {
    /// Names the first field that is there and belongs to another model.
    fn check_owners(&self) -> Result<(), Misplaced> {
        use ModelKind::{Dagmm, Gwae, Vae};
        let fields = [
            (Gwae, "merged_condition", self.merged_condition.is_some()),
            (
                Gwae,
                "learned_similarity",
                self.learned_similarity.is_some(),
            ),
            (Gwae, "mixed_potential", self.mixed_potential.is_some()),
            (Gwae, "critic_activation", self.critic_activation.is_some()),
            (
                Gwae,
                "initial_distance_coefficient",
                self.initial_distance_coefficient.is_some(),
            ),
            (Gwae, "prior", self.prior.is_some()),
            (Vae, "divergence_weight", self.divergence_weight.is_some()),
            (Dagmm, "components", self.components.is_some()),
            (
                Dagmm,
                "estimation_features",
                self.estimation_features.is_some(),
            ),
            (Dagmm, "dropout", self.dropout.is_some()),
            (Dagmm, "energy_weight", self.energy_weight.is_some()),
            (Dagmm, "covariance_weight", self.covariance_weight.is_some()),
        ];
        let misplaced = |(owner, _, there): &(ModelKind, _, bool)| *there && *owner != self.kind;
        match fields.into_iter().find(misplaced) {
            None => Ok(()),
            Some((owner, field, _)) => Err(Misplaced {
                field,
                kind: self.kind,
                owner,
            }),
        }
    }

    /// Encoder and decoder, with `default` for what the file leaves out.
    fn backbone(&self, default: BackboneConfig) -> BackboneConfig {
        BackboneConfig {
            image_size: self.image_size.unwrap_or(default.image_size),
            channels: self.channels.unwrap_or(default.channels),
            latent_dim: self.latent_dim.unwrap_or(default.latent_dim),
            width: self.width.unwrap_or(default.width),
            batchnorm: self.batchnorm.unwrap_or(default.batchnorm),
            resblock: self.resblock.unwrap_or(default.resblock),
            latent_bn: self.latent_bn.unwrap_or(default.latent_bn),
        }
    }

    fn gwae(self) -> GwaeConfig {
        let default = GwaeConfig::default();
        let backbone = self.backbone(default.backbone());
        let default = default.with_backbone(backbone);
        GwaeConfig {
            merged_condition: self.merged_condition.unwrap_or(default.merged_condition),
            learned_similarity: self
                .learned_similarity
                .unwrap_or(default.learned_similarity),
            mixed_potential: self.mixed_potential.unwrap_or(default.mixed_potential),
            critic_activation: self.critic_activation.unwrap_or(default.critic_activation),
            initial_distance_coefficient: self
                .initial_distance_coefficient
                .unwrap_or(default.initial_distance_coefficient),
            prior: self.prior.unwrap_or(default.prior),
            ..default
        }
    }

    fn vae(self) -> VaeConfig {
        let default = VaeConfig::default();
        VaeConfig {
            divergence_weight: self.divergence_weight.unwrap_or(default.divergence_weight),
            backbone: self.backbone(default.backbone),
        }
    }

    fn dagmm(self) -> DagmmConfig {
        let default = DagmmConfig::default();
        DagmmConfig {
            components: self.components.unwrap_or(default.components),
            estimation_features: self
                .estimation_features
                .unwrap_or(default.estimation_features),
            dropout: self.dropout.unwrap_or(default.dropout),
            energy_weight: self.energy_weight.unwrap_or(default.energy_weight),
            covariance_weight: self.covariance_weight.unwrap_or(default.covariance_weight),
            backbone: self.backbone(default.backbone),
        }
    }
}

impl TryFrom<Fields> for ModelConfig {
    type Error = Misplaced;

    fn try_from(fields: Fields) -> Result<Self, Misplaced> {
        fields.check_owners()?;
        Ok(match fields.kind {
            ModelKind::Gwae => Self::Gwae(fields.gwae()),
            ModelKind::Vae => Self::Vae(fields.vae()),
            ModelKind::Dagmm => Self::Dagmm(fields.dagmm()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ModelConfig, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn every_kind_survives_its_text() {
        let dagmm = DagmmConfig {
            components: 4,
            ..DagmmConfig::default()
        };
        let gwae = GwaeConfig {
            critic_activation: CriticActivation::Absolute,
            ..GwaeConfig::default()
        };
        let models: [ModelConfig; 4] = [
            GwaeConfig::default().into(),
            gwae.into(),
            VaeConfig::default().into(),
            dagmm.into(),
        ];
        for config in models {
            let text = toml::to_string(&config).unwrap();
            assert!(text.starts_with(&format!("kind = \"{}\"", config.kind())));
            assert_eq!(read(&text), Ok(config), "{text}");
        }
    }

    #[test]
    fn defaults_depend_on_the_kind() {
        assert_eq!(read(""), Ok(ModelConfig::default()));
        let config = read("kind = \"dagmm\"\nimage_size = 32\n").unwrap();
        let backbone = config.backbone();
        assert_eq!((backbone.image_size, backbone.latent_dim), (32, 16));
        assert_eq!(read("kind = \"vae\"").unwrap().backbone().latent_dim, 64);
    }

    #[test]
    fn a_field_of_another_kind_is_an_error() {
        let message = read("kind = \"vae\"\nmerged_condition = true\n").unwrap_err();
        assert_eq!(
            message,
            "model.merged_condition does nothing for kind = \"vae\": remove it, or choose kind = \"gwae\""
        );
        assert!(
            read("components = 5")
                .unwrap_err()
                .contains("kind = \"dagmm\"")
        );
        assert!(
            read("kind = \"gan\"")
                .unwrap_err()
                .contains("unknown variant")
        );
        assert!(
            read("critic_activation = \"relu\"")
                .unwrap_err()
                .contains("`leaky_relu` or `absolute`")
        );
        assert!(read("widht = 1.0").unwrap_err().contains("unknown field"));
    }
}
