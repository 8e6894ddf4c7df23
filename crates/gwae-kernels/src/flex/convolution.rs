//! Convolutions, each by the way that suits its size.

use burn::backend::Flex;
use burn::tensor::Shape;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::sums::sum;
use super::winograd::Geometry;
use super::{direct, single_pixel, sum_in_order, tensor, values, vectorised};
use crate::{PaddingMode, portable};

/// Tiles of a batch from which on Winograd's algorithm pays.
const LEAST_TILES: usize = 48;

/// Which way suits a convolution.
enum Way {
    /// One pixel on the small side.
    SinglePixel,
    /// Tiles of 2×2 pixels there.
    Winograd(Geometry),
    /// An odd number of lines or columns, or too few tiles to pay for the points of the weight.
    Direct(Geometry),
}

impl Way {
    fn of(batch: usize, geometry: Geometry) -> Self {
        let (height, width) = (geometry.height, geometry.width);
        if (height, width) == (1, 1) {
            Self::SinglePixel
        } else if height.is_multiple_of(2)
            && width.is_multiple_of(2)
            && batch * geometry.tiles() >= LEAST_TILES
        {
            Self::Winograd(geometry)
        } else {
            Self::Direct(geometry)
        }
    }
}

/// See `Kernels::halve`.
pub(super) fn halve(
    images: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    edge: PaddingMode,
) -> FlexTensor {
    let [batch, n, height, width] = images.layout().shape().dims();
    let [m, ..] = weight.layout().shape().dims::<4>();
    let (height, width) = (height / 2, width / 2);
    let geometry = Geometry {
        m,
        n,
        height,
        width,
        edge,
    };
    let (images, weight) = (images.to_contiguous(), weight.to_contiguous());
    let bias = bias.map(|bias| bias.to_contiguous());
    let bias = bias.as_ref().map(values);
    let features = match Way::of(batch, geometry) {
        Way::SinglePixel => single_pixel::halve(&images, &weight, bias, edge),
        Way::Winograd(geometry) => geometry.halve(values(&images), values(&weight), bias),
        Way::Direct(geometry) => direct::halve(geometry, values(&images), values(&weight), bias),
    };
    tensor(features, Shape::new([batch, m, height, width]))
}

/// See `Kernels::double`.
pub(super) fn double(
    features: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    edge: PaddingMode,
) -> FlexTensor {
    let [batch, m, height, width] = features.layout().shape().dims();
    let [_, n, ..] = weight.layout().shape().dims::<4>();
    let geometry = Geometry {
        m,
        n,
        height,
        width,
        edge,
    };
    let (features, weight) = (features.to_contiguous(), weight.to_contiguous());
    let bias = bias.map(|bias| bias.to_contiguous());
    let bias = bias.as_ref().map(values);
    let images = match Way::of(batch, geometry) {
        Way::SinglePixel => single_pixel::double(&features, &weight, bias, edge),
        Way::Winograd(geometry) => geometry.double(values(&features), values(&weight), bias),
        Way::Direct(geometry) => direct::double(geometry, values(&features), values(&weight), bias),
    };
    tensor(images, Shape::new([batch, n, 2 * height, 2 * width]))
}

/// See `Kernels::weight_gradient`.
pub(super) fn weight_gradient(
    images: FlexTensor,
    weight: FlexTensor,
    features: FlexTensor,
    edge: PaddingMode,
) -> FlexTensor {
    let [batch, m, height, width] = features.layout().shape().dims();
    let [_, n, ..] = images.layout().shape().dims::<4>();
    let geometry = Geometry {
        m,
        n,
        height,
        width,
        edge,
    };
    let way = Way::of(batch, geometry);
    if let Way::Direct(_) = way {
        return portable::weight_gradient::<Flex>(images, weight, features, edge);
    }
    let (images, features) = (images.to_contiguous(), features.to_contiguous());
    let gradient = match way {
        Way::Winograd(geometry) => geometry.weight_gradient(values(&images), values(&features)),
        _ => single_pixel::weight_gradient(&images, &features, edge),
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
