//! Kernels for Burn's CPU backend in single precision; everything else takes the portable way.

mod activation;
mod convolution;
mod direct;
mod distance;
mod elementwise;
mod packing;
mod points;
mod product;
mod scratch;
mod single_pixel;
mod spectral;
mod sums;
mod weight_points;
mod winograd;

use burn::backend::ops::ActivationOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{DType, Flex};
use burn::tensor::{Bytes, Shape};
use burn_flex::{FlexTensor, Layout};

use crate::extension::Kernels;
use crate::{PaddingMode, portable};

/// Calls the kernel for a tensor in single precision, and Burn's operations for others.
macro_rules! single_precision {
    ($x:ident: $kernel:expr, else $portable:expr) => {
        match $x.dtype() {
            DType::F32 => $kernel,
            _ => $portable,
        }
    };
}

impl Kernels for Flex {
    fn strided_conv(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        single_precision!(images: convolution::strided_conv(images, weight, None, padding),
            else portable::strided_conv::<Self>(images, weight, None, padding))
    }

    fn strided_conv_biased(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        single_precision!(images: convolution::strided_conv(images, weight, Some(bias), padding),
            else portable::strided_conv::<Self>(images, weight, Some(bias), padding))
    }

    fn strided_conv_transpose(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        single_precision!(features: convolution::strided_conv_transpose(features, weight, None, padding),
            else portable::strided_conv_transpose::<Self>(features, weight, None, padding))
    }

    fn strided_conv_transpose_biased(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        single_precision!(features: convolution::strided_conv_transpose(features, weight, Some(bias), padding),
            else portable::strided_conv_transpose::<Self>(features, weight, Some(bias), padding))
    }

    fn channel_sums(x: FloatTensor<Self>) -> FloatTensor<Self> {
        single_precision!(x: convolution::channel_sums(x), else portable::channel_sums::<Self>(x))
    }

    fn weight_gradient(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        features: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        single_precision!(images: convolution::weight_gradient(images, weight, features, padding),
            else portable::weight_gradient::<Self>(images, weight, features, padding))
    }

    fn product(matrix: FloatTensor<Self>, vector: FloatTensor<Self>) -> FloatTensor<Self> {
        single_precision!(matrix: spectral::product(matrix, vector),
            else portable::product::<Self>(matrix, vector))
    }

    fn transposed_product(
        matrix: FloatTensor<Self>,
        vector: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        single_precision!(matrix: spectral::transposed_product(matrix, vector),
            else portable::product::<Self>(matrix.transpose(0, 1), vector))
    }

    fn divide_by_norm(
        weight: FloatTensor<Self>,
        _left: FloatTensor<Self>,
        _right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        single_precision!(weight: spectral::divide(weight, sigma),
            else portable::divide::<Self>(weight, sigma))
    }

    fn divide_by_norm_gradient(
        output: FloatTensor<Self>,
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        single_precision!(output: spectral::divide_gradient(output, left, right, sigma, gradient),
            else portable::divide_by_norm_gradient::<Self>(output, left, right, sigma, gradient))
    }

    fn distances(rows: FloatTensor<Self>) -> FloatTensor<Self> {
        distance::distances(rows)
    }

    fn moving_average(
        average: FloatTensor<Self>,
        value: FloatTensor<Self>,
        decay: f64,
    ) -> FloatTensor<Self> {
        let (old, new) = (decay as f32, (1.0 - decay) as f32);
        let step = move |average, value| old * average + new * value;
        single_precision!(average: elementwise::zip(average, value, step),
            else portable::moving_average::<Self>(average, value, decay))
    }

    fn moving_square(
        average: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        decay: f64,
    ) -> FloatTensor<Self> {
        let (old, new) = (decay as f32, (1.0 - decay) as f32);
        let step = move |average, gradient| old * average + new * (gradient * gradient);
        single_precision!(average: elementwise::zip(average, gradient, step),
            else portable::moving_square::<Self>(average, gradient, decay))
    }

    fn scaled_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        average: FloatTensor<Self>,
        rate: f64,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let (single_rate, least) = (rate as f32, epsilon as f32);
        let step = move |parameter, gradient, average: f32| {
            parameter - single_rate * (gradient / (average.sqrt() + least))
        };
        single_precision!(parameter: elementwise::zip3(parameter, gradient, average, step),
            else portable::scaled_step::<Self>(parameter, gradient, average, rate, epsilon))
    }

    fn logit(x: FloatTensor<Self>, margin: f64) -> FloatTensor<Self> {
        let (least, most) = (margin as f32, (1.0 - margin) as f32);
        single_precision!(x: elementwise::map(x, activation::Logit { least, most }),
            else portable::logit::<Self>(x, margin))
    }

    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        single_precision!(x: elementwise::map(x, activation::silu), else portable::silu::<Self>(x))
    }

    fn silu_gradient(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        single_precision!(x: elementwise::zip(gradient, x, activation::silu_gradient),
            else portable::silu_gradient::<Self>(x, gradient))
    }

    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
        single_precision!(x: elementwise::map(x, activation::logistic),
            else <Self as ActivationOps<Self>>::sigmoid(x))
    }

    fn logistic_gradient(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        single_precision!(output: elementwise::zip(gradient, output, activation::logistic_gradient),
            else <Self as ActivationOps<Self>>::sigmoid_backward(output, gradient))
    }

    fn leaky(x: FloatTensor<Self>, slope: f64) -> FloatTensor<Self> {
        let factor = slope as f32;
        let leaky = move |x| if x > 0.0 { x } else { factor * x };
        single_precision!(x: elementwise::map(x, leaky),
            else portable::leaky_relu::<Self>(x, slope))
    }

    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f64,
    ) -> FloatTensor<Self> {
        let factor = slope as f32;
        let passed = move |gradient, x| if x > 0.0 { gradient } else { factor * gradient };
        single_precision!(x: elementwise::zip(gradient, x, passed),
            else portable::leaky_relu_gradient::<Self>(x, gradient, slope))
    }
}

/// Values per task: several times the cost of handing a task to another core.
const BLOCK: usize = 1 << 15;

/// A contiguous tensor of single-precision values.
fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}

/// The values of a contiguous tensor.
fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("made contiguous before")
}

/// Adds up vectors of equal length in order; without vectors the result is zeros.
fn sum_in_order(terms: impl IntoIterator<Item = Vec<f32>>, length: usize) -> Vec<f32> {
    let mut terms = terms.into_iter();
    let mut sum = terms.next().unwrap_or_else(|| vec![0.0; length]);
    for term in terms {
        for (sum, value) in sum.iter_mut().zip(term) {
            *sum += value;
        }
    }
    sum
}

/// Runs `f` compiled for the best instruction set of this processor.
#[inline(always)]
fn vectorised(f: impl FnOnce()) {
    struct Run<F>(F);
    impl<F: FnOnce()> pulp::WithSimd for Run<F> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) {
            (self.0)();
        }
    }
    pulp::Arch::new().dispatch(Run(f));
}
