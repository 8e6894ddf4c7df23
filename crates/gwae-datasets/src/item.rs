//! The items of a dataset: images and their factors.

use crate::image_shape::ImageShape;

/// One 8-bit image, planar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Number of planes: 1 (grey), 3 (red, green, blue), or another number in your own datasets.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `channels · height · width` values in `[C, H, W]` order; 0 is black, 255 is full intensity.
    pub pixels: Vec<u8>,
}

impl Image {
    /// An image of this shape with `channels · height · width` pixels.
    pub fn new(shape: ImageShape, pixels: Vec<u8>) -> Self {
        Self {
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
            pixels,
        }
    }

    /// Its channels, height and width.
    pub fn shape(&self) -> ImageShape {
        ImageShape {
            channels: self.channels,
            height: self.height,
            width: self.width,
        }
    }
}

/// One element of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The image itself.
    pub image: Image,
    /// One value per entry of [`Dataset::factors`](crate::Dataset::factors), in that order,
    /// each in `0..FactorSpec::values`.
    pub factors: Vec<u32>,
}

/// How the values of a factor relate to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FactorKind {
    /// Values are names without an order, such as a shape or the digit in MNIST.
    Categorical,
    /// Values are ordered, such as a size.
    Ordered,
    /// Values are ordered and the last one is next to the first one, such as a hue.
    Cyclic,
}

/// One named factor of variation of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorSpec {
    /// The name in reports, such as `digit`.
    pub name: String,
    /// How its values relate to each other.
    pub kind: FactorKind,
    /// Number of distinct values; an item's value is in `0..values`.
    pub values: u32,
}

impl FactorSpec {
    /// A factor with this name and the values `0..values`.
    pub fn new(name: impl Into<String>, kind: FactorKind, values: u32) -> Self {
        Self {
            name: name.into(),
            kind,
            values,
        }
    }
}
