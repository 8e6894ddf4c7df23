//! AdamW as in PyTorch.

use burn::optim::{AdamWState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::adam::Adam;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): before each step, every parameter
/// is multiplied by `1 − rate·weight_decay`. The defaults are PyTorch's. As in PyTorch, all
/// parameters decay, including biases and scales. Its records have the format of Burn's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// β₁ and β₂: the shares of the old averages of gradients and of squared gradients, at least 0
    /// and below 1 (default 0.9 and 0.999).
    pub betas: [f64; 2],
    /// ε, which keeps a step finite if all gradients were 0 (default 1e-8).
    pub epsilon: f64,
    /// The weight decay, from 0 to 1000 (default 0.01).
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { betas, epsilon } = Adam::default();
        Self {
            betas,
            epsilon,
            weight_decay: 0.01,
        }
    }
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let adam = Adam {
            betas: self.betas,
            epsilon: self.epsilon,
        };
        let parameter = parameter.mul_scalar(1.0 - rate * self.weight_decay);
        let state = state.map(|state| state.momentum);
        let (parameter, state) = adam.adapt(rate, parameter, gradient, state);
        (parameter, Some(AdamWState::new(state)))
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

    /// PyTorch's formula, one number at a time.
    #[test]
    fn steps_as_pytorchs() {
        for adam_w in [
            AdamW::default(),
            AdamW {
                betas: [0.5, 0.9],
                epsilon: 1e-3,
                weight_decay: 0.5,
            },
        ] {
            let [beta_1, beta_2] = adam_w.betas;
            assert_steps(&adam_w, 1e-12, |rate, start, gradients| {
                let (mut x, mut m, mut v) = (start, 0.0, 0.0);
                for (step, gradient) in (1..).zip(gradients) {
                    x *= 1.0 - rate * adam_w.weight_decay;
                    m = beta_1 * m + (1.0 - beta_1) * gradient;
                    v = beta_2 * v + (1.0 - beta_2) * gradient * gradient;
                    let corrected = m / (1.0 - beta_1.powi(step));
                    let scale = (v / (1.0 - beta_2.powi(step))).sqrt();
                    x -= rate * corrected / (scale + adam_w.epsilon);
                }
                x
            });
        }
    }
}
