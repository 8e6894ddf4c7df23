//! The size of an image.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Maximum side of a model's input, in pixels.
pub(crate) const MAX_SIZE: usize = 4096;

/// Channels, height and width of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Number of planes: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl ImageShape {
    /// A square of `size`×`size` pixels.
    pub const fn square(size: usize, channels: usize) -> Self {
        Self {
            channels,
            height: size,
            width: size,
        }
    }

    /// Number of pixels of a plane: `height · width`.
    pub const fn area(self) -> usize {
        self.height * self.width
    }

    /// Number of values of an image: `channels · height · width`.
    pub const fn values(self) -> usize {
        self.channels * self.area()
    }

    /// The same shape with other channels.
    pub const fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            channels,
            height,
            width,
        } = self;
        write!(formatter, "{channels}×{height}×{width}")
    }
}
