//! Images that are more precise than bytes.

use crate::image_shape::ImageShape;

/// One image as numbers, planar.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatImage {
    /// Its channels, height and width.
    pub shape: ImageShape,
    /// `channels · height · width` values in `[0, 1]`, in `[C, H, W]` order.
    pub values: Vec<f32>,
}
