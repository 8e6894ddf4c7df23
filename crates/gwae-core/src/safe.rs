//! Square roots whose gradient at zero is zero.

use burn::tensor::Tensor;

/// `√x` with gradient 0 where `x = 0` (autodiff alone gives `0·∞ = NaN` there).
pub(crate) fn safe_sqrt<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let zero = x.clone().detach().lower_equal_scalar(0.0);
    x.mask_fill(zero.clone(), 1.0).sqrt().mask_fill(zero, 0.0)
}
