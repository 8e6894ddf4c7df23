//! Errors of changing an image.

/// The error for an image that cannot be changed as requested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// An image has fewer pixels along a side than patches.
    #[error(
        "image of {height}×{width} pixels (height × width) is too small for a grid of \
         {grid}×{grid} patches; use a smaller grid, or larger images"
    )]
    SmallerThanGrid {
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// Number of patches along each side.
        grid: usize,
    },

    /// An image is smaller than its crop.
    #[error(
        "image of {height}×{width} pixels (height × width) is smaller than the crop of \
         {crop}×{crop}; use a smaller crop, or none"
    )]
    SmallerThanCrop {
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// Side of the square.
        crop: usize,
    },

    /// The channels, size and number of values of an image do not fit the transform.
    #[error(
        "image of {channels}×{height}×{width} (channels × height × width) with {pixels} pixel \
         values; expected 1 or 3 channels, no empty side, and channels·height·width values"
    )]
    Inconsistent {
        /// Its channels.
        channels: usize,
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// Number of its values.
        pixels: usize,
    },
}
