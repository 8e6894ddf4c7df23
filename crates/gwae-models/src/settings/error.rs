//! Errors of settings from which no model can be built.

use gwae_priors::PriorConfigError;

/// Largest number of parameters of a prior (1 GiB of memory), so that a typing error does not
/// exhaust the memory.
pub(crate) const MOST_PRIOR_PARAMETERS: usize = 1 << 28;

/// Why no model can be built from the settings.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelConfigError {
    /// A value outside its range.
    #[error("model.{field} = {value} is out of range: it must be {allowed}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A latent dimension that no memory holds.
    #[error(
        "model.latent_dim = {latent_dim} is out of range: it must be from 1 to {most}; training and its pictures would need about {gibibytes:.0} GiB"
    )]
    LatentTooLarge {
        /// Its value.
        latent_dim: usize,
        /// The largest one.
        most: usize,
        /// The memory that it needs.
        gibibytes: f64,
    },
    /// Networks that are too large for the memory.
    #[error(
        "model.width = {width}: encoder and decoder would have {millions} million parameters, which need about {gibibytes:.0} GiB in training, and at most {most_millions} million are allowed: lower model.width"
    )]
    NetworksTooLarge {
        /// The factor of their channels.
        width: f64,
        /// Their parameters in millions.
        millions: f64,
        /// The largest number in millions.
        most_millions: f64,
        /// The memory that they need.
        gibibytes: f64,
    },
    /// A switch that has no effect without a critic.
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
    /// A prior too large for the memory.
    #[error(
        "model.latent_dim = {latent_dim}: a {family} prior would have {parameters} parameters, and at most {MOST_PRIOR_PARAMETERS} are allowed: lower model.latent_dim or the size of the prior, or choose another family"
    )]
    PriorTooLarge {
        /// Its value.
        latent_dim: usize,
        /// The prior family.
        family: &'static str,
        /// Number of values that it would learn.
        parameters: usize,
    },
    /// A model that another program defines.
    #[error(
        "the model `{name}` is defined in the program that trained it, not in gwae: use that program"
    )]
    DefinedElsewhere {
        /// The model's name in that program.
        name: String,
    },
    /// The message of the caller's own function that builds a model.
    #[error("{0}")]
    Own(String),
}

/// The error for `model.{field}` unless `valid`.
pub(crate) fn in_range(
    valid: bool,
    field: &'static str,
    value: impl ToString,
    allowed: &'static str,
) -> Result<(), ModelConfigError> {
    if valid {
        return Ok(());
    }
    Err(ModelConfigError::OutOfRange {
        field,
        value: value.to_string(),
        allowed,
    })
}
