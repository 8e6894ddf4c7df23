//! Activation functions with the subgradients of PyTorch.

use burn::tensor::Tensor;
use gwae_kernels::silu;

/// LeakySiLU, `(1 − slope)·silu(x) + slope·x`, the activation of the official neural priors. Unlike
/// a SiLU, it never becomes flat.
pub fn leaky_silu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    silu(x.clone()) * (1.0 - slope) + x * slope
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn leaky_silu_has_its_closed_form_and_gradient() {
        let point = [-3.0, -0.5, 0.0, 2.0];
        let x = f64_tensor(&point, [4], &Device::flex());
        let expected = point.map(|x: f64| 0.7 * x / (1.0 + (-x).exp()) + 0.3 * x);
        assert_close(&values(leaky_silu(x, 0.3)), &expected, 1e-7);
        finite_difference(&point, [4], 1e-6, |x| leaky_silu(x, 0.3).sum());
    }
}
