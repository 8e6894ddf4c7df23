//! Helpers of this crate's tests in double precision.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use gwae_core::random::{RandomSource, SeededGenerator};

/// Values of a tensor in double precision.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// A double-precision tensor of standard normal values.
pub fn f64_normal<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let values = SeededGenerator::new(seed, 0).standard_normal(shape.iter().product());
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
}

/// The module with every parameter and buffer in double precision.
pub fn double_precision<M: Module>(module: M) -> M {
    struct Cast;
    impl ModuleMapper for Cast {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let trainable = param.is_require_grad();
            let (id, tensor, mapper) = param.consume();
            let tensor = tensor.cast(DType::F64).detach();
            Param::from_mapped_value(id, tensor, mapper).set_require_grad(trainable)
        }
    }
    module.map(&mut Cast)
}
