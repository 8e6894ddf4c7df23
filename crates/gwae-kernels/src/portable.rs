//! The operations written with Burn's own, for every backend and precision.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, get_device_settings};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{DType, Shape, Slice};

use crate::PaddingMode;

/// The padding that Burn's convolution itself does.
fn zero_padding(padding: PaddingMode) -> [usize; 2] {
    match padding {
        PaddingMode::Zeros => [1, 1],
        PaddingMode::Replicate => [0, 0],
    }
}

fn options(padding: PaddingMode) -> ConvOptions<2> {
    ConvOptions::new([2, 2], zero_padding(padding), [1, 1], 1)
}

pub(crate) fn strided_conv<B: Backend>(
    images: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    padding: PaddingMode,
) -> FloatTensor<B> {
    B::conv2d(pad::<B>(images, padding), weight, bias, options(padding))
}

pub(crate) fn strided_conv_transpose<B: Backend>(
    features: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    padding: PaddingMode,
) -> FloatTensor<B> {
    let options = ConvTransposeOptions::new([2, 2], zero_padding(padding), [0, 0], [1, 1], 1);
    let images = fold::<B>(
        B::conv_transpose2d(features, weight, None, options),
        padding,
    );
    match bias {
        None => images,
        Some(bias) => {
            let channels = bias.shape()[0];
            let bias = B::float_reshape(bias, Shape::new([1, channels, 1, 1]));
            B::float_add(images, bias)
        }
    }
}

pub(crate) fn channel_sums<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let channels = x.shape()[1];
    let sums = [3, 2, 0].into_iter().fold(x, B::float_sum_dim);
    B::float_reshape(sums, Shape::new([channels]))
}

pub(crate) fn weight_gradient<B: Backend>(
    images: FloatTensor<B>,
    weight: FloatTensor<B>,
    features: FloatTensor<B>,
    padding: PaddingMode,
) -> FloatTensor<B> {
    B::conv2d_weight_backward(
        pad::<B>(images, padding),
        weight,
        features,
        options(padding),
    )
}

/// Repeats the border pixels once on every side, if the padding mode asks for it. Concatenation is
/// several times faster on the CPU than Burn's own padding.
fn pad<B: Backend>(x: FloatTensor<B>, padding: PaddingMode) -> FloatTensor<B> {
    if padding == PaddingMode::Zeros {
        return x;
    }
    [2, 3].into_iter().fold(x, |x, dim| {
        let last = x.shape()[dim] - 1;
        let first_row = narrow::<B>(&x, dim, 0, 1);
        let last_row = narrow::<B>(&x, dim, last, 1);
        B::float_cat(vec![first_row, x, last_row], dim)
    })
}

/// The transpose of [`pad`]: adds the outermost pixels to their neighbours.
fn fold<B: Backend>(x: FloatTensor<B>, padding: PaddingMode) -> FloatTensor<B> {
    if padding == PaddingMode::Zeros {
        return x;
    }
    [2, 3].into_iter().fold(x, |x, dim| {
        let size = x.shape()[dim];
        if x.shape().num_elements() == 0 {
            // Burn (0.22.1) cannot add two empty views on the CPU.
            let mut shape = x.shape();
            shape[dim] = size - 2;
            return B::float_reshape(x, shape);
        }
        let sum = |a, b| B::float_add(narrow::<B>(&x, dim, a, 1), narrow::<B>(&x, dim, b, 1));
        let (first, last) = (sum(0, 1), sum(size - 2, size - 1));
        if size == 4 {
            return B::float_cat(vec![first, last], dim);
        }
        let middle = narrow::<B>(&x, dim, 2, size - 4);
        B::float_cat(vec![first, middle, last], dim)
    })
}

fn narrow<B: Backend>(
    x: &FloatTensor<B>,
    dim: usize,
    start: usize,
    length: usize,
) -> FloatTensor<B> {
    let mut slices = vec![Slice::new(0, None, 1); x.shape().num_dims()];
    slices[dim] = Slice::new(start as isize, Some((start + length) as isize), 1);
    B::float_slice(x.clone(), &slices)
}

pub(crate) fn product<B: Backend>(
    matrix: FloatTensor<B>,
    vector: FloatTensor<B>,
) -> FloatTensor<B> {
    let product = B::float_matmul(matrix, column::<B>(vector));
    let rows = product.shape()[0];
    B::float_reshape(product, Shape::new([rows]))
}

/// A matrix divided by a number `[1]`.
pub(crate) fn divide<B: Backend>(
    matrix: FloatTensor<B>,
    divisor: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_div(matrix, B::float_reshape(divisor, Shape::new([1, 1])))
}

pub(crate) fn divide_by_norm_gradient<B: Backend>(
    output: FloatTensor<B>,
    left: FloatTensor<B>,
    right: FloatTensor<B>,
    sigma: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let inner = B::float_sum(B::float_mul(gradient.clone(), output));
    let right = B::float_swap_dims(column::<B>(right), 0, 1);
    let outer = B::float_mul(column::<B>(left), right);
    let inner = B::float_reshape(inner, Shape::new([1, 1]));
    let across = B::float_mul(outer, inner);
    divide::<B>(B::float_sub(gradient, across), sigma)
}

/// A vector as a matrix of one column.
fn column<B: Backend>(vector: FloatTensor<B>) -> FloatTensor<B> {
    let rows = vector.shape()[0];
    B::float_reshape(vector, Shape::new([rows, 1]))
}

/// A distance at most this share of the distances from its two rows to the rows farthest from them
/// passes on no gradient. Its weight would be so large that rounding destroys the gradient of this
/// pair, and of the other pairs in the same sum.
fn least_share(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-14,
        _ => 1e-6,
    }
}

pub(crate) fn distances_gradient<B: Backend>(
    rows: FloatTensor<B>,
    distances: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    if rows.shape().num_elements() == 0 {
        // Burn (0.22.1) cannot take the maximum over zero rows.
        return rows;
    }
    // Only differences count, and centred rows lose less to rounding.
    let mean = B::float_mean_dim(rows.clone(), 0);
    let centred = B::float_sub(rows, mean);
    // A centred row is at most as long as its distance to the row farthest from it.
    let farthest = B::float_max_dim(distances.clone(), 1);
    let farthest = B::float_add(farthest.clone(), B::float_swap_dims(farthest, 0, 1));
    let least = B::float_mul_scalar(farthest, least_share(distances.dtype()).into());
    let bools = get_device_settings::<B>(&distances.device()).bool_dtype;
    let near = B::float_lower_equal(distances.clone(), least, bools);
    let inverse = B::float_recip(B::float_mask_fill(distances, near.clone(), 1.0.into()));
    let inverse = B::float_mask_fill(inverse, near, 0.0.into());
    let both = B::float_add(gradient.clone(), B::float_swap_dims(gradient, 0, 1));
    let weights = B::float_mul(both, inverse);
    let own = B::float_mul(centred.clone(), B::float_sum_dim(weights.clone(), 1));
    B::float_sub(own, B::float_matmul(weights, centred))
}

pub(crate) fn moving_average<B: Backend>(
    average: FloatTensor<B>,
    value: FloatTensor<B>,
    decay: f64,
) -> FloatTensor<B> {
    B::float_add(
        B::float_mul_scalar(average, decay.into()),
        B::float_mul_scalar(value, (1.0 - decay).into()),
    )
}

pub(crate) fn moving_square<B: Backend>(
    average: FloatTensor<B>,
    gradient: FloatTensor<B>,
    decay: f64,
) -> FloatTensor<B> {
    let square = B::float_mul(gradient.clone(), gradient);
    moving_average::<B>(average, square, decay)
}

pub(crate) fn scaled_step<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    average: FloatTensor<B>,
    rate: f64,
    epsilon: f64,
) -> FloatTensor<B> {
    let scale = B::float_add_scalar(B::float_sqrt(average), epsilon.into());
    let step = B::float_mul_scalar(B::float_div(gradient, scale), rate.into());
    B::float_sub(parameter, step)
}

pub(crate) fn logit<B: Backend>(x: FloatTensor<B>, margin: f64) -> FloatTensor<B> {
    let clamp = |x| B::float_clamp(x, margin.into(), (1.0 - margin).into());
    let x = clamp(x);
    let complement = clamp(B::float_add_scalar(B::float_neg(x.clone()), 1.0.into()));
    B::float_sub(B::float_log(x), B::float_log(complement))
}

pub(crate) fn silu<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_mul(x.clone(), B::sigmoid(x))
}

/// With `s = σ(x)`: `silu'(x) = s + x·s·(1 − s)`.
pub(crate) fn silu_gradient<B: Backend>(
    x: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let s = B::sigmoid(x.clone());
    let complement = B::float_add_scalar(B::float_neg(s.clone()), 1.0.into());
    let slope = B::float_mul(
        s,
        B::float_add_scalar(B::float_mul(x, complement), 1.0.into()),
    );
    B::float_mul(gradient, slope)
}

/// Written with ReLU, because Burn's own has derivative 1 instead of `slope` at exactly 0.
pub(crate) fn leaky_relu<B: Backend>(x: FloatTensor<B>, slope: f64) -> FloatTensor<B> {
    let positive = B::float_mul_scalar(B::relu(x.clone()), (1.0 - slope).into());
    B::float_add(positive, B::float_mul_scalar(x, slope.into()))
}

pub(crate) fn leaky_relu_gradient<B: Backend>(
    x: FloatTensor<B>,
    gradient: FloatTensor<B>,
    slope: f64,
) -> FloatTensor<B> {
    let positive = B::relu_backward(B::relu(x), gradient.clone());
    B::float_add(
        B::float_mul_scalar(positive, (1.0 - slope).into()),
        B::float_mul_scalar(gradient, slope.into()),
    )
}
