//! Compares the steps of an optimiser with a reference that computes one number at a time.

use burn::optim::Optimizer;
use burn::tensor::{DType, Device, Tensor};

/// The initial parameters.
pub(super) const START: [f64; 5] = [1.0, -2.0, 0.5, 3.0, 0.0];
/// The learning rate.
pub(super) const RATE: f64 = 1e-2;
const STEPS: u32 = 20;

/// The gradient of the parameter that started at `start`; steps count from 1.
pub(super) fn gradient(start: f64, step: u32) -> f64 {
    (start * 1.7 + f64::from(step)).sin() * 1e-3
}

/// Compares twenty steps of `optimizer` with `reference`. The reference takes the learning rate, a
/// parameter and its gradients, and returns the final parameter. In double precision both may
/// differ by `double_bound`.
/// may differ by in double precision.
pub(super) fn assert_steps<O: Optimizer>(
    optimizer: &O,
    double_bound: f64,
    reference: impl Fn(f64, f64, &[f64]) -> f64,
) {
    let device = Device::flex();
    let expected = START.map(|start| {
        let gradients: Vec<f64> = (1..=STEPS).map(|step| gradient(start, step)).collect();
        reference(RATE, start, &gradients)
    });
    for (dtype, bound) in [(DType::F32, 1e-6), (DType::F64, double_bound)] {
        let mut parameter = Tensor::<1>::from_data(START, (&device, dtype));
        let mut state = None;
        for step in 1..=STEPS {
            let gradients = START.map(|start| gradient(start, step));
            let gradients = Tensor::from_data(gradients, (&device, dtype));
            (parameter, state) = optimizer.step(RATE, parameter, gradients, state);
        }
        let found: Vec<f64> = parameter.to_data().iter::<f64>().collect();
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < bound,
                "{found} instead of {expected} in {dtype:?}"
            );
        }
    }
}
