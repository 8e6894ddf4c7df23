//! From an 8-bit image of any size to a model's input: square, f32, in `[0, 1]`.

use serde::{Deserialize, Serialize};

use crate::{DatasetError, Image};

/// Largest side of a model's input, in pixels.
pub(crate) const MAX_SIZE: usize = 4096;

/// Rec. 601 luma: how much red, green and blue add to brightness.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// What a model wants to see.
///
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
}

impl Transform {
    /// Number of values of an output image: `channels · size · size`.
    pub fn output_len(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// The image as model input, `[C, H, W]` with `C = channels`, `H = W = size`, values in `[0, 1]`.
    ///
    /// # Errors
    /// [`DatasetError::Size`], [`DatasetError::Channels`] for a transform out of range,
    /// [`DatasetError::Image`] for an image that is empty, inconsistent, or has neither 1 nor 3
    /// channels.
    pub fn apply(&self, image: &Image) -> Result<Vec<f32>, DatasetError> {
        let planes = self.planes(image)?;
        Ok(self.repeat(&planes))
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
        Ok(())
    }

    /// The output without repeated planes: one plane of a grey image, else `channels` planes.
    pub(crate) fn planes(&self, image: &Image) -> Result<Vec<f32>, DatasetError> {
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
        let unit: Vec<f32> = image.pixels.iter().map(|&v| f32::from(v) / 255.0).collect();
        // The luma is taken first: both steps are linear, and one plane is resized, not three.
        let planes = if image.channels == 3 && self.channels == 1 {
            let (red, rest) = unit.split_at(area);
            let (green, blue) = rest.split_at(area);
            red.iter()
                .zip(green.iter().zip(blue))
                .map(|(r, (g, b))| LUMA[0] * r + LUMA[1] * g + LUMA[2] * b)
                .collect()
        } else {
            unit
        };
        if (image.height, image.width) == (self.size, self.size) {
            return Ok(planes);
        }
        let columns = filter(image.width, self.size);
        let rows = filter(image.height, self.size);
        Ok(planes
            .chunks_exact(area)
            .flat_map(|plane| resize(plane, image.width, &columns, &rows))
            .collect())
    }

    /// Planes as [`Transform::planes`] gives them, as many as `channels` says.
    pub(crate) fn repeat(&self, planes: &[f32]) -> Vec<f32> {
        planes.repeat(self.output_len() / planes.len())
    }
}

/// The input pixels that make one output pixel: the first one and the weights from there on.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// Triangle filter of every output pixel along one axis.
fn filter(input: usize, output: usize) -> Vec<Taps> {
    let ratio = input as f64 / output as f64;
    // Shrinking, the triangle widens to cover every input pixel; enlarging, it spans two.
    let support = ratio.max(1.0);
    (0..output)
        .map(|place| {
            let centre = (place as f64 + 0.5) * ratio;
            let first = (centre - support).floor().max(0.0) as usize;
            let end = ((centre + support).ceil() as usize).min(input);
            let weights: Vec<f64> = (first..end)
                .map(|pixel| (1.0 - ((pixel as f64 + 0.5 - centre) / support).abs()).max(0.0))
                .collect();
            let sum: f64 = weights.iter().sum();
            Taps {
                first,
                weights: weights.iter().map(|weight| (weight / sum) as f32).collect(),
            }
        })
        .collect()
}

fn resize(plane: &[f32], width: usize, columns: &[Taps], rows: &[Taps]) -> Vec<f32> {
    let narrow: Vec<f32> = plane
        .chunks_exact(width)
        .flat_map(|row| {
            columns.iter().map(|taps| {
                let pixels = &row[taps.first..];
                taps.weights.iter().zip(pixels).map(|(w, v)| w * v).sum()
            })
        })
        .collect();
    let width = columns.len();
    let mut output = vec![0.0; rows.len() * width];
    for (taps, row) in rows.iter().zip(output.chunks_exact_mut(width)) {
        let inputs = narrow[taps.first * width..].chunks_exact(width);
        for (weight, input) in taps.weights.iter().zip(inputs) {
            for (sum, value) in row.iter_mut().zip(input) {
                *sum += weight * value;
            }
        }
        // Rounded weights may sum to a little more than one.
        for value in row {
            *value = value.clamp(0.0, 1.0);
        }
    }
    output
}
