//! Strided convolutions, each by the algorithm that suits its size.

use burn::backend::Flex;
use burn::tensor::Shape;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::sums::sum;
use super::winograd::Geometry;
use super::{direct, single_pixel, sum_in_order, tensor, values, vectorised};
use crate::{PaddingMode, portable};

/// From this number of tiles in a batch on, Winograd's algorithm is the faster one.
const LEAST_TILES: usize = 48;

/// The algorithm of a convolution.
enum Algorithm {
    /// Plain matrix products, for feature maps of one pixel.
    SinglePixel,
    /// Winograd's algorithm on tiles of 2×2 pixels of the feature map.
    Winograd,
    /// One matrix product with the weight as it lies in memory. Used for an odd height or width,
    /// and for too few tiles to pay for computing Winograd's points of the weight.
    Direct,
}

impl Algorithm {
    fn of(batch: usize, geometry: &Geometry) -> Self {
        let (height, width) = (geometry.height, geometry.width);
        if (height, width) == (1, 1) {
            Self::SinglePixel
        } else if height.is_multiple_of(2)
            && width.is_multiple_of(2)
            && batch * geometry.tiles() >= LEAST_TILES
        {
            Self::Winograd
        } else {
            Self::Direct
        }
    }
}

/// See `Kernels::strided_conv`.
pub(super) fn strided_conv(
    images: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    padding: PaddingMode,
) -> FlexTensor {
    let [batch, n, height, width] = images.layout().shape().dims();
    let [m, ..] = weight.layout().shape().dims::<4>();
    let (height, width) = (height / 2, width / 2);
    let geometry = Geometry {
        m,
        n,
        height,
        width,
        padding,
    };
    let (images, weight) = (images.to_contiguous(), weight.to_contiguous());
    let bias = bias.map(|bias| bias.to_contiguous());
    let bias = bias.as_ref().map(values);
    let features = match Algorithm::of(batch, &geometry) {
        Algorithm::SinglePixel => single_pixel::strided_conv(&images, &weight, bias, padding),
        Algorithm::Winograd => geometry.strided_conv(values(&images), values(&weight), bias),
        Algorithm::Direct => direct::strided_conv(geometry, values(&images), values(&weight), bias),
    };
    tensor(features, Shape::new([batch, m, height, width]))
}

/// See `Kernels::strided_conv_transpose`.
pub(super) fn strided_conv_transpose(
    features: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    padding: PaddingMode,
) -> FlexTensor {
    let [batch, m, height, width] = features.layout().shape().dims();
    let [_, n, ..] = weight.layout().shape().dims::<4>();
    let geometry = Geometry {
        m,
        n,
        height,
        width,
        padding,
    };
    let (features, weight) = (features.to_contiguous(), weight.to_contiguous());
    let bias = bias.map(|bias| bias.to_contiguous());
    let bias = bias.as_ref().map(values);
    let images = match Algorithm::of(batch, &geometry) {
        Algorithm::SinglePixel => {
            single_pixel::strided_conv_transpose(&features, &weight, bias, padding)
        }
        Algorithm::Winograd => {
            geometry.strided_conv_transpose(values(&features), values(&weight), bias)
        }
        Algorithm::Direct => {
            direct::strided_conv_transpose(geometry, values(&features), values(&weight), bias)
        }
    };
    tensor(images, Shape::new([batch, n, 2 * height, 2 * width]))
}

/// See `Kernels::weight_gradient`.
pub(super) fn weight_gradient(
    images: FlexTensor,
    weight: FlexTensor,
    features: FlexTensor,
    padding: PaddingMode,
) -> FlexTensor {
    let [batch, m, height, width] = features.layout().shape().dims();
    let [_, n, ..] = images.layout().shape().dims::<4>();
    let geometry = Geometry {
        m,
        n,
        height,
        width,
        padding,
    };
    let algorithm = Algorithm::of(batch, &geometry);
    if let Algorithm::Direct = algorithm {
        return portable::weight_gradient::<Flex>(images, weight, features, padding);
    }
    let (images, features) = (images.to_contiguous(), features.to_contiguous());
    let gradient = match algorithm {
        Algorithm::Winograd => geometry.weight_gradient(values(&images), values(&features)),
        _ => single_pixel::weight_gradient(&images, &features, padding),
    };
    tensor(gradient, Shape::new([m, n, 4, 4]))
}

/// See `Kernels::channel_sums`.
pub(super) fn channel_sums(x: FlexTensor) -> FlexTensor {
    let [_, channels, height, width] = x.layout().shape().dims();
    let x = x.to_contiguous();
    let pixels = (height * width).max(1);
    let plane_sum = |plane: &[f32]| {
        let mut total = 0.0;
        vectorised(|| total = sum(plane));
        total
    };
    let samples: Vec<Vec<f32>> = values(&x)
        .par_chunks((channels * pixels).max(1))
        .map(|sample| sample.chunks_exact(pixels).map(plane_sum).collect())
        .collect();
    tensor(sum_in_order(samples, channels), Shape::new([channels]))
}
