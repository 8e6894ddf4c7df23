//! The configuration of one family: its hyper-parameters, their check and the prior built from them.

use std::ops::RangeInclusive;

use burn::tensor::Device;
use gwae_core::random::RandomSource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::form::Form;
use crate::prior::Prior;

/// The hyper-parameters of one family of priors.
///
/// The type stands next to its prior in the family's file. Its fields are the keys of a
/// configuration file. Derive `Deserialize` with `#[serde(default, deny_unknown_fields)]`.
pub trait PriorFamily: Clone + Default + Serialize + DeserializeOwned {
    /// The family's name in configuration files.
    const NAME: &'static str;

    /// The family in one line, for help and error messages.
    const DESCRIPTION: &'static str;

    /// Every hyper-parameter with its explanation, for commented configurations.
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[];

    /// The type of the prior.
    type Prior: Prior;

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// Names the first field that is out of range, its value and the range.
    fn validate(&self) -> Result<(), PriorConfigError> {
        Ok(())
    }

    /// A freshly initialised prior over `latent_dim` entries, with its parameters on `device`.
    ///
    /// # Errors
    /// If `latent_dim` is 0 or [`validate`](Self::validate) fails.
    fn init(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Prior, PriorConfigError> {
        if latent_dim == 0 {
            return Err(PriorConfigError::NoLatentEntry);
        }
        self.validate()?;
        Ok(self.build(latent_dim, noise, device))
    }

    /// Builds the prior from checked values. Call [`init`](Self::init), which checks them.
    fn build(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Self::Prior;

    /// Approximate number of trainable values at `latent_dim` entries; saturates at the largest
    /// `usize`.
    fn parameters(&self, latent_dim: usize) -> usize;

    /// The form of a family whose official sampler has a mistake; `None` for the others.
    fn form_mut(&mut self) -> Option<&mut Form> {
        None
    }
}

/// A configuration from which no prior can be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriorConfigError {
    /// A hyper-parameter outside its range.
    #[error("prior.{field} = {value} is out of range: it must be {allowed}")]
    OutOfRange {
        /// The field of the family's configuration.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The range.
        allowed: String,
    },
    /// A latent dimension of 0.
    #[error("prior: latent_dim = 0 is out of range: a code has at least one entry")]
    NoLatentEntry,
}

/// Largest number of components or embeddings, so that a typing error does not exhaust the memory.
pub(crate) const MOST: usize = 65_536;

/// Returns an error that names `field` and `range` if `value` is outside the range.
pub(crate) fn check_range(
    field: &'static str,
    value: usize,
    range: RangeInclusive<usize>,
) -> Result<(), PriorConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(PriorConfigError::OutOfRange {
        field,
        value,
        allowed: format!("from {} to {}", range.start(), range.end()),
    })
}
