//! How an image of another aspect ratio becomes a model's input.

use serde::{Deserialize, Serialize};

/// How an image of another aspect ratio than the model's becomes its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The largest part in the centre that has the aspect ratio; for a square input the central square.
    #[default]
    Crop,
    /// The whole image, with black margins at two sides.
    Pad,
    /// The whole image, stretched.
    Stretch,
}
