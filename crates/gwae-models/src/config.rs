//! Architecture of a GWAE.

use gwae_priors::{PriorConfig, PriorConfigError};
use serde::Serialize;

use crate::backbone::{BackboneConfig, check};
use crate::critic_activation::CriticActivation;

/// Most parameters of a prior (1 GiB of them), so that a slip of the keyboard is not an allocation
/// failure.
const MOST_PRIOR_PARAMETERS: usize = 1 << 28;

/// Everything that decides which parameters a GWAE has and how they act.
///
/// The defaults are the official CelebA settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GwaeConfig {
    /// Height and width of the images in pixels: 32, 64 or 128.
    pub image_size: usize,
    /// Colour channels: 1 or 3.
    pub channels: usize,
    /// Latent dimension L.
    pub latent_dim: usize,
    /// Multiplies every channel count of encoder and decoder (official: 1).
    pub width: f64,
    /// Batch normalisation in encoder and decoder. `latent_bn` takes its place in the encoder.
    pub batchnorm: bool,
    /// Two residual blocks after every convolution of encoder and decoder.
    pub resblock: bool,
    /// Standardise the posterior by the batch statistics of the codes.
    pub latent_bn: bool,
    /// A critic tells encoded pairs from prior pairs; without it, the batch MMD of the codes does.
    pub merged_condition: bool,
    /// Add the critic's image features to the reconstruction loss (needs `merged_condition`).
    pub learned_similarity: bool,
    /// Mix the potential of autoencoded pairs into that of prior pairs (needs `merged_condition`).
    pub mixed_potential: bool,
    /// Activation of the critic, and with it of the features of `learned_similarity`. Nothing without
    /// `merged_condition`.
    pub critic_activation: CriticActivation,
    /// Initial value of the trainable scale c between latent and data distances.
    pub initial_distance_coefficient: f64,
    /// The latent prior.
    pub prior: PriorConfig,
}

impl Default for GwaeConfig {
    fn default() -> Self {
        Self {
            image_size: 64,
            channels: 3,
            latent_dim: 64,
            width: 1.0,
            batchnorm: false,
            resblock: false,
            latent_bn: false,
            merged_condition: true,
            learned_similarity: false,
            mixed_potential: false,
            critic_activation: CriticActivation::default(),
            initial_distance_coefficient: 2.5,
            prior: PriorConfig::Neural,
        }
    }
}

/// A field of [`GwaeConfig`] that no model can be built from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelConfigError {
    /// A value outside its range.
    #[error("model.{field} = {value} is out of range: it must be {allowed}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A switch that only acts with a critic.
    #[error(
        "model.{field} = true needs the critic: set model.merged_condition = true, or model.{field} = false"
    )]
    NeedsCritic {
        /// The field.
        field: &'static str,
    },
    /// A hyper-parameter of the prior.
    #[error("model.{0}")]
    Prior(#[from] PriorConfigError),
    /// A prior that would fill the memory.
    #[error(
        "model.latent_dim = {latent_dim}: a {family} prior would have {parameters} parameters, and at most {MOST_PRIOR_PARAMETERS} are allowed: lower model.latent_dim or the size of the prior, or choose another family"
    )]
    PriorTooLarge {
        /// Its value.
        latent_dim: usize,
        /// The prior family.
        family: &'static str,
        /// How many numbers it would learn.
        parameters: usize,
    },
}

impl GwaeConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range or does not go with another.
    pub fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone().validate()?;
        let coefficient = self.initial_distance_coefficient;
        check(
            (1e-6..=1e6).contains(&coefficient),
            "initial_distance_coefficient",
            coefficient,
            "from 1e-6 to 1e6 (official: 2.5 for CelebA, else 1)",
        )?;
        for (on, field) in [
            (self.learned_similarity, "learned_similarity"),
            (self.mixed_potential, "mixed_potential"),
        ] {
            if on && !self.merged_condition {
                return Err(ModelConfigError::NeedsCritic { field });
            }
        }
        self.prior.validate()?;
        let parameters = self.prior.parameters(self.latent_dim);
        if parameters > MOST_PRIOR_PARAMETERS {
            return Err(ModelConfigError::PriorTooLarge {
                latent_dim: self.latent_dim,
                family: self.prior.family(),
                parameters,
            });
        }
        Ok(())
    }

    /// What encoder and decoder are built from.
    pub fn backbone(&self) -> BackboneConfig {
        BackboneConfig {
            image_size: self.image_size,
            channels: self.channels,
            latent_dim: self.latent_dim,
            width: self.width,
            batchnorm: self.batchnorm,
            resblock: self.resblock,
            latent_bn: self.latent_bn,
        }
    }

    /// The same with another encoder and decoder.
    pub fn with_backbone(self, backbone: BackboneConfig) -> Self {
        let BackboneConfig {
            image_size,
            channels,
            latent_dim,
            width,
            batchnorm,
            resblock,
            latent_bn,
        } = backbone;
        Self {
            image_size,
            channels,
            latent_dim,
            width,
            batchnorm,
            resblock,
            latent_bn,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_field_and_the_way_out() {
        let message = |change: fn(&mut GwaeConfig)| {
            let mut config = GwaeConfig::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(message(|c| c.latent_dim = 0).starts_with("model.latent_dim = 0"));
        assert!(message(|c| c.image_size = 48).contains("32, 64 or 128"));
        assert!(message(|c| c.width = f64::NAN).starts_with("model.width"));
        assert!(
            message(|c| {
                c.merged_condition = false;
                c.mixed_potential = true;
            })
            .contains("model.merged_condition = true")
        );
        let prior = PriorConfig::GaussianMixture {
            components: 1,
            form: Default::default(),
        };
        let config = GwaeConfig {
            prior,
            ..GwaeConfig::default()
        };
        assert!(
            config
                .validate()
                .unwrap_err()
                .to_string()
                .starts_with("model.prior.components = 1")
        );
        assert_eq!(GwaeConfig::default().validate(), Ok(()));
    }
}
