//! RMSprop as in PyTorch.

use burn::optim::{
    LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource, join_path,
};
use burn::tensor::{Device, Tensor};
use gwae_kernels::{moving_square, scaled_step};
use serde::{Deserialize, Serialize};

/// RMSprop without momentum. The defaults are PyTorch's and the authors'. On the CPU it makes two
/// passes over a parameter. (Burn's own makes nine, stores the average twice and has other
/// defaults.)
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RmsProp {
    /// α, the share of the old average of squared gradients, at least 0 and below 1 (default 0.99).
    pub alpha: f64,
    /// ε, which keeps a step finite if all gradients were 0 (default 1e-8).
    pub epsilon: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            alpha: 0.99,
            epsilon: 1e-8,
        }
    }
}

/// Average of the squared gradients of a parameter.
#[derive(Clone)]
pub struct RmsPropState<const D: usize> {
    /// The average, in the parameter's shape.
    pub square_average: Tensor<D>,
}

/// The name that Burn's own RMSprop gives the average in its records, so that they can be read.
const RECORD: &str = "square_avg";

impl<const D: usize> RecordState for RmsPropState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        let average = self.square_average.to_data();
        out.push_tensor(&join_path(prefix, RECORD), RECORD, average);
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let average = source.take_tensor(&join_path(prefix, RECORD), RECORD)?;
        Some(Self {
            square_average: Tensor::from_data(average, device),
        })
    }
}

impl RmsProp {
    /// An optimiser of modules with the defaults.
    pub fn init() -> ModuleOptimizer {
        ModuleOptimizer::from(Self::default())
    }
}

impl Optimizer for RmsProp {
    type State<const D: usize> = RmsPropState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let average = match state {
            Some(state) => state.square_average,
            None => gradient.zeros_like(),
        };
        let average = moving_square(average, gradient.clone(), self.alpha);
        let parameter = scaled_step(parameter, gradient, average.clone(), rate, self.epsilon);
        let state = RmsPropState {
            square_average: average,
        };
        (parameter, Some(state))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.square_average = state.square_average.to_device(device);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::testing::assert_steps;
    use burn::optim::RmsPropConfig;
    use burn::tensor::DType;

    fn values(tensor: &Tensor<1>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    /// PyTorch's formula, one number at a time.
    #[test]
    fn steps_as_pytorchs() {
        for rms_prop in [
            RmsProp::default(),
            RmsProp {
                alpha: 0.5,
                epsilon: 1e-3,
            },
        ] {
            let RmsProp { alpha, epsilon } = rms_prop;
            assert_steps(&rms_prop, 1e-12, |rate, start, gradients| {
                let (mut x, mut average) = (start, 0.0);
                for gradient in gradients {
                    average = alpha * average + (1.0 - alpha) * gradient * gradient;
                    x -= rate * gradient / (f64::sqrt(average) + epsilon);
                }
                x
            });
        }
    }

    /// Burn's own optimiser with PyTorch's settings, in double precision, is the reference.
    #[test]
    fn steps_as_burns_own_with_pytorchs_settings() {
        let device = Device::flex();
        let burns = RmsPropConfig::new()
            .with_momentum(0.0)
            .with_epsilon(1e-8)
            .build();
        for dtype in [DType::F32, DType::F64] {
            let start = [1.0, -2.0, 0.5, 3.0, 0.0];
            let mut ours = Tensor::<1>::from_data(start, (&device, dtype));
            let mut theirs = Tensor::<1>::from_data(start, (&device, DType::F64));
            let (mut state, mut reference) = (None, None);
            for step in 1..=20 {
                let gradient = start.map(|x| (x * 1.7 + f64::from(step)).sin() * 1e-3);
                let single = Tensor::from_data(gradient, (&device, dtype));
                let double = Tensor::from_data(gradient, (&device, DType::F64));
                (ours, state) = RmsProp::default().step(1e-2, ours, single, state);
                (theirs, reference) = burns.step(1e-2, theirs, double, reference);
            }
            for (ours, theirs) in values(&ours).into_iter().zip(values(&theirs)) {
                assert!((ours - theirs).abs() < 1e-6, "{ours} instead of {theirs}");
            }
        }
    }

    #[test]
    fn records_of_burns_own_are_read() {
        let device = Device::flex();
        let gradient = Tensor::<1>::from_floats([1.0, 2.0], &device);
        let burns = RmsPropConfig::new().with_momentum(0.0).build();
        let (_, state) = burns.step(1e-2, gradient.clone(), gradient, None);
        let mut sink = StateSink::default();
        state.unwrap().state_flatten("p", &mut sink);
        let mut source = StateSource::default();
        for (name, data) in sink.tensors {
            source.insert_tensor(name, data);
        }
        let read = RmsPropState::<1>::state_unflatten("p", &mut source, &device).unwrap();
        for (read, expected) in values(&read.square_average).into_iter().zip([0.01, 0.04]) {
            assert!((read - expected).abs() < 1e-7, "{read}");
        }
    }
}
