//! The floating-point type of encoder and decoder in a training step.

use std::fmt;
use std::str::FromStr;

use burn::tensor::FloatDType;
use serde::{Deserialize, Serialize};

/// The floating-point type of encoder and decoder during a training step.
///
/// Everything else always uses single precision: the parameters, their optimisers and averages,
/// batch normalisation, the prior, the critic, all losses, and validation and all later work.
/// `bf16` has only eight significant bits: an update of 1e-4 to a weight of 0.1 would be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Single,
    /// 16 bits with the range of single precision and 8 bits of significand.
    Bf16,
    /// 16 bits with 11 bits of significand. Gradients below 6e-8 become 0; losses are not scaled to
    /// prevent that.
    F16,
}

/// A text that does not name a precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no precision: choose single, bf16 or f16")]
pub struct PrecisionError(String);

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 3] = [Self::Single, Self::Bf16, Self::F16];

    /// The name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// The type that weights are rounded to; `None` in single precision.
    pub fn reduced(self) -> Option<FloatDType> {
        match self {
            Self::Single => None,
            Self::Bf16 => Some(FloatDType::BF16),
            Self::F16 => Some(FloatDType::F16),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        let named = Self::ALL.into_iter().find(|known| known.name() == text);
        named.ok_or_else(|| PrecisionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        let error = "double".parse::<Precision>().unwrap_err().to_string();
        assert!(error.contains("single, bf16 or f16"), "{error}");
    }
}
