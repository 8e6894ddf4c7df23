//! Convolutions between images of 2×2 pixels and feature maps of one: plain matrix products.
//!
//! Padding enlarges the 2×2 pixels to 4×4. With zeros, only the four inner kernel positions meet a
//! pixel. With replication, each pixel meets the four positions of its corner.

use burn::backend::{Flex, ops::FloatTensorOps};
use burn::tensor::Shape;
use burn_flex::FlexTensor;

use super::weight_points::TAPS;
use super::{tensor, values};
use crate::PaddingMode;

/// Pixels of an image.
const PIXELS: usize = 4;

/// See `Kernels::strided_conv`; everything contiguous.
pub(super) fn strided_conv(
    images: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&[f32]>,
    padding: PaddingMode,
) -> Vec<f32> {
    let [m, n, ..] = weight.layout().shape().dims::<4>();
    let batch = images.layout().shape()[0];
    let images = images.reshape(Shape::new([batch, n * PIXELS]));
    let weight = per_pixel(values(weight), m, n, padding).transpose(0, 1);
    let mut features = values(&Flex::float_matmul(images, weight)).to_vec();
    if let Some(bias) = bias {
        add_bias(&mut features, bias, 1);
    }
    features
}

/// See `Kernels::strided_conv_transpose`; everything contiguous.
pub(super) fn strided_conv_transpose(
    features: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&[f32]>,
    padding: PaddingMode,
) -> Vec<f32> {
    let [m, n, ..] = weight.layout().shape().dims::<4>();
    let batch = features.layout().shape()[0];
    let features = features.reshape(Shape::new([batch, m]));
    let weight = per_pixel(values(weight), m, n, padding);
    let mut images = values(&Flex::float_matmul(features, weight)).to_vec();
    if let Some(bias) = bias {
        add_bias(&mut images, bias, PIXELS);
    }
    images
}

/// See `Kernels::weight_gradient`; everything contiguous.
pub(super) fn weight_gradient(
    images: &FlexTensor,
    features: &FlexTensor,
    padding: PaddingMode,
) -> Vec<f32> {
    let [batch, n, ..] = images.layout().shape().dims::<4>();
    let m = features.layout().shape()[1];
    let images = images.reshape(Shape::new([batch, n * PIXELS]));
    let features = features.reshape(Shape::new([batch, m])).transpose(0, 1);
    let gradient = Flex::float_matmul(features, images);
    let mut weight = vec![0.0; m * n * TAPS];
    let kernels = weight.chunks_exact_mut(TAPS);
    for (kernel, gradient) in kernels.zip(values(&gradient).chunks_exact(PIXELS)) {
        for (pixel, gradient) in gradient.iter().enumerate() {
            for &tap in positions(pixel, padding) {
                kernel[tap] = *gradient;
            }
        }
    }
    weight
}

/// Adds the bias to every channel; a channel has `pixels` values.
fn add_bias(values: &mut [f32], bias: &[f32], pixels: usize) {
    for sample in values.chunks_exact_mut(bias.len() * pixels) {
        for (channel, bias) in sample.chunks_exact_mut(pixels).zip(bias) {
            channel.iter_mut().for_each(|value| *value += bias);
        }
    }
}

/// The factor of each pixel of each channel, `[m, 4n]`.
fn per_pixel(weight: &[f32], m: usize, n: usize, padding: PaddingMode) -> FlexTensor {
    let mut factors = vec![0.0; m * n * PIXELS];
    let kernels = weight.chunks_exact(TAPS);
    for (factors, kernel) in factors.chunks_exact_mut(PIXELS).zip(kernels) {
        for (pixel, factor) in factors.iter_mut().enumerate() {
            *factor = positions(pixel, padding)
                .iter()
                .map(|&tap| kernel[tap])
                .sum();
        }
    }
    tensor(factors, Shape::new([m, n * PIXELS]))
}

/// The kernel positions that meet a pixel.
fn positions(pixel: usize, padding: PaddingMode) -> &'static [usize] {
    match padding {
        PaddingMode::Zeros => [&[5], &[6], &[9], &[10]][pixel],
        PaddingMode::Replicate => {
            const CORNERS: [&[usize]; PIXELS] = [
                &[0, 1, 4, 5],
                &[2, 3, 6, 7],
                &[8, 9, 12, 13],
                &[10, 11, 14, 15],
            ];
            CORNERS[pixel]
        }
    }
}
