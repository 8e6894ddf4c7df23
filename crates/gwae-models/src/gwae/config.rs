//! Settings of a GWAE.

use burn::tensor::Device;
use gwae_core::random::RandomSource;
use gwae_priors::PriorConfig;
use serde::{Deserialize, Serialize};

use super::model::Gwae;
use crate::critic::{ConvCritic, CriticActivation, CriticConfig};
use crate::networks::BackboneConfig;
use crate::settings::{
    MOST_PRIOR_PARAMETERS, ModelConfigError, ModelSettings, in_range, settings_table,
};

/// The settings that decide which parameters a GWAE has and how they act.
///
/// The defaults are the official CelebA settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct GwaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Compare encoded pairs with prior pairs by a critic. If false, compare the codes by their batch
    /// MMD.
    pub merged_condition: bool,
    /// Add the critic's image features to the reconstruction loss (needs `merged_condition`).
    pub learned_similarity: bool,
    /// Mix the potential of autoencoded pairs into that of prior pairs (needs `merged_condition`).
    pub mixed_potential: bool,
    /// Activation of the critic, which also affects the features of `learned_similarity`. Without
    /// `merged_condition` it has no effect.
    pub critic_activation: CriticActivation,
    /// Initial value of the trainable scale c between latent and data distances.
    pub initial_distance_coefficient: f64,
    /// The latent prior.
    pub prior: PriorConfig,
}

settings_table!(GwaeConfig);

impl Default for GwaeConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            merged_condition: true,
            learned_similarity: false,
            mixed_potential: false,
            critic_activation: CriticActivation::default(),
            initial_distance_coefficient: 2.5,
            prior: PriorConfig::default(),
        }
    }
}

impl GwaeConfig {
    /// The official settings for images of `image_size`×`image_size` pixels (32, 64 or 128) with
    /// `channels` channels (1 or 3) and codes of `latent_dim` entries.
    pub fn new(image_size: usize, channels: usize, latent_dim: usize) -> Self {
        Self {
            backbone: BackboneConfig {
                image_size,
                channels,
                latent_dim,
                ..BackboneConfig::default()
            },
            ..Self::default()
        }
    }

    /// The critic of these settings, drawn from `noise`; `None` if they have no critic.
    ///
    /// # Errors
    /// If no critic can be built for the image size.
    pub fn init_critic(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Option<ConvCritic>, ModelConfigError> {
        let config = CriticConfig {
            image_size: self.backbone.image_size,
            channels: self.backbone.channels,
            latent_dim: self.backbone.latent_dim,
            activation: self.critic_activation,
        };
        let critic = self.merged_condition.then(|| config.init(noise, device));
        critic.transpose()
    }
}

impl ModelSettings for GwaeConfig {
    const KIND: &'static str = "gwae";
    const SUMMARY: &'static str = "Gromov-Wasserstein autoencoder";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[
        (
            "merged_condition",
            "Whether a critic compares encoded pairs with prior pairs. If false, the MMD of a batch \
             compares the codes.",
        ),
        (
            "learned_similarity",
            "Whether the critic's features of the images count in the reconstruction loss.",
        ),
        (
            "mixed_potential",
            "Whether the potential of reconstructed pairs is mixed into that of prior pairs.",
        ),
        (
            "critic_activation",
            "Activation of the critic: \"leaky_relu\" (the authors') or \"absolute\", with which a \
             critic cannot die.",
        ),
        (
            "initial_distance_coefficient",
            "First value of the trained scale between distances of codes and of images.",
        ),
        ("prior", "The distribution of the codes."),
    ];
    type Model = Gwae;

    fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone.validate()?;
        let coefficient = self.initial_distance_coefficient;
        in_range(
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
        let latent_dim = self.backbone.latent_dim;
        let parameters = self.prior.parameters(latent_dim);
        if parameters > MOST_PRIOR_PARAMETERS {
            return Err(ModelConfigError::PriorTooLarge {
                latent_dim,
                family: self.prior.family(),
                parameters,
            });
        }
        Ok(())
    }

    fn has_critic(&self) -> bool {
        self.merged_condition
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
    ) -> Result<Gwae, ModelConfigError> {
        self.validate()?;
        let (encoder, decoder) = self.backbone.init(noise, device)?;
        let prior = self.prior.init(self.backbone.latent_dim, noise, device)?;
        let critic = self.init_critic(noise, device)?;
        let scale = self.initial_distance_coefficient;
        Ok(Gwae::new(encoder, decoder, prior, critic, scale, device))
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
        assert!(message(|c| c.backbone.latent_dim = 0).starts_with("model.latent_dim = 0"));
        assert!(message(|c| c.backbone.image_size = 48).contains("32, 64 or 128"));
        assert!(message(|c| c.backbone.width = f64::NAN).starts_with("model.width"));
        assert!(
            message(|c| {
                c.merged_condition = false;
                c.mixed_potential = true;
            })
            .contains("model.merged_condition = true")
        );
        let prior = PriorConfig::GaussianMixture(gwae_priors::GaussianMixtureConfig {
            components: 1,
            form: Default::default(),
        });
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
