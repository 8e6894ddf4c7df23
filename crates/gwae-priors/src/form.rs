//! The choice between the paper and the authors' program.

use serde::{Deserialize, Serialize};

/// The behaviour in places where the authors' program has an evident mistake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As the paper describes it (the default).
    #[default]
    Corrected,
    /// As the authors' released program computes it, for comparing numbers with it.
    Official,
}

/// The explanation of a family's `form`.
pub(crate) const FORM_EXPLANATION: (&str, &str) = (
    "form",
    "\"corrected\": as the paper describes the prior. \"official\": as the authors' program \
     computes it.",
);
