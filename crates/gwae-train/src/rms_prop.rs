//! RMSprop as PyTorch has it.

use burn::optim::{
    LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource, join_path,
};
use burn::tensor::{Device, Tensor};
use gwae_kernels::{moving_square, scaled_step};

/// Share of the old average of squared gradients.
const DECAY: f64 = 0.99;
/// What keeps a step finite where all gradients were 0.
const EPSILON: f64 = 1e-8;

/// RMSprop without momentum, α 0.99 and ε 1e-8: PyTorch's defaults, which the official program
/// uses. On the CPU it takes two passes over
/// a parameter. (Burn's own takes nine, keeps the average twice and has other defaults.)
#[derive(Clone, Debug, Default)]
pub struct RmsProp;

/// Average of the squared gradients of a parameter.
#[derive(Clone)]
pub struct RmsPropState<const D: usize> {
    /// The average, of the parameter's shape.
    pub square_average: Tensor<D>,
}

/// The name under which Burn's own RMSprop records the average, so that its records can be read.
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
    /// An optimiser of modules.
    pub fn init() -> ModuleOptimizer {
        ModuleOptimizer::from(Self)
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
        let average = moving_square(average, gradient.clone(), DECAY);
        let parameter = scaled_step(parameter, gradient, average.clone(), rate, EPSILON);
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
    use burn::optim::RmsPropConfig;
    use burn::tensor::DType;

    fn values(tensor: &Tensor<1>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    /// Burn's own with PyTorch's settings, in double precision, is the reference.
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
                (ours, state) = RmsProp.step(1e-2, ours, single, state);
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
