//! Polarity: black on white, or white on black.

use serde::{Deserialize, Serialize};

/// Whether strokes or background are white.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Black strokes on white.
    #[default]
    AsPublished,
    /// White strokes on black, as in MNIST.
    Inverted,
}
