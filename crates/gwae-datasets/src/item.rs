//! What a dataset is made of: an image and the factors that it was made from.

/// One 8-bit image, planar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Number of colour planes: 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `channels · height · width` values in `[C, H, W]` order; 0 is black, 255 is full intensity.
    pub pixels: Vec<u8>,
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

/// How the values of a factor relate to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FactorKind {
    /// Values are names without an order, as the digit in MNIST or a shape.
    Categorical,
    /// Values are ordered, as a size.
    Ordered,
    /// Values are ordered and the last one is next to the first one, as a hue.
    Cyclic,
}

/// One named factor of variation of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorSpec {
    /// Name as reports print it, such as `digit`.
    pub name: String,
    /// How its values relate to one another.
    pub kind: FactorKind,
    /// Number of distinct values; an item's value is in `0..values`.
    pub values: u32,
}
