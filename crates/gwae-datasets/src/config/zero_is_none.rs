//! For `#[serde(with = "zero_is_none")]`: an optional count that files write as a number, with 0
//! for `None`, because TOML has no null.

use serde::{Deserialize, Deserializer, Serializer};

/// Writes the count, or 0.
///
/// # Errors
/// The error of the serialiser.
pub fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(value.unwrap_or(0))
}

/// Reads a count; 0 becomes `None`.
///
/// # Errors
/// If the value is not a whole number.
pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    Ok(Some(u64::deserialize(source)?).filter(|value| *value != 0))
}
