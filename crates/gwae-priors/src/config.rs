//! Which prior family, with its hyper-parameters.

use serde::{Deserialize, Serialize};

/// The prior family of a model: which distributions the latent prior can become.
///
/// In TOML: `family = "gaussian_mixture"` with the fields of that family beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "snake_case", deny_unknown_fields)]
pub enum PriorConfig {
    /// A multilayer perceptron over Gaussian noise (NP): any smooth distribution.
    #[default]
    Neural,
    /// One small perceptron per latent entry (FNP): independent entries, for disentanglement.
    FactorizedNeural,
    /// A mixture of Gaussians (GMP), for clusters.
    GaussianMixture {
        /// Number of components, at least 2.
        #[serde(default = "default_components")]
        components: usize,
        /// Which form of the sampler.
        #[serde(default)]
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
        /// Number of embeddings, at least 1.
        #[serde(default = "default_embeddings")]
        embeddings: usize,
    },
    /// Noise through linear maps masked by a random directed acyclic graph.
    Causal {
        /// Which form of the sampler.
        #[serde(default)]
        form: Form,
    },
}

fn default_components() -> usize {
    10
}

fn default_embeddings() -> usize {
    64
}

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
    pub fn validate(&self) -> Result<(), PriorConfigError> {
        let check = |field, value: usize, least, allowed| {
            (value >= least).then_some(()).ok_or(PriorConfigError {
                field,
                value,
                allowed,
            })
        };
        match *self {
            Self::GaussianMixture { components, .. } => {
                check("components", components, 2, "at least 2")
            }
            Self::VectorQuantized { embeddings } => {
                check("embeddings", embeddings, 1, "at least 1")
            }
            _ => Ok(()),
        }
    }
}
