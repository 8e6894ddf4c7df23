//! Adam as PyTorch has it.

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use gwae_kernels::{moving_average, moving_square, scaled_step};

/// Share of the old average of gradients.
const DECAY: f64 = 0.9;
/// Share of the old average of squared gradients.
const SQUARE_DECAY: f64 = 0.999;
/// What keeps a step finite where all gradients were 0.
const EPSILON: f64 = 1e-8;

/// Adam with β 0.9 and 0.999 and ε 1e-8 (Kingma and Ba 2015): PyTorch's defaults, which the official program
/// uses. On the CPU it takes three passes over a parameter; Burn's own takes eleven and has another ε.
/// Its records are those of Burn's.
#[derive(Clone, Debug, Default)]
pub struct Adam;

impl Adam {
    /// An optimiser of modules.
    pub fn init() -> ModuleOptimizer {
        ModuleOptimizer::from(Self)
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let AdaptiveMomentumState {
            time,
            moment_1,
            moment_2,
            ..
        } = match state {
            Some(state) => state.momentum,
            None => AdaptiveMomentumState::new(0, gradient.zeros_like(), gradient.zeros_like()),
        };
        let time = time + 1;
        let average = moving_average(moment_1, gradient.clone(), DECAY);
        let square = moving_square(moment_2, gradient, SQUARE_DECAY);
        // Both averages start at 0. What corrects them is put into rate and ε, which saves a pass.
        let steps = i32::try_from(time).unwrap_or(i32::MAX);
        let square_share = (1.0 - SQUARE_DECAY.powi(steps)).sqrt();
        let rate = rate * square_share / (1.0 - DECAY.powi(steps));
        let epsilon = EPSILON * square_share;
        let parameter = scaled_step(parameter, average.clone(), square.clone(), rate, epsilon);
        let state = AdamState::new(AdaptiveMomentumState::new(time, average, square));
        (parameter, Some(state))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::DType;

    /// The published algorithm, one number at a time.
    #[test]
    fn steps_as_published() {
        let device = Device::flex();
        let start = [1.0, -2.0, 0.5, 3.0, 0.0];
        let gradient_of = |x: f64, step: u32| (x * 1.7 + f64::from(step)).sin() * 1e-3;
        let expected = start.map(|first| {
            let (mut x, mut m, mut v) = (first, 0.0, 0.0);
            for step in 1..=20 {
                let gradient = gradient_of(first, step);
                m = 0.9 * m + 0.1 * gradient;
                v = 0.999 * v + 0.001 * gradient * gradient;
                let corrected = m / (1.0 - 0.9f64.powf(f64::from(step)));
                let scale = (v / (1.0 - 0.999f64.powf(f64::from(step)))).sqrt();
                x -= 1e-2 * corrected / (scale + 1e-8);
            }
            x
        });
        for (dtype, bound) in [(DType::F32, 1e-6), (DType::F64, 1e-12)] {
            let mut parameter = Tensor::<1>::from_data(start, (&device, dtype));
            let mut state = None;
            for step in 1..=20 {
                let gradient = start.map(|x| gradient_of(x, step));
                let gradient = Tensor::from_data(gradient, (&device, dtype));
                (parameter, state) = Adam.step(1e-2, parameter, gradient, state);
            }
            let found: Vec<f64> = parameter.to_data().iter::<f64>().collect();
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < bound,
                    "{found} instead of {expected}"
                );
            }
        }
    }
}
