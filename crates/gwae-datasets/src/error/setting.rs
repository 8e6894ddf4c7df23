//! Errors of settings that are out of range.

use crate::image_shape::MAX_SIZE;

/// A setting of a dataset or of a model's input is out of range.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// An image size that no model supports.
    #[error("size: {size} pixels is out of range; use 1 to {}", MAX_SIZE)]
    Size {
        /// The value given.
        size: usize,
    },

    /// A channel count that no model supports.
    #[error(
        "channels: {channels} is out of range; use 1 (grey), 3 (colour), or as many as the images have"
    )]
    Channels {
        /// The value given.
        channels: usize,
    },

    /// A count is too small or too large.
    #[error("{field}: {count} is out of range; use 1 to {most}")]
    Count {
        /// The setting that holds the count.
        field: &'static str,
        /// The value given.
        count: usize,
        /// The largest value.
        most: usize,
    },

    /// A patch grid has fewer than two patches along a side.
    #[error("patches: a grid of {grid}×{grid} has nothing to shuffle; use 2 or more, such as 4")]
    PatchGrid {
        /// The value given.
        grid: usize,
    },

    /// A crop of size zero.
    #[error("crop: 0 pixels leave nothing of an image; use 1 or more, or none for no crop")]
    Crop,
}
