//! Networks with rounded weights, for training steps in reduced precision.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{FloatDType, Tensor};

/// `module` with copies of its trainable parameters rounded to `dtype`, which have separate
/// gradients. Buffers do not change.
pub fn in_precision<M: Module>(module: M, dtype: FloatDType) -> M {
    struct Round(FloatDType);
    impl ModuleMapper for Round {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.is_require_grad() {
                return param;
            }
            param.map(|tensor| tensor.cast(self.0).detach().require_grad())
        }
    }
    module.map(&mut Round(dtype))
}
