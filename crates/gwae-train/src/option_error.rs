//! The error for a training option outside its range.

/// A training option whose value is outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("training.{field} = {value} is out of range: it must be {allowed}")]
pub struct OptionError {
    /// The option below `training`, such as `optimizer.momentum`.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// The allowed values.
    pub allowed: &'static str,
}

/// Returns the error unless `valid` is true.
pub(crate) fn check(
    valid: bool,
    field: &'static str,
    value: impl ToString,
    allowed: &'static str,
) -> Result<(), OptionError> {
    valid.then_some(()).ok_or_else(|| OptionError {
        field,
        value: value.to_string(),
        allowed,
    })
}
