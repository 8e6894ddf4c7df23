//! Adam as in PyTorch.

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use gwae_kernels::{moving_average, moving_square, scaled_step};
use serde::{Deserialize, Serialize};

/// Adam (Kingma and Ba 2015). The defaults are PyTorch's and the authors'. On the CPU it makes
/// three passes over a parameter; Burn's own Adam makes eleven and has a different ε. Its
/// records have the format of Burn's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// β₁ and β₂: the shares of the old averages of gradients and of squared gradients, at least 0
    /// and below 1 (default 0.9 and 0.999).
    pub betas: [f64; 2],
    /// ε, which keeps a step finite if all gradients were 0 (default 1e-8).
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
        }
    }
}

impl Adam {
    /// An optimiser of modules with the defaults.
    pub fn init() -> ModuleOptimizer {
        ModuleOptimizer::from(Self::default())
    }

    /// One step, and the averages after it.
    pub(super) fn adapt<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdaptiveMomentumState<D>>,
    ) -> (Tensor<D>, AdaptiveMomentumState<D>) {
        let AdaptiveMomentumState {
            time,
            moment_1,
            moment_2,
            ..
        } = state.unwrap_or_else(|| {
            AdaptiveMomentumState::new(0, gradient.zeros_like(), gradient.zeros_like())
        });
        let time = time + 1;
        let [beta_1, beta_2] = self.betas;
        let average = moving_average(moment_1, gradient.clone(), beta_1);
        let square = moving_square(moment_2, gradient, beta_2);
        // Both averages start at 0. The correction is applied to rate and ε, which saves a pass.
        let steps = i32::try_from(time).unwrap_or(i32::MAX);
        let square_share = (1.0 - beta_2.powi(steps)).sqrt();
        let rate = rate * square_share / (1.0 - beta_1.powi(steps));
        let epsilon = self.epsilon * square_share;
        let parameter = scaled_step(parameter, average.clone(), square.clone(), rate, epsilon);
        (parameter, AdaptiveMomentumState::new(time, average, square))
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
        let state = state.map(|state| state.momentum);
        let (parameter, state) = self.adapt(rate, parameter, gradient, state);
        (parameter, Some(AdamState::new(state)))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::testing::assert_steps;

    /// The published algorithm, one number at a time.
    #[test]
    fn steps_as_published() {
        for adam in [
            Adam::default(),
            Adam {
                betas: [0.5, 0.9],
                epsilon: 1e-3,
            },
        ] {
            let [beta_1, beta_2] = adam.betas;
            assert_steps(&adam, 1e-12, |rate, start, gradients| {
                let (mut x, mut m, mut v) = (start, 0.0, 0.0);
                for (step, gradient) in (1..).zip(gradients) {
                    m = beta_1 * m + (1.0 - beta_1) * gradient;
                    v = beta_2 * v + (1.0 - beta_2) * gradient * gradient;
                    let corrected = m / (1.0 - beta_1.powi(step));
                    let scale = (v / (1.0 - beta_2.powi(step))).sqrt();
                    x -= rate * corrected / (scale + adam.epsilon);
                }
                x
            });
        }
    }
}
