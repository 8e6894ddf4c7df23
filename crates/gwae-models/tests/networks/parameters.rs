//! Reads, moves and differentiates all parameters of a module.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Gradients, Tensor, TensorData};

use super::{inner_product, normal, uniform, values};

/// The module in `dtype`, with every parameter and buffer moved by up to 0.1. New batch norms have
/// gains of 1 and shifts of 0, which would hide mistakes.
pub fn stirred<M: Module>(module: M, dtype: DType) -> M {
    struct Stir {
        dtype: DType,
        index: u64,
    }
    impl ModuleMapper for Stir {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let shape = param.dims();
            let moved: Vec<f64> = uniform(100 + self.index, shape.iter().product())
                .into_iter()
                .zip(values(param.val()))
                // Rounded, so that single and double precision start from the same numbers.
                .map(|(u, value)| f64::from((value + 0.2 * (u - 0.5)) as f32))
                .collect();
            self.index += 1;
            replaced(param, moved, self.dtype)
        }
    }
    module.map(&mut Stir { dtype, index: 0 })
}

fn replaced<const D: usize>(
    param: Param<Tensor<D>>,
    values: Vec<f64>,
    dtype: DType,
) -> Param<Tensor<D>> {
    let (shape, device, trainable) = (param.dims(), param.device(), param.is_require_grad());
    let (id, _, mapper) = param.consume();
    let tensor = Tensor::from_data(TensorData::new(values, shape), (&device, dtype)).detach();
    Param::from_mapped_value(id, tensor, mapper).set_require_grad(trainable)
}

/// The gradient of every trainable parameter, in module order.
pub fn gradients<M: Module>(module: &M, gradients: &Gradients) -> Vec<(ParamId, Vec<f64>)> {
    struct Read<'a> {
        gradients: &'a Gradients,
        all: Vec<(ParamId, Vec<f64>)>,
    }
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                let gradient = param.val().grad(self.gradients);
                let gradient = gradient.expect("every trainable parameter has a gradient");
                self.all.push((param.id, values(gradient)));
            }
        }
    }
    let mut read = Read {
        gradients,
        all: Vec::new(),
    };
    module.visit(&mut read);
    read.all
}

/// The module with one parameter moved by `step` times a direction.
fn moved<M: Module>(module: &M, of: ParamId, direction: &[f64], step: f64) -> M {
    struct Move<'a> {
        of: ParamId,
        direction: &'a [f64],
        step: f64,
    }
    impl ModuleMapper for Move<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if param.id != self.of {
                return param;
            }
            let values = values(param.val());
            let pairs = values.iter().zip(self.direction);
            let moved = pairs.map(|(value, d)| value + self.step * d).collect();
            replaced(param, moved, DType::F64)
        }
    }
    module.clone().map(&mut Move {
        of,
        direction,
        step,
    })
}

/// For every trainable parameter of a module in double precision, asserts that the derivative of
/// `function` along a random direction agrees with central differences.
#[track_caller]
pub fn assert_gradients<M: Module>(module: &M, function: impl Fn(&M) -> Tensor<1>, case: &str) {
    let of_module = gradients(module, &function(module).backward());
    assert!(!of_module.is_empty());
    let sizes = of_module.iter().map(|(_, g)| inner_product(g, g).sqrt());
    let largest = sizes.fold(0.0, f64::max);
    for (index, (id, gradient)) in of_module.iter().enumerate() {
        let direction = normal(200 + index as u64, gradient.len());
        let expected = inner_product(gradient, &direction);
        let at = |step: f64| values(function(&moved(module, *id, &direction, step)))[0];
        let step = 1e-6;
        let numeric = (at(step) - at(-step)) / (2.0 * step);
        // If a batch norm removes a shift, the gradient is zero up to rounding.
        let scale = expected.abs().max(1e-3 * largest);
        assert!(
            (numeric - expected).abs() <= 1e-5 * scale,
            "{case}: parameter {index}: {numeric} by differences, {expected} by autodiff"
        );
    }
}
