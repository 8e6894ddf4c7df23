//! Activation functions with the subgradients of PyTorch.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// SiLU, `x·σ(x)`.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Kernels>::silu(x.into_dispatch()))
}

/// The logistic function `σ(x) = 1/(1 + e⁻ˣ)`.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Kernels>::logistic(x.into_dispatch()))
}

/// The inverse of [`sigmoid`], `ln x − ln(1 − x)`. Each number is first limited to the range from
/// `margin` to `1 − margin`.
///
/// # Panics
/// If `margin` is not between 1e-30 and 0.5.
pub fn logit<const D: usize>(x: Tensor<D>, margin: f64) -> Tensor<D> {
    assert!(
        (1e-30..=0.5).contains(&margin),
        "{margin} is between 1e-30 and 0.5"
    );
    if x.is_autodiff() && !x.is_tracked() {
        // Images, for example, need no gradient.
        return logit(x.without_autodiff(), margin).autodiff();
    }
    Tensor::from_dispatch(<Dispatch as Kernels>::logit(x.into_dispatch(), margin))
}

/// LeakyReLU, `max(x, 0) + slope·min(x, 0)`, with derivative `slope` at 0. A `slope` of −1 makes it
/// `|x|`.
pub fn leaky_relu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Kernels>::leaky(x.into_dispatch(), slope))
}

/// The gradient that [`leaky_relu`] at `x` passes back: `gradient` where `x > 0`, else
/// `slope·gradient`. Differentiable in `gradient`; constant in `x`.
///
/// # Shapes
/// - `x`, `gradient` and output: equal
pub fn leaky_relu_gradient<const D: usize>(
    x: Tensor<D>,
    gradient: Tensor<D>,
    slope: f64,
) -> Tensor<D> {
    let (x, gradient) = (x.into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Kernels>::leaky_gradient(x, gradient, slope))
}
