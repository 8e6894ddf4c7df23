//! The two halves of RMSprop's update (Tieleman and Hinton 2012), each in one pass on the CPU.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// The moving average of squared gradients, `decay·average + (1 − decay)·gradient²`.
///
/// # Shapes
/// - `average`, `gradient` and output: equal
pub fn moving_square<const D: usize>(
    average: Tensor<D>,
    gradient: Tensor<D>,
    decay: f64,
) -> Tensor<D> {
    let (average, gradient) = (average.into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Kernels>::moving_square(
        average, gradient, decay,
    ))
}

/// A step against the gradient, scaled by its size, `parameter − rate·gradient/(√average + ε)`.
///
/// # Shapes
/// - `parameter`, `gradient`, `average` and output: equal
pub fn scaled_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    average: Tensor<D>,
    rate: f64,
    epsilon: f64,
) -> Tensor<D> {
    let (parameter, gradient) = (parameter.into_dispatch(), gradient.into_dispatch());
    let average = average.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Kernels>::scaled_step(
        parameter, gradient, average, rate, epsilon,
    ))
}
