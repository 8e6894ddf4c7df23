//! Converts an 8-bit image of any size to a model's input: a fixed shape, f32, values in `[0, 1]`.

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::{DatasetError, ImageError, SettingError};
use crate::fit::Fit;
use crate::float_image::FloatImage;
use crate::image_shape::{ImageShape, MAX_SIZE};
use crate::item::{Image, Item};
use crate::placed::Placed;
use crate::resize::{Sample, Window};

/// Rec. 601 luma: the weights of red, green and blue in the brightness.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The steps from an image to a model's input, in this order:
///
/// * Crop: with `crop`, the square of that side in the image's centre, as in torchvision's
///   `CenterCrop`. If the margins cannot be equal, the offset is rounded to the even number. An
///   image smaller than the square is an error.
/// * Values: `v / 255`.
/// * Size: bilinear (triangle filter) with antialiasing, half-pixel centres and renormalised
///   weights at the edges. Pillow calls it `BILINEAR`, PyTorch `interpolate(mode="bilinear",
///   antialias=True)`. An image that already has the size is not changed. An image of another
///   aspect ratio is first cropped, or gets margins, or is stretched: [`Fit`].
/// * Channels: 1 → 3 by repetition, 3 → 1 by Rec. 601 luma; an equal number of channels is not
///   changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Transform {
    /// Channels, height and width of the output.
    pub shape: ImageShape,
    /// Side in pixels of the square that is first cut out of the image's centre; `None` uses the
    /// whole image. 144 for CelebA.
    pub crop: Option<usize>,
    /// How an image of another aspect ratio is resized, after the crop.
    pub fit: Fit,
}

/// A [`Transform`] in files, where a square has one size.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    size: usize,
    /// Only if it differs from the height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    channels: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crop: Option<usize>,
    /// Images are stretched without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fit: Option<Fit>,
}

impl From<Stored> for Transform {
    fn from(stored: Stored) -> Self {
        Self {
            shape: ImageShape {
                channels: stored.channels,
                height: stored.size,
                width: stored.width.unwrap_or(stored.size),
            },
            crop: stored.crop,
            fit: stored.fit.unwrap_or(Fit::Stretch),
        }
    }
}

impl From<Transform> for Stored {
    fn from(Transform { shape, crop, fit }: Transform) -> Self {
        Self {
            size: shape.height,
            width: Some(shape.width).filter(|width| *width != shape.height),
            channels: shape.channels,
            crop,
            fit: Some(fit).filter(|fit| *fit != Fit::Stretch),
        }
    }
}

impl Transform {
    /// The whole image at `size`×`size` with `channels` channels, stretched if it is not square.
    pub fn new(size: usize, channels: usize) -> Self {
        Self::to(ImageShape::square(size, channels))
    }

    /// The whole image in this shape, stretched if its aspect ratio is another one.
    pub fn to(shape: ImageShape) -> Self {
        Self {
            shape,
            crop: None,
            fit: Fit::Stretch,
        }
    }

    /// The same transform with another way to resize images of another aspect ratio.
    pub fn fitted(self, fit: Fit) -> Self {
        Self { fit, ..self }
    }

    /// The same transform after a centre crop of `side`×`side` pixels.
    pub fn cropped(self, side: usize) -> Self {
        Self {
            crop: Some(side),
            ..self
        }
    }

    /// Number of values of an output image: `channels · height · width`.
    pub fn output_len(&self) -> usize {
        self.shape.values()
    }

    /// The image as model input, `[C, H, W]` in the output's shape, with values in `[0, 1]`.
    ///
    /// # Errors
    /// [`SettingError::Size`], [`SettingError::Channels`] and [`SettingError::Crop`] if the
    /// transform is out of range, or has channels other than 1, 3 and those of the image.
    /// [`ImageError::Inconsistent`] if the image is empty, inconsistent, or has channels that
    /// cannot be converted. [`ImageError::SmallerThanCrop`] if it is too small.
    pub fn apply(&self, image: &Image) -> Result<Vec<f32>, DatasetError> {
        let mut values = Vec::new();
        self.append(image, &mut values)?;
        Ok(values)
    }

    pub(crate) fn check(&self) -> Result<(), DatasetError> {
        let ImageShape {
            channels,
            height,
            width,
        } = self.shape;
        for size in [height, width] {
            if !(1..=MAX_SIZE).contains(&size) {
                return Err(SettingError::Size { size }.into());
            }
        }
        if !(1..=MAX_SIZE).contains(&channels) {
            return Err(SettingError::Channels { channels }.into());
        }
        if self.crop == Some(0) {
            return Err(DatasetError::Setting(SettingError::Crop));
        }
        Ok(())
    }

    /// Appends the result of [`Transform::apply`] to `values`.
    fn append(&self, image: &Image, values: &mut Vec<f32>) -> Result<(), DatasetError> {
        let start = values.len();
        self.append_planes(image, values)?;
        let end = values.len();
        for _ in 1..self.output_len() / (end - start) {
            values.extend_from_within(start..end);
        }
        Ok(())
    }

    /// The output without repeated planes: one plane for a grey image, otherwise `channels` planes.
    pub(crate) fn planes(&self, image: &Image) -> Result<Vec<f32>, DatasetError> {
        let mut planes = Vec::new();
        self.append_planes(image, &mut planes)?;
        Ok(planes)
    }

    /// Appends the result of [`Transform::planes`] to `planes`.
    fn append_planes(&self, image: &Image, planes: &mut Vec<f32>) -> Result<(), DatasetError> {
        self.append_planes_of(image.shape(), &image.pixels, planes)
    }

    /// Like [`Transform::append_planes`], for an image of bytes or of numbers in `[0, 1]`.
    fn append_planes_of<T: Sample>(
        &self,
        image: ImageShape,
        pixels: &[T],
        planes: &mut Vec<f32>,
    ) -> Result<(), DatasetError> {
        self.check()?;
        let shape = self.shape;
        let are_same = image.channels == shape.channels;
        if !are_same && !matches!(shape.channels, 1 | 3) {
            let channels = shape.channels;
            return Err(SettingError::Channels { channels }.into());
        }
        let area = image.height.checked_mul(image.width).unwrap_or(0);
        if area == 0
            || !are_same && !matches!(image.channels, 1 | 3)
            || area.checked_mul(image.channels) != Some(pixels.len())
        {
            return Err(DatasetError::Image(ImageError::Inconsistent {
                channels: image.channels,
                height: image.height,
                width: image.width,
                pixels: pixels.len(),
            }));
        }
        let (height, width) = (image.height, image.width);
        let window = Window::centre(height, width, self.crop).ok_or({
            DatasetError::Image(ImageError::SmallerThanCrop {
                height,
                width,
                crop: self.crop.unwrap_or(0),
            })
        })?;
        let placed = Placed::new(window, shape, self.fit);
        let planes_len = image.channels.min(shape.channels) * shape.area();
        planes.reserve_exact(planes_len);
        if image.channels == 3 && shape.channels == 1 {
            // The luma is computed first: both steps are linear, and this way one plane is resized,
            // not three.
            let luma = luma(pixels, area);
            placed.append(&luma, image.width, planes);
        } else {
            for plane in pixels.chunks_exact(area) {
                placed.append(plane, image.width, planes);
            }
        }
        Ok(())
    }

    /// The output without repeated planes for an image of numbers. An error names the item.
    pub(crate) fn float_planes_of(
        &self,
        dataset: &dyn Dataset,
        index: usize,
        image: &FloatImage,
    ) -> Result<Vec<f32>, DatasetError> {
        let mut planes = Vec::new();
        self.append_planes_of(image.shape, &image.values, &mut planes)
            .map_err(|error| in_item(dataset, index, error))?;
        Ok(planes)
    }

    /// The result of [`Transform::planes`] for the item's image. An error names the item.
    pub(crate) fn planes_of(
        &self,
        dataset: &dyn Dataset,
        index: usize,
        item: &Item,
    ) -> Result<Vec<f32>, DatasetError> {
        self.planes(&item.image)
            .map_err(|error| in_item(dataset, index, error))
    }

    /// Appends the item's image to `values`. An error names the item.
    pub(crate) fn append_item(
        &self,
        dataset: &dyn Dataset,
        index: usize,
        item: &Item,
        values: &mut Vec<f32>,
    ) -> Result<(), DatasetError> {
        self.append(&item.image, values)
            .map_err(|error| in_item(dataset, index, error))
    }

    /// Reads the item, or only its crop.
    pub(crate) fn item_of(
        &self,
        dataset: &dyn Dataset,
        index: usize,
    ) -> Result<Item, DatasetError> {
        match self.crop {
            Some(side) => dataset.cropped_item(index, side),
            None => dataset.item(index),
        }
    }
}

/// Adds the name of the item to the error of an image.
pub(crate) fn in_item(dataset: &dyn Dataset, index: usize, error: DatasetError) -> DatasetError {
    DatasetError::Item {
        dataset: dataset.name().to_owned(),
        index,
        error: Box::new(error),
    }
}

/// The brightness of three planes of `area` values, in `[0, 1]`.
fn luma<T: Sample>(pixels: &[T], area: usize) -> Vec<f32> {
    let (red, rest) = pixels.split_at(area);
    let (green, blue) = rest.split_at(area);
    red.iter()
        .zip(green.iter().zip(blue))
        .map(|(r, (g, b))| LUMA[0] * r.unit() + LUMA[1] * g.unit() + LUMA[2] * b.unit())
        .collect()
}
