//! Scores of how far an image is from the training data.

use burn::tensor::Tensor;
use gwae_core::{reconstruction_error, relative_reconstruction_error};
pub use gwae_metrics::ScoreDirection;

use crate::encoded::Encoded;

/// One number per image.
#[derive(Clone, Debug)]
pub struct Score {
    /// Its name in tables and files.
    pub name: &'static str,
    /// The values that mean "far from the training data".
    pub direction: ScoreDirection,
    /// `[batch]`.
    pub values: Tensor<1>,
}

impl Score {
    /// A score called `name`.
    ///
    /// # Shapes
    /// - `values`: `[batch]`
    pub fn new(name: &'static str, direction: ScoreDirection, values: Tensor<1>) -> Self {
        Self {
            name,
            direction,
            values,
        }
    }
}

/// The scores that need only a reconstruction. `reconstruction_error` is half the squared error
/// summed over an image; it grows with the contrast of the image. `relative_error` is the distance
/// between image and reconstruction, divided by the image's norm; it does not.
pub fn reconstruction_scores(encoded: &Encoded) -> Vec<Score> {
    let images = || encoded.images.clone();
    let reconstructed = || encoded.reconstructed.clone();
    let error = reconstruction_error(images(), reconstructed());
    let relative = relative_reconstruction_error(images(), reconstructed());
    vec![
        Score::new(
            "reconstruction_error",
            ScoreDirection::HigherIsOutside,
            error,
        ),
        Score::new("relative_error", ScoreDirection::HigherIsOutside, relative),
    ]
}
