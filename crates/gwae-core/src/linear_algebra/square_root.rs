//! Square roots whose gradient at zero is zero.

use burn::tensor::Tensor;

/// `√x` with gradient 0 where `x = 0` (autodiff alone gives `0·∞ = NaN` there).
pub(crate) fn safe_sqrt<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let zero = x.clone().detach().lower_equal_scalar(0.0);
    x.mask_fill(zero.clone(), 1.0).sqrt().mask_fill(zero, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{f64_tensor, values};
    use burn::tensor::Device;

    #[test]
    fn the_gradient_at_zero_is_zero() {
        let device = Device::flex().autodiff();
        let x = f64_tensor(&[0.0, 4.0], [2], &device).require_grad();
        let root = safe_sqrt(x.clone());
        assert_eq!(values(root.clone()), [0.0, 2.0]);
        let gradient = x.grad(&root.sum().backward()).unwrap();
        assert_eq!(values(gradient), [0.0, 0.25]);
    }
}
