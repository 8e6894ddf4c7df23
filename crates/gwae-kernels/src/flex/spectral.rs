//! Spectral normalisation: products of a matrix with vectors, and the division with its gradient.
//!
//! Reading the matrix takes most of the time, so each function reads it once, on all cores. The
//! order of additions does not depend on the number of cores.

use burn::tensor::Shape;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::sums::dot;
use super::{BLOCK, elementwise, sum_in_order, tensor, values, vectorised};

/// See `Kernels::product`.
pub(super) fn product(matrix: FlexTensor, vector: FlexTensor) -> FlexTensor {
    let [rows, length] = matrix.layout().shape().dims();
    let (matrix, vector) = (matrix.to_contiguous(), vector.to_contiguous());
    let vector = values(&vector);
    let block = block_rows(length);
    let mut sums = vec![0.0; rows];
    let blocks = sums.par_chunks_mut(block);
    blocks
        .zip(values(&matrix).par_chunks(block * length))
        .for_each(|(sums, rows)| {
            vectorised(|| {
                for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(length)) {
                    *sum = dot(row, vector);
                }
            });
        });
    tensor(sums, Shape::new([rows]))
}

/// See `Kernels::transposed_product`.
pub(super) fn transposed_product(matrix: FlexTensor, vector: FlexTensor) -> FlexTensor {
    let [_, length] = matrix.layout().shape().dims();
    let (matrix, vector) = (matrix.to_contiguous(), vector.to_contiguous());
    let block = block_rows(length);
    let blocks = values(&matrix).par_chunks(block * length);
    let partial: Vec<Vec<f32>> = blocks
        .zip(values(&vector).par_chunks(block))
        .map(|(rows, factors)| {
            let mut sums = vec![0.0; length];
            vectorised(|| {
                for (row, factor) in rows.chunks_exact(length).zip(factors) {
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum += factor * value;
                    }
                }
            });
            sums
        })
        .collect();
    let sums = sum_in_order(partial, length);
    tensor(sums, Shape::new([length]))
}

/// See `Kernels::divide_by_norm`.
pub(super) fn divide(weight: FlexTensor, sigma: FlexTensor) -> FlexTensor {
    let sigma = number(sigma);
    elementwise::map(weight, move |value| value / sigma)
}

/// See `Kernels::divide_by_norm_gradient`.
pub(super) fn divide_gradient(
    output: FlexTensor,
    left: FlexTensor,
    right: FlexTensor,
    sigma: FlexTensor,
    gradient: FlexTensor,
) -> FlexTensor {
    let [_, length] = output.layout().shape().dims();
    let shape = output.layout().shape().clone();
    let (output, gradient) = (output.to_contiguous(), gradient.to_contiguous());
    let (left, right) = (left.to_contiguous(), right.to_contiguous());
    let (left, right, sigma) = (values(&left), values(&right), number(sigma));
    let block = block_rows(length);
    let pairs = values(&gradient).par_chunks(block * length);
    let products: Vec<f32> = pairs
        .clone()
        .zip(values(&output).par_chunks(block * length))
        .map(|(gradient, output)| {
            let mut product = 0.0;
            vectorised(|| product = dot(gradient, output));
            product
        })
        .collect();
    let inner: f32 = products.iter().sum();

    let mut result = vec![0.0; left.len() * length];
    result
        .par_chunks_mut(block * length)
        .zip(pairs.zip(left.par_chunks(block)))
        .for_each(|(result, (gradient, left))| {
            vectorised(|| {
                let rows = result.chunks_exact_mut(length);
                let rows = rows.zip(gradient.chunks_exact(length)).zip(left);
                for ((result, gradient), left) in rows {
                    let factor = left * inner;
                    for ((result, gradient), right) in result.iter_mut().zip(gradient).zip(right) {
                        *result = (gradient - factor * right) / sigma;
                    }
                }
            });
        });
    tensor(result, shape)
}

/// Rows per task.
fn block_rows(length: usize) -> usize {
    (BLOCK / length.max(1)).max(1)
}

/// The only value of a tensor.
fn number(x: FlexTensor) -> f32 {
    values(&x.to_contiguous())[0]
}
