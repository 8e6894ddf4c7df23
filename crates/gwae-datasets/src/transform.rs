//! From an 8-bit image of any size to a model's input: square, f32, in `[0, 1]`.

use serde::{Deserialize, Serialize};

use crate::resize::{Resizer, Sample, Window};
use crate::{Dataset, DatasetError, Image, Item};

/// Largest side of a model's input, in pixels.
pub(crate) const MAX_SIZE: usize = 4096;

/// Rec. 601 luma: how much red, green and blue add to brightness.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// What a model wants to see, in the order in which it is done.
///
/// * Crop: with `crop`, the square of that side in the image's centre, as torchvision's
///   `CenterCrop`: where one row or column more is left on one side, the place is rounded to the
///   even one. An image smaller than the square is an error.
/// * Values: `v / 255`.
/// * Size: bilinear (triangle filter) with antialiasing, half-pixel centres, edge weights
///   renormalised; what Pillow calls `BILINEAR` and PyTorch `interpolate(mode="bilinear",
///   antialias=True)`. An image that has the size already is not touched. An image that is
///   not square is stretched.
/// * Channels: 1 → 3 by repetition, 3 → 1 by Rec. 601 luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    /// Height and width of the output in pixels.
    pub size: usize,
    /// Channels of the output: 1 or 3.
    pub channels: usize,
    /// Side of the square that is cut out of the image's centre first, in pixels; `None` takes
    /// the whole image. 144 for CelebA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<usize>,
}

impl Transform {
    /// The whole image at `size`×`size` with `channels` channels.
    pub fn new(size: usize, channels: usize) -> Self {
        Self {
            size,
            channels,
            crop: None,
        }
    }

    /// The same after a centre crop of `side`×`side` pixels.
    pub fn cropped(self, side: usize) -> Self {
        Self {
            crop: Some(side),
            ..self
        }
    }

    /// Number of values of an output image: `channels · size · size`.
    pub fn output_len(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// The image as model input, `[C, H, W]` with `C = channels`, `H = W = size`, values in `[0, 1]`.
    ///
    /// # Errors
    /// [`DatasetError::Size`], [`DatasetError::Channels`], [`DatasetError::Crop`] for a transform
    /// out of range, [`DatasetError::Image`] for an image that is empty, inconsistent, or has
    /// neither 1 nor 3 channels, [`DatasetError::SmallerThanCrop`] for one that is too small.
    pub fn apply(&self, image: &Image) -> Result<Vec<f32>, DatasetError> {
        let mut values = Vec::new();
        self.append(image, &mut values)?;
        Ok(values)
    }

    pub(crate) fn check(&self) -> Result<(), DatasetError> {
        if !(1..=MAX_SIZE).contains(&self.size) {
            return Err(DatasetError::Size { size: self.size });
        }
        if !matches!(self.channels, 1 | 3) {
            return Err(DatasetError::Channels {
                channels: self.channels,
            });
        }
        if self.crop == Some(0) {
            return Err(DatasetError::Crop);
        }
        Ok(())
    }

    /// Appends what [`Transform::apply`] gives to `values`.
    fn append(&self, image: &Image, values: &mut Vec<f32>) -> Result<(), DatasetError> {
        let start = values.len();
        self.append_planes(image, values)?;
        let end = values.len();
        for _ in 1..self.output_len() / (end - start) {
            values.extend_from_within(start..end);
        }
        Ok(())
    }

    /// The output without repeated planes: one plane of a grey image, else `channels` planes.
    pub(crate) fn planes(&self, image: &Image) -> Result<Vec<f32>, DatasetError> {
        let mut planes = Vec::new();
        self.append_planes(image, &mut planes)?;
        Ok(planes)
    }

    /// Appends what [`Transform::planes`] gives to `planes`.
    fn append_planes(&self, image: &Image, planes: &mut Vec<f32>) -> Result<(), DatasetError> {
        self.check()?;
        let area = image.height.checked_mul(image.width).unwrap_or(0);
        if area == 0
            || !matches!(image.channels, 1 | 3)
            || area.checked_mul(image.channels) != Some(image.pixels.len())
        {
            return Err(DatasetError::Image {
                channels: image.channels,
                height: image.height,
                width: image.width,
                pixels: image.pixels.len(),
            });
        }
        let (height, width) = (image.height, image.width);
        let window = Window::centre(height, width, self.crop).ok_or({
            DatasetError::SmallerThanCrop {
                height,
                width,
                crop: self.crop.unwrap_or(0),
            }
        })?;
        let resizer = Resizer::new(window, self.size);
        let planes_len = image.channels.min(self.channels) * self.size * self.size;
        planes.reserve_exact(planes_len);
        if image.channels == 3 && self.channels == 1 {
            // The luma is taken first: both steps are linear, and one plane is resized, not three.
            let luma = luma(&image.pixels, area);
            resizer.append(&luma, image.width, planes);
        } else {
            for plane in image.pixels.chunks_exact(area) {
                resizer.append(plane, image.width, planes);
            }
        }
        Ok(())
    }

    /// The item's image as [`Transform::planes`] gives it; an error names the item.
    pub(crate) fn planes_of(
        &self,
        dataset: &dyn Dataset,
        index: usize,
        item: &Item,
    ) -> Result<Vec<f32>, DatasetError> {
        self.planes(&item.image)
            .map_err(|error| in_item(dataset, index, error))
    }

    /// Appends the item's image to `values`; an error names the item.
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

    /// Reads the item, or as much of it as is wanted.
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

/// The error of an image with the name of its item.
pub(crate) fn in_item(dataset: &dyn Dataset, index: usize, error: DatasetError) -> DatasetError {
    DatasetError::Item {
        dataset: dataset.name().to_owned(),
        index,
        error: Box::new(error),
    }
}

/// Brightness in `[0, 1]` of three planes of `area` values.
fn luma(pixels: &[u8], area: usize) -> Vec<f32> {
    let (red, rest) = pixels.split_at(area);
    let (green, blue) = rest.split_at(area);
    red.iter()
        .zip(green.iter().zip(blue))
        .map(|(r, (g, b))| LUMA[0] * r.unit() + LUMA[1] * g.unit() + LUMA[2] * b.unit())
        .collect()
}
