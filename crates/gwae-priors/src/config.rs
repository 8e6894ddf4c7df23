//! Which prior family, with its hyper-parameters.

use std::str::FromStr;

use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Serialize};

/// The prior family of a model: which distributions the latent prior can become.
///
/// In TOML: `family = "gaussian_mixture"` with the fields of that family beside it. A field of
/// another family is an error. From a string ([`FromStr`]): the family of that name with its
/// default hyper-parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "snake_case", try_from = "Fields")]
pub enum PriorConfig {
    /// A multilayer perceptron over Gaussian noise (NP): any smooth distribution.
    #[default]
    Neural,
    /// One small perceptron per latent entry (FNP): independent entries, for disentanglement.
    FactorizedNeural,
    /// A mixture of Gaussians (GMP), for clusters.
    GaussianMixture {
        /// Number of components, 2 to 65536 (default 10).
        components: usize,
        /// Which form of the sampler: [`Form::Official`] has diagonal covariances and frozen
        /// mixture weights.
        form: Form,
    },
    /// N(0, I), nothing trainable.
    FactorizedNormal,
    /// Independent uniform entries of unit variance, nothing trainable.
    FactorizedUniform,
    /// Uniform on the unit sphere, nothing trainable.
    Spherical,
    /// The trainable embedding nearest to a normal draw.
    VectorQuantized {
        /// Number of embeddings, 1 to 65536 (default 64).
        embeddings: usize,
    },
    /// Noise through linear maps masked by a random directed acyclic graph.
    Causal {
        /// Which form of the sampler: [`Form::Official`] uses the last map only.
        form: Form,
    },
}

const DEFAULT_COMPONENTS: usize = 10;
const DEFAULT_EMBEDDINGS: usize = 64;

/// Most components or embeddings, so that a slip of the keyboard is not an allocation failure.
const MOST: usize = 65_536;

/// Where the authors' program has an evident slip, which of the two behaviours to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// What the paper describes (the default).
    #[default]
    Corrected,
    /// What the authors' released program computes, for comparing numbers with it.
    Official,
}

/// A hyper-parameter of a prior that no sampler can be built from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("prior.{field} = {value} is out of range: it must be {allowed}")]
pub struct PriorConfigError {
    /// Field of [`PriorConfig`].
    pub field: &'static str,
    /// Its value.
    pub value: usize,
    /// What is allowed.
    pub allowed: &'static str,
}

impl PriorConfig {
    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// Names the first field that is out of range, its value and what is allowed.
    pub fn validate(&self) -> Result<(), PriorConfigError> {
        let (field, value, least, allowed) = match *self {
            Self::GaussianMixture { components, .. } => {
                ("components", components, 2, "from 2 to 65536")
            }
            Self::VectorQuantized { embeddings } => {
                ("embeddings", embeddings, 1, "from 1 to 65536")
            }
            _ => return Ok(()),
        };
        if (least..=MOST).contains(&value) {
            return Ok(());
        }
        Err(PriorConfigError {
            field,
            value,
            allowed,
        })
    }
}

impl PriorConfig {
    /// The name of the family in configuration files.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Neural => "neural",
            Self::FactorizedNeural => "factorized_neural",
            Self::GaussianMixture { .. } => "gaussian_mixture",
            Self::FactorizedNormal => "factorized_normal",
            Self::FactorizedUniform => "factorized_uniform",
            Self::Spherical => "spherical",
            Self::VectorQuantized { .. } => "vector_quantized",
            Self::Causal { .. } => "causal",
        }
    }

    /// The form of a family whose official sampler has a slip; `None` for the others.
    pub fn form_mut(&mut self) -> Option<&mut Form> {
        match self {
            Self::GaussianMixture { form, .. } | Self::Causal { form } => Some(form),
            _ => None,
        }
    }

    /// Numbers that a sampler of this family learns at `latent_dim` dimensions, the largest of
    /// them at least; saturates.
    pub fn parameters(&self, latent_dim: usize) -> usize {
        let square = latent_dim.saturating_mul(latent_dim);
        match self {
            // Four maps, L→4L→4L→4L→L.
            Self::Neural => square.saturating_mul(40),
            Self::FactorizedNeural => latent_dim.saturating_mul(53),
            Self::GaussianMixture { components, .. } => {
                components.saturating_mul(square.saturating_add(latent_dim))
            }
            Self::VectorQuantized { embeddings } => embeddings.saturating_mul(latent_dim),
            Self::Causal { .. } => square.saturating_mul(8),
            Self::FactorizedNormal | Self::FactorizedUniform | Self::Spherical => 0,
        }
    }
}

/// A name that no prior family has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such prior family: {0}")]
pub struct UnknownFamily(String);

impl FromStr for PriorConfig {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<Self, UnknownFamily> {
        let name: value::StrDeserializer<'_, value::Error> = name.into_deserializer();
        let family = Family::deserialize(name).map_err(|e| UnknownFamily(e.to_string()))?;
        let fields = Fields {
            family,
            components: None,
            embeddings: None,
            form: None,
        };
        Ok(fields.try_into().expect("defaults fit every family"))
    }
}

/// Names of the families in configuration files.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Family {
    Neural,
    FactorizedNeural,
    GaussianMixture,
    FactorizedNormal,
    FactorizedUniform,
    Spherical,
    VectorQuantized,
    Causal,
}

/// Every field of every family, as read from a file.
///
/// Serde's own tagged enums silently accept any field beside a family that has none.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as prior = { family = \"neural\" }"
)]
struct Fields {
    family: Family,
    components: Option<usize>,
    embeddings: Option<usize>,
    form: Option<Form>,
}

/// A hyper-parameter beside a family that does not have it.
#[derive(Debug, thiserror::Error)]
#[error("prior.{field} does nothing for this family: remove it, or choose family = {owners}")]
struct Misplaced {
    field: &'static str,
    owners: &'static str,
}

impl TryFrom<Fields> for PriorConfig {
    type Error = Misplaced;

    fn try_from(mut fields: Fields) -> Result<Self, Misplaced> {
        let config = match fields.family {
            Family::Neural => Self::Neural,
            Family::FactorizedNeural => Self::FactorizedNeural,
            Family::GaussianMixture => Self::GaussianMixture {
                components: fields.components.take().unwrap_or(DEFAULT_COMPONENTS),
                form: fields.form.take().unwrap_or_default(),
            },
            Family::FactorizedNormal => Self::FactorizedNormal,
            Family::FactorizedUniform => Self::FactorizedUniform,
            Family::Spherical => Self::Spherical,
            Family::VectorQuantized => Self::VectorQuantized {
                embeddings: fields.embeddings.take().unwrap_or(DEFAULT_EMBEDDINGS),
            },
            Family::Causal => Self::Causal {
                form: fields.form.take().unwrap_or_default(),
            },
        };
        // What the family did not take is left.
        let left = [
            (
                fields.components.is_some(),
                "components",
                "gaussian_mixture",
            ),
            (
                fields.embeddings.is_some(),
                "embeddings",
                "vector_quantized",
            ),
            (fields.form.is_some(), "form", "gaussian_mixture or causal"),
        ];
        match left.into_iter().find(|(present, ..)| *present) {
            Some((_, field, owners)) => Err(Misplaced { field, owners }),
            None => Ok(config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_family() -> Vec<PriorConfig> {
        let mut all = vec![
            PriorConfig::Neural,
            PriorConfig::FactorizedNeural,
            PriorConfig::FactorizedNormal,
            PriorConfig::FactorizedUniform,
            PriorConfig::Spherical,
            PriorConfig::VectorQuantized { embeddings: 3 },
        ];
        for form in [Form::Corrected, Form::Official] {
            all.push(PriorConfig::Causal { form });
            all.push(PriorConfig::GaussianMixture {
                components: 5,
                form,
            });
        }
        all
    }

    #[test]
    fn every_config_survives_toml_and_json() {
        for config in every_family() {
            let text = toml::to_string(&config).unwrap();
            assert_eq!(toml::from_str::<PriorConfig>(&text).unwrap(), config);
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<PriorConfig>(&text).unwrap(), config);
            let fields = serde_json::to_value(&config).unwrap();
            let named: PriorConfig = fields["family"].as_str().unwrap().parse().unwrap();
            assert_eq!(
                std::mem::discriminant(&named),
                std::mem::discriminant(&config)
            );
            assert_eq!(named.validate(), Ok(()));
        }
    }

    #[test]
    fn the_written_form_and_its_defaults_stay() {
        let read = |text: &str| toml::from_str::<PriorConfig>(text).unwrap();
        let mixture = |components, form| PriorConfig::GaussianMixture { components, form };
        let text = "family = \"gaussian_mixture\"\ncomponents = 4\nform = \"official\"\n";
        assert_eq!(read(text), mixture(4, Form::Official));
        assert_eq!(toml::to_string(&read(text)).unwrap(), text);
        assert_eq!(
            read("family = \"gaussian_mixture\""),
            mixture(10, Form::Corrected)
        );
        let quantized = PriorConfig::VectorQuantized { embeddings: 64 };
        assert_eq!(read("family = \"vector_quantized\""), quantized);
        assert_eq!("vector_quantized".parse(), Ok(quantized));
        assert_eq!("neural".parse(), Ok(PriorConfig::default()));
    }

    #[test]
    fn mistakes_name_the_field_and_the_way_out() {
        let message = |text: &str| toml::from_str::<PriorConfig>(text).unwrap_err().to_string();
        let unknown_family = message("family = \"gausian_mixture\"");
        assert!(
            unknown_family.contains("`gausian_mixture`"),
            "{unknown_family}"
        );
        assert!(
            unknown_family.contains("`gaussian_mixture`"),
            "{unknown_family}"
        );
        let unknown_field = message("family = \"causal\"\ncomponent = 3");
        assert!(unknown_field.contains("`component`"), "{unknown_field}");
        assert!(unknown_field.contains("`components`"), "{unknown_field}");
        let unknown_form = message("family = \"causal\"\nform = \"right\"");
        assert!(unknown_form.contains("`corrected`"), "{unknown_form}");
        assert!(message("components = 3").contains("missing field `family`"));
        let no_table = serde_json::from_str::<PriorConfig>("\"neural\"").unwrap_err();
        let no_table = no_table.to_string();
        assert!(
            no_table.contains("expected a table such as prior = { family = \"neural\" }"),
            "{no_table}"
        );

        for family in ["neural", "spherical", "vector_quantized", "causal"] {
            let misplaced = message(&format!("family = \"{family}\"\ncomponents = 3"));
            assert!(
                misplaced.contains("prior.components does nothing"),
                "{misplaced}"
            );
            assert!(misplaced.contains("gaussian_mixture"), "{misplaced}");
        }
        let misplaced = message("family = \"neural\"\nform = \"official\"");
        assert!(misplaced.contains("prior.form does nothing"), "{misplaced}");

        let error = "neral".parse::<PriorConfig>().unwrap_err().to_string();
        assert!(
            error.contains("`neral`") && error.contains("`neural`"),
            "{error}"
        );
    }

    #[test]
    fn sizes_out_of_range_are_errors() {
        let mixture = |components| PriorConfig::GaussianMixture {
            components,
            form: Form::Corrected,
        };
        let quantized = |embeddings| PriorConfig::VectorQuantized { embeddings };
        for (config, message) in [
            (
                mixture(1),
                "prior.components = 1 is out of range: it must be from 2 to 65536",
            ),
            (
                mixture(65_537),
                "prior.components = 65537 is out of range: it must be from 2 to 65536",
            ),
            (
                quantized(0),
                "prior.embeddings = 0 is out of range: it must be from 1 to 65536",
            ),
        ] {
            assert_eq!(config.validate().unwrap_err().to_string(), message);
        }
        for config in every_family().into_iter().chain([mixture(2), quantized(1)]) {
            assert_eq!(config.validate(), Ok(()));
        }
    }
}
