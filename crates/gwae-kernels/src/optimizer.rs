//! The parts of the updates of RMSprop (Tieleman and Hinton 2012) and Adam (Kingma and Ba 2015), each in
//! one pass on the CPU.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// A moving average, `decay·average + (1 − decay)·value`.
///
/// # Shapes
/// - `average`, `value` and output: equal
pub fn moving_average<const D: usize>(
    average: Tensor<D>,
    value: Tensor<D>,
    decay: f64,
) -> Tensor<D> {
    let (average, value) = (average.into_dispatch(), value.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Kernels>::moving_average(average, value, decay))
}

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
