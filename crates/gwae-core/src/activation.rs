//! Activation functions with the subgradients of PyTorch.

use burn::tensor::{Tensor, activation};

/// LeakyReLU, `max(x, 0) + slope·min(x, 0)`.
///
/// Written through ReLU: Burn's own has derivative 1 instead of `slope` at exactly 0 and
/// is several times slower in its backward pass on the CPU.
pub fn leaky_relu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    activation::relu(x.clone()) * (1.0 - slope) + x * slope
}

/// Derivative of [`leaky_relu`] at `x`: 1 where `x > 0`, else `slope`. Carries no gradient.
pub fn leaky_relu_slope<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    let dtype = x.dtype();
    x.detach().greater_scalar(0.0).float().cast(dtype) * (1.0 - slope) + slope
}

/// LeakySiLU, `(1 − slope)·silu(x) + slope·x`: a SiLU that never goes flat
/// (the activation of the official neural priors).
pub fn leaky_silu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    activation::silu(x.clone()) * (1.0 - slope) + x * slope
}
