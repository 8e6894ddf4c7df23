//! The settings of a relative of the VAE, apart from its own fields.

/// Implements the settings of a model that has the networks of a [`Vae`](crate::Vae) and one
/// [`Regulariser`](super::regulariser::Regulariser). The type has a field `backbone`, a function
/// `check_fields(&self)` for its other fields and a function `regulariser(&self)`.
macro_rules! vae_settings {
    (
        $settings:ident,
        kind = $kind:literal,
        summary = $summary:literal,
        regulariser = $regulariser:ty,
        explanations = $explanations:expr
    ) => {
        $crate::settings::settings_table!($settings);

        impl $crate::settings::ModelSettings for $settings {
            const KIND: &'static str = $kind;
            const SUMMARY: &'static str = $summary;
            const EXPLANATIONS: &'static [(&'static str, &'static str)] = &$explanations;
            type Model = $crate::vae::Vae;

            fn validate(&self) -> Result<(), $crate::settings::ModelConfigError> {
                self.backbone.validate()?;
                self.check_fields()
            }

            fn backbone(&self) -> &$crate::networks::BackboneConfig {
                &self.backbone
            }

            fn backbone_mut(&mut self) -> &mut $crate::networks::BackboneConfig {
                &mut self.backbone
            }

            fn init(
                &self,
                noise: &mut dyn gwae_core::random::RandomSource,
                device: &burn::tensor::Device,
            ) -> Result<$crate::vae::Vae, $crate::settings::ModelConfigError> {
                $crate::settings::ModelSettings::validate(self)?;
                let (encoder, decoder) = self.backbone.init(noise, device)?;
                Ok($crate::vae::Vae::new(
                    encoder,
                    decoder,
                    self.backbone.latent_dim,
                ))
            }
        }

        impl $crate::settings::SingleObjectiveSettings for $settings {
            type Objective = $regulariser;

            fn objective(&self) -> $regulariser {
                self.regulariser()
            }
        }
    };
}
pub(crate) use vae_settings;

use crate::settings::{ModelConfigError, in_range};

/// Checks a weight of the objective.
pub(crate) fn check_weight(field: &'static str, value: f64) -> Result<(), ModelConfigError> {
    let allowed = "from 0 (term left out) to 1e9";
    in_range((0.0..=1e9).contains(&value), field, value, allowed)
}
