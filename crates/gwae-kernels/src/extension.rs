//! The operations as an extension of Burn's backends.

// Without a backend, no code uses the arguments.
#![cfg_attr(
    not(any(
        feature = "cpu",
        feature = "wgpu",
        feature = "vulkan",
        feature = "metal",
        feature = "cuda",
        feature = "rocm"
    )),
    allow(unused_variables)
)]

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::portable;

/// The pixels beyond the border of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaddingMode {
    /// Zeros.
    Zeros,
    /// The nearest pixel of the border.
    Replicate,
}

/// Primitive operations. The default bodies call Burn's operations; a backend may replace them with a
/// kernel.
///
/// The convolutions have 4×4 kernels, stride 2 and padding 1, with weight `[m, n, 4, 4]`.
#[backend_extension(
    Flex: cfg(feature = "cpu"),
    Cube: cfg(any(
        feature = "wgpu",
        feature = "vulkan",
        feature = "metal",
        feature = "cuda",
        feature = "rocm"
    )),
    Autodiff
)]
pub(crate) trait Kernels: Backend {
    /// `[batch, n, 2h, 2w]` to `[batch, m, h, w]`.
    fn strided_conv(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        portable::strided_conv::<Self>(images, weight, None, padding)
    }

    /// `strided_conv` plus a bias `[m]`.
    fn strided_conv_biased(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        portable::strided_conv::<Self>(images, weight, Some(bias), padding)
    }

    /// The transpose of `strided_conv`: `[batch, m, h, w]` to `[batch, n, 2h, 2w]`.
    fn strided_conv_transpose(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        portable::strided_conv_transpose::<Self>(features, weight, None, padding)
    }

    /// `strided_conv_transpose` plus a bias `[n]`.
    fn strided_conv_transpose_biased(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        portable::strided_conv_transpose::<Self>(features, weight, Some(bias), padding)
    }

    /// Sums over everything but the channels, `[batch, channels, h, w]` to `[channels]`: the
    /// gradient of a bias.
    fn channel_sums(x: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::channel_sums::<Self>(x)
    }

    /// Gradient of `⟨features, strided_conv(images, weight)⟩` with respect to `weight`. The values of
    /// `weight` are not used.
    fn weight_gradient(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        features: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        portable::weight_gradient::<Self>(images, weight, features, padding)
    }

    /// `matrix·vector`, `[m, k]` and `[k]` to `[m]`.
    fn product(matrix: FloatTensor<Self>, vector: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::product::<Self>(matrix, vector)
    }

    /// `matrixᵀ·vector`, `[m, k]` and `[m]` to `[k]`.
    fn transposed_product(
        matrix: FloatTensor<Self>,
        vector: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        portable::product::<Self>(Self::float_swap_dims(matrix, 0, 1), vector)
    }

    /// `weight/σ` with `σ = leftᵀ·weight·right`, `[m, k]`, `[m]`, `[k]` and `[1]` to `[m, k]`.
    fn divide_by_norm(
        weight: FloatTensor<Self>,
        _left: FloatTensor<Self>,
        _right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        portable::divide::<Self>(weight, sigma)
    }

    /// The gradient that `divide_by_norm` passes to the weight, from its output:
    /// `(gradient − ⟨gradient, output⟩·left·rightᵀ)/σ`.
    fn divide_by_norm_gradient(
        output: FloatTensor<Self>,
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        portable::divide_by_norm_gradient::<Self>(output, left, right, sigma, gradient)
    }

    /// Euclidean distances between all rows, `[b, d]` to `[b, b]`. Called only on the CPU in single
    /// precision.
    #[cfg_attr(not(feature = "cpu"), allow(dead_code))]
    fn distances(rows: FloatTensor<Self>) -> FloatTensor<Self> {
        let _ = rows;
        unreachable!("direct_distances asks the CPU alone")
    }

    /// `distances` unchanged, with a gradient to the rows that they lie between.
    fn attach_distances(
        _rows: FloatTensor<Self>,
        distances: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        distances
    }

    /// The gradient that distances pass to the rows: `Σ_j w_ij·(r_i − r_j)` with
    /// `w_ij = (gradient_ij + gradient_ji)/distance_ij`. `w_ij` is 0 if the distance is 0, or so much
    /// smaller than others that rounding would destroy its gradient.
    fn distances_gradient(
        rows: FloatTensor<Self>,
        distances: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        portable::distances_gradient::<Self>(rows, distances, gradient)
    }

    /// `decay·average + (1 − decay)·value`.
    fn moving_average(
        average: FloatTensor<Self>,
        value: FloatTensor<Self>,
        decay: f64,
    ) -> FloatTensor<Self> {
        portable::moving_average::<Self>(average, value, decay)
    }

    /// `decay·average + (1 − decay)·gradient²`.
    fn moving_square(
        average: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        decay: f64,
    ) -> FloatTensor<Self> {
        portable::moving_square::<Self>(average, gradient, decay)
    }

    /// `parameter − rate·gradient/(√average + epsilon)`.
    fn scaled_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        average: FloatTensor<Self>,
        rate: f64,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        portable::scaled_step::<Self>(parameter, gradient, average, rate, epsilon)
    }

    /// `ln x − ln(1 − x)`, with x first limited to the range from `margin` to `1 − margin`.
    fn logit(x: FloatTensor<Self>, margin: f64) -> FloatTensor<Self> {
        portable::logit::<Self>(x, margin)
    }

    /// `x·σ(x)`.
    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::silu::<Self>(x)
    }

    /// `gradient·silu'(x)`.
    fn silu_gradient(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::silu_gradient::<Self>(x, gradient)
    }

    /// `σ(x)`.
    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::sigmoid(x)
    }

    /// `gradient·σ'(x)` from `output = σ(x)`.
    fn logistic_gradient(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::sigmoid_backward(output, gradient)
    }

    /// `max(x, 0) + slope·min(x, 0)`.
    fn leaky(x: FloatTensor<Self>, slope: f64) -> FloatTensor<Self> {
        portable::leaky_relu::<Self>(x, slope)
    }

    /// `gradient` where `x > 0`, else `slope·gradient`.
    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f64,
    ) -> FloatTensor<Self> {
        portable::leaky_relu_gradient::<Self>(x, gradient, slope)
    }
}

#[cfg(any(
    feature = "wgpu",
    feature = "vulkan",
    feature = "metal",
    feature = "cuda",
    feature = "rocm"
))]
impl Kernels for burn::backend::Cube {}
