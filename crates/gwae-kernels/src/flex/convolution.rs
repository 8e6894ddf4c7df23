//! Convolutions as matrix products over blocks of the batch.
//!
//! A block of samples is unfolded into a matrix with one row per input channel and kernel
//! position and one column per output pixel, `[n·16, pixels]`. With the weight as `[m, n·16]`,
//! halving is `weight·taps`, doubling folds `weightᵀ·features` back, and the transposed gradient
//! of the weight is `taps·featuresᵀ`: the orders and layouts that the matrix product packs
//! fastest. A block is small enough that its matrix never leaves the cache, and blocks run on
//! different cores. Their number depends on the shapes alone, so that sums are always added up in
//! the same order and results do not depend on the number of cores.

use burn::backend::{DType, Flex, ops::FloatTensorOps};
use burn::tensor::Shape;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::unfold::{Geometry, TAPS};
use super::{tensor, values};
use crate::Edge;

/// Partial sums of the weight's gradient.
const PARTIAL_SUMS: usize = 8;

/// See `Kernels::halve`.
pub(super) fn halve(images: FlexTensor, weight: FlexTensor, edge: Edge) -> FlexTensor {
    let [batch, n, height, width] = images.layout().shape().dims();
    let m = weight.layout().shape()[0];
    let geometry = Geometry {
        batch,
        m,
        n,
        height: height / 2,
        width: width / 2,
        edge,
    };
    let images = images.to_contiguous();
    let weight = weight.to_contiguous().reshape(Shape::new([m, n * TAPS]));
    let block = geometry.block();
    let pixels = geometry.pixels();

    let mut output = vec![0.0; batch * geometry.small()];
    let blocks = output
        .par_chunks_mut(block * geometry.small())
        .zip(values(&images).par_chunks(block * geometry.large()));
    blocks.for_each(|(output, images)| {
        let product = Flex::float_matmul(weight.clone(), geometry.unfold(images));
        // [m, samples·pixels] to [samples, m, pixels].
        let product = values(&product);
        let samples = images.len() / geometry.large();
        for (sample, output) in output.chunks_exact_mut(geometry.small()).enumerate() {
            let lines = product.chunks_exact(samples * pixels);
            for (line, output) in lines.zip(output.chunks_exact_mut(pixels)) {
                output.copy_from_slice(&line[sample * pixels..][..pixels]);
            }
        }
    });
    tensor(
        output,
        Shape::new([batch, m, geometry.height, geometry.width]),
    )
}

/// See `Kernels::double`.
pub(super) fn double(features: FlexTensor, weight: FlexTensor, edge: Edge) -> FlexTensor {
    let [batch, m, height, width] = features.layout().shape().dims();
    let n = weight.layout().shape()[1];
    let geometry = Geometry {
        batch,
        m,
        n,
        height,
        width,
        edge,
    };
    let features = features.to_contiguous();
    let weight = weight.to_contiguous().reshape(Shape::new([m, n * TAPS]));
    let weight = weight.transpose(0, 1);
    let block = geometry.block();

    let mut output = vec![0.0; batch * geometry.large()];
    let blocks = output.par_chunks_mut(block * geometry.large());
    blocks.enumerate().for_each(|(index, output)| {
        let samples = output.len() / geometry.large();
        let features = geometry.features(&features, index * block, samples);
        geometry.fold(&Flex::float_matmul(weight.clone(), features), output);
    });
    tensor(output, Shape::new([batch, n, 2 * height, 2 * width]))
}

/// See `Kernels::weight_gradient`.
pub(super) fn weight_gradient(images: FlexTensor, features: FlexTensor, edge: Edge) -> FlexTensor {
    let [batch, m, height, width] = features.layout().shape().dims();
    let n = images.layout().shape()[1];
    let geometry = Geometry {
        batch,
        m,
        n,
        height,
        width,
        edge,
    };
    let (images, features) = (images.to_contiguous(), features.to_contiguous());
    let block = geometry.block();
    // Whole blocks per partial sum.
    let part = batch.div_ceil(block).div_ceil(PARTIAL_SUMS).max(1) * block;
    let parts = values(&images).par_chunks(part * geometry.large());
    let partial: Vec<FlexTensor> = parts
        .enumerate()
        .map(|(index, images)| {
            let blocks = images.chunks(block * geometry.large());
            let products = blocks.enumerate().map(|(number, images)| {
                let first = index * part + number * block;
                let samples = images.len() / geometry.large();
                let features = geometry.features(&features, first, samples);
                Flex::float_matmul(geometry.unfold(images), features.transpose(0, 1))
            });
            products.reduce(add).expect("a part has a block")
        })
        .collect();
    let sum = partial.into_iter().reduce(add);
    let sum = sum.unwrap_or_else(|| FlexTensor::zeros(Shape::new([n * TAPS, m]), DType::F32));
    sum.transpose(0, 1)
        .to_contiguous()
        .reshape(Shape::new([m, n, 4, 4]))
}

fn add(mut sum: FlexTensor, term: FlexTensor) -> FlexTensor {
    let total: &mut [f32] = sum.storage_mut();
    for (total, term) in total.iter_mut().zip(values(&term)) {
        *total += term;
    }
    sum
}
