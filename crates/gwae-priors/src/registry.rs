//! The registry of the families. A new family is one file, and one line at the end of this file.

use std::str::FromStr;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::RandomSource;
use serde::de::value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::causal::{CausalConfig, CausalPrior};
use crate::factorized_neural::{FactorizedNeuralConfig, FactorizedNeuralPrior};
use crate::family::{PriorConfigError, PriorFamily};
use crate::fixed::{FactorizedNormalConfig, FactorizedUniformConfig, FixedPrior, SphericalConfig};
use crate::form::Form;
use crate::gaussian_mixture::{GaussianMixtureConfig, GaussianMixturePrior};
use crate::neural::{NeuralConfig, NeuralPrior};
use crate::prior::{Prior, PriorComponents};
use crate::table::{Families, Family};
use crate::vector_quantized::{VectorQuantizedConfig, VectorQuantizedPrior};

/// Writes the two enums over all families and their matches.
///
/// A family without hyper-parameters is a plain variant, `PriorConfig::Neural`. A family with
/// hyper-parameters holds its configuration,
/// `PriorConfig::GaussianMixture(GaussianMixtureConfig { .. })`.
macro_rules! families {
    (
        without_hyper_parameters {
            $($(#[$attribute:meta])* $plain:ident: $plain_config:ident => $plain_prior:ident,)*
        }
        with_hyper_parameters {
            $($variant:ident: $config:ident => $prior:ident,)*
        }
    ) => {
        /// The prior family of a model, with its hyper-parameters.
        ///
        /// In TOML: `family = "gaussian_mixture"` with the fields of that family beside it. A field of
        /// another family is an error. From a string ([`FromStr`]): the name of a family, with its
        /// default hyper-parameters.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub enum PriorConfig {
            $(#[doc = concat!("See [`", stringify!($plain_config), "`].")] $(#[$attribute])* $plain,)*
            $(#[doc = concat!("See [`", stringify!($config), "`].")] $variant($config),)*
        }

        /// The prior of a model, of the family that its configuration names.
        ///
        /// The variant's name is part of the path of its parameters in a stored model.
        #[derive(Module, Debug)]
        // A model has only one prior, so its size matters little. Burn's `Module` is not implemented
        // for `Box`.
        #[allow(clippy::large_enum_variant)]
        pub enum AnyPrior {
            $(#[doc = concat!("Built from [`", stringify!($plain_config), "`].")] $plain($plain_prior),)*
            $(#[doc = concat!("Built from [`", stringify!($config), "`].")] $variant($prior),)*
        }

        const FAMILIES: Families<PriorConfig> = Families(&[
            $(Family::of::<$plain_config>(),)*
            $(Family::of::<$config>(),)*
        ]);

        $(impl From<$plain_config> for PriorConfig {
            fn from(_: $plain_config) -> Self {
                Self::$plain
            }
        })*

        $(impl From<$config> for PriorConfig {
            fn from(config: $config) -> Self {
                Self::$variant(config)
            }
        })*

        impl PriorConfig {
            /// The name of the family in configuration files.
            pub fn family(&self) -> &'static str {
                match self {
                    $(Self::$plain => $plain_config::NAME,)*
                    $(Self::$variant(_) => $config::NAME,)*
                }
            }

            /// Checks every hyper-parameter.
            ///
            /// # Errors
            /// Names the first field that is out of range, its value and the range.
            pub fn validate(&self) -> Result<(), PriorConfigError> {
                match self {
                    $(Self::$plain => $plain_config {}.validate(),)*
                    $(Self::$variant(config) => config.validate(),)*
                }
            }

            /// Approximate number of trainable values of this family at `latent_dim` entries;
            /// saturates at the largest `usize`.
            pub fn parameters(&self, latent_dim: usize) -> usize {
                match self {
                    $(Self::$plain => $plain_config {}.parameters(latent_dim),)*
                    $(Self::$variant(config) => config.parameters(latent_dim),)*
                }
            }

            /// The form of a family whose official sampler has a mistake; `None` for the others.
            pub fn form_mut(&mut self) -> Option<&mut Form> {
                match self {
                    $(Self::$plain => None,)*
                    $(Self::$variant(config) => config.form_mut(),)*
                }
            }

            /// A freshly initialised prior over `latent_dim` entries, with its parameters on
            /// `device`.
            ///
            /// # Errors
            /// If `latent_dim` is 0 or [`validate`](Self::validate) fails.
            pub fn init(
                &self,
                latent_dim: usize,
                noise: &mut dyn RandomSource,
                device: &Device,
            ) -> Result<AnyPrior, PriorConfigError> {
                Ok(match self {
                    $(Self::$plain => {
                        AnyPrior::$plain($plain_config {}.init(latent_dim, noise, device)?)
                    })*
                    $(Self::$variant(config) => {
                        AnyPrior::$variant(config.init(latent_dim, noise, device)?)
                    })*
                })
            }
        }

        impl Serialize for PriorConfig {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$plain => Written::of(&$plain_config {}).serialize(serializer),)*
                    $(Self::$variant(config) => Written::of(config).serialize(serializer),)*
                }
            }
        }

        impl AnyPrior {
            fn inner(&self) -> &dyn Prior {
                match self {
                    $(Self::$plain(prior) => prior,)*
                    $(Self::$variant(prior) => prior,)*
                }
            }
        }
    };
}

/// A configuration as a file contains it.
#[derive(Serialize)]
struct Written<'a, C> {
    family: &'static str,
    #[serde(flatten)]
    config: &'a C,
}

impl<'a, C: PriorFamily> Written<'a, C> {
    fn of(config: &'a C) -> Self {
        Self {
            family: C::NAME,
            config,
        }
    }
}

impl<'de> Deserialize<'de> for PriorConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FAMILIES.deserialize(deserializer)
    }
}

/// An unknown name of a prior family.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such prior family: {0}")]
pub struct UnknownFamily(String);

impl FromStr for PriorConfig {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<Self, UnknownFamily> {
        FAMILIES
            .find(name)
            .and_then(|family| family.default_config())
            .map_err(|error: value::Error| UnknownFamily(error.to_string()))
    }
}

impl PriorConfig {
    /// The name of every family in configuration files, with a description in one line.
    pub fn families() -> impl Iterator<Item = (&'static str, &'static str)> {
        let families = FAMILIES.0.iter();
        families.map(|family| (family.name, family.description))
    }

    /// Every hyper-parameter of this family with its explanation.
    pub fn explanations(&self) -> &'static [(&'static str, &'static str)] {
        let mut families = FAMILIES.0.iter();
        let own = families.find(|family| family.name == self.family());
        own.map_or(&[], |family| family.explanations)
    }
}

impl Prior for AnyPrior {
    fn latent_dim(&self) -> usize {
        self.inner().latent_dim()
    }

    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        self.inner().sample(batch, mode, noise, device)
    }

    fn log_density(&self, codes: Tensor<2>) -> Option<Tensor<1>> {
        self.inner().log_density(codes)
    }

    fn components(&self) -> Option<&dyn PriorComponents> {
        self.inner().components()
    }
}

families! {
    without_hyper_parameters {
        #[default]
        Neural: NeuralConfig => NeuralPrior,
        FactorizedNeural: FactorizedNeuralConfig => FactorizedNeuralPrior,
        FactorizedNormal: FactorizedNormalConfig => FixedPrior,
        FactorizedUniform: FactorizedUniformConfig => FixedPrior,
        Spherical: SphericalConfig => FixedPrior,
    }
    with_hyper_parameters {
        GaussianMixture: GaussianMixtureConfig => GaussianMixturePrior,
        VectorQuantized: VectorQuantizedConfig => VectorQuantizedPrior,
        Causal: CausalConfig => CausalPrior,
    }
}

#[cfg(test)]
mod tests;
