//! Stochastic gradient descent as in PyTorch.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

/// Burn's stochastic gradient descent with PyTorch's defaults: no momentum, no decay and no
/// dampening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Share of the old step that the new one keeps, at least 0 and below 1 (default 0).
    pub momentum: f64,
    /// Before the step, this multiple of the parameter is added to its gradient; from 0 to 1000
    /// (default 0).
    pub weight_decay: f64,
    /// Whether to use Nesterov momentum (default false); needs a momentum above 0.
    pub nesterov: bool,
}

impl Sgd {
    /// An optimiser of modules.
    pub fn init(&self) -> ModuleOptimizer {
        self.config().init()
    }

    fn config(&self) -> SgdConfig {
        let momentum = MomentumConfig::new()
            .with_momentum(self.momentum)
            .with_dampening(0.0)
            .with_nesterov(self.nesterov);
        let decay = WeightDecayConfig::new(self.weight_decay as f32);
        SgdConfig::new()
            .with_momentum((self.momentum > 0.0).then_some(momentum))
            .with_weight_decay((self.weight_decay > 0.0).then_some(decay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::testing::assert_steps;

    /// PyTorch's formula, one number at a time.
    #[test]
    fn steps_as_pytorchs() {
        for (momentum, weight_decay, nesterov) in [
            (0.0, 0.0, false),
            (0.9, 0.0, false),
            (0.9, 0.0, true),
            (0.0, 0.5, false),
            (0.5, 5e-4, true),
        ] {
            let sgd = Sgd {
                momentum,
                weight_decay,
                nesterov,
            };
            // Burn stores momentum and decay in single precision.
            assert_steps(&sgd.config().build(), 1e-9, |rate, start, gradients| {
                let (mut x, mut buffer) = (start, None);
                for gradient in gradients {
                    let gradient = gradient + weight_decay * x;
                    let velocity = match buffer {
                        Some(buffer) => momentum * buffer + gradient,
                        None => gradient,
                    };
                    buffer = Some(velocity);
                    x -= rate
                        * if nesterov {
                            gradient + momentum * velocity
                        } else {
                            velocity
                        };
                }
                x
            });
        }
    }
}
