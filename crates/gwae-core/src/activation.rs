//! Activation functions with the subgradients of PyTorch.

use burn::tensor::Tensor;
use gwae_kernels::silu;

/// LeakySiLU, `(1 − slope)·silu(x) + slope·x`: a SiLU that never goes flat
/// (the activation of the official neural priors).
pub fn leaky_silu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    silu(x.clone()) * (1.0 - slope) + x * slope
}
