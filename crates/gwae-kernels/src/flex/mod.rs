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

impl Kernels for Flex {
    fn halve(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        match images.dtype() {
            DType::F32 => convolution::halve(images, weight, None, edge),
            _ => portable::halve::<Self>(images, weight, None, edge),
        }
    }

    fn halve_biased(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        match images.dtype() {
            DType::F32 => convolution::halve(images, weight, Some(bias), edge),
            _ => portable::halve::<Self>(images, weight, Some(bias), edge),
        }
    }

    fn double(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        match features.dtype() {
            DType::F32 => convolution::double(features, weight, None, edge),
            _ => portable::double::<Self>(features, weight, None, edge),
        }
    }

    fn double_biased(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        match features.dtype() {
            DType::F32 => convolution::double(features, weight, Some(bias), edge),
            _ => portable::double::<Self>(features, weight, Some(bias), edge),
        }
    }

    fn channel_sums(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => convolution::channel_sums(x),
            _ => portable::channel_sums::<Self>(x),
        }
    }

    fn weight_gradient(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        features: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        match images.dtype() {
            DType::F32 => convolution::weight_gradient(images, weight, features, edge),
            _ => portable::weight_gradient::<Self>(images, weight, features, edge),
        }
    }

    fn product(matrix: FloatTensor<Self>, vector: FloatTensor<Self>) -> FloatTensor<Self> {
        match matrix.dtype() {
            DType::F32 => spectral::product(matrix, vector),
            _ => portable::product::<Self>(matrix, vector),
        }
    }

    fn transposed_product(
        matrix: FloatTensor<Self>,
        vector: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        match matrix.dtype() {
            DType::F32 => spectral::transposed_product(matrix, vector),
            _ => portable::product::<Self>(matrix.transpose(0, 1), vector),
        }
    }

    fn divide_by_norm(
        weight: FloatTensor<Self>,
        _left: FloatTensor<Self>,
        _right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        match weight.dtype() {
            DType::F32 => spectral::divide(weight, sigma),
            _ => portable::divide::<Self>(weight, sigma),
        }
    }

    fn divide_by_norm_gradient(
        output: FloatTensor<Self>,
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        match output.dtype() {
            DType::F32 => spectral::divide_gradient(output, left, right, sigma, gradient),
            _ => portable::divide_by_norm_gradient::<Self>(output, left, right, sigma, gradient),
        }
    }

    fn distances(rows: FloatTensor<Self>) -> FloatTensor<Self> {
        distance::distances(rows)
    }

    fn moving_average(
        average: FloatTensor<Self>,
        value: FloatTensor<Self>,
        decay: f64,
    ) -> FloatTensor<Self> {
        match average.dtype() {
            DType::F32 => {
                let (old, new) = (decay as f32, (1.0 - decay) as f32);
                elementwise::zip(average, value, move |average, value| {
                    old * average + new * value
                })
            }
            _ => portable::moving_average::<Self>(average, value, decay),
        }
    }

    fn moving_square(
        average: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        decay: f64,
    ) -> FloatTensor<Self> {
        match average.dtype() {
            DType::F32 => {
                let (old, new) = (decay as f32, (1.0 - decay) as f32);
                elementwise::zip(average, gradient, move |average, gradient| {
                    old * average + new * (gradient * gradient)
                })
            }
            _ => portable::moving_square::<Self>(average, gradient, decay),
        }
    }

    fn scaled_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        average: FloatTensor<Self>,
        rate: f64,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        match parameter.dtype() {
            DType::F32 => {
                let (rate, epsilon) = (rate as f32, epsilon as f32);
                let step = move |parameter, gradient, average: f32| {
                    parameter - rate * (gradient / (average.sqrt() + epsilon))
                };
                elementwise::zip3(parameter, gradient, average, step)
            }
            _ => portable::scaled_step::<Self>(parameter, gradient, average, rate, epsilon),
        }
    }

    fn logit(x: FloatTensor<Self>, margin: f64) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => {
                let (least, most) = (margin as f32, (1.0 - margin) as f32);
                elementwise::map(x, activation::Logit { least, most })
            }
            _ => portable::logit::<Self>(x, margin),
        }
    }

    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => elementwise::map(x, activation::silu),
            _ => portable::silu::<Self>(x),
        }
    }

    fn silu_gradient(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => elementwise::zip(gradient, x, activation::silu_gradient),
            _ => portable::silu_gradient::<Self>(x, gradient),
        }
    }

    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => elementwise::map(x, activation::logistic),
            _ => <Self as ActivationOps<Self>>::sigmoid(x),
        }
    }

    fn logistic_gradient(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        match output.dtype() {
            DType::F32 => elementwise::zip(gradient, output, activation::logistic_gradient),
            _ => <Self as ActivationOps<Self>>::sigmoid_backward(output, gradient),
        }
    }

    fn leaky(x: FloatTensor<Self>, slope: f64) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => {
                let slope = slope as f32;
                elementwise::map(x, move |x| if x > 0.0 { x } else { slope * x })
            }
            _ => portable::leaky_relu::<Self>(x, slope),
        }
    }

    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f64,
    ) -> FloatTensor<Self> {
        match x.dtype() {
            DType::F32 => {
                let slope = slope as f32;
                elementwise::zip(gradient, x, move |gradient, x| {
                    if x > 0.0 { gradient } else { slope * gradient }
                })
            }
            _ => portable::leaky_relu_gradient::<Self>(x, gradient, slope),
        }
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

/// Adds up vectors of equal length in order; zeros if there is none.
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
