//! The neural prior (NP): a multilayer perceptron over Gaussian noise.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use gwae_core::activation::leaky_silu;
use gwae_core::initialise::linear;
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{BatchNorm, Mode, OFFICIAL_MOMENTUM};
use serde::{Deserialize, Serialize};

use crate::family::PriorFamily;
use crate::prior::Prior;

/// Slope a of the LeakySiLU between the layers.
pub(crate) const SLOPE: f64 = 0.2;

/// A multilayer perceptron over Gaussian noise (NP): any smooth distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeuralConfig {}

impl PriorFamily for NeuralConfig {
    const NAME: &'static str = "neural";
    const DESCRIPTION: &'static str = "a perceptron over normal noise: any smooth distribution";
    type Prior = NeuralPrior;

    /// With PyTorch's default initialisation.
    fn build(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> NeuralPrior {
        let hidden = 4 * latent_dim;
        NeuralPrior {
            layers: [
                linear(latent_dim, hidden, noise, device),
                linear(hidden, hidden, noise, device),
                linear(hidden, hidden, noise, device),
                linear(hidden, latent_dim, noise, device),
            ],
            batch_norm: BatchNorm::new(latent_dim, OFFICIAL_MOMENTUM, false, device),
            latent_dim,
        }
    }

    /// Four maps, L → 4L → 4L → 4L → L.
    fn parameters(&self, latent_dim: usize) -> usize {
        latent_dim.saturating_mul(latent_dim).saturating_mul(40)
    }
}

/// `BatchNorm(MLP(ε))`, ε ~ N(0, I): a smooth transformation of a Gaussian into any shape.
///
/// Four linear maps L → 4L → 4L → 4L → L with LeakySiLU(0.2) between them, then a batch
/// normalisation without scale and shift. The batch normalisation keeps the prior at zero mean and
/// unit variance.
///
/// A draw asks for: standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct NeuralPrior {
    /// The linear maps (official: `net.0`, `net.2`, `net.4`, `net.6`). Weights are stored
    /// `[inputs, outputs]`, the transpose of PyTorch's layout.
    pub layers: [Linear; 4],
    /// Normalisation of the codes (official: `net.7`).
    pub batch_norm: BatchNorm,
    latent_dim: usize,
}

impl Prior for NeuralPrior {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let epsilon = normal_tensor(noise, [batch, self.latent_dim], device);
        let [first, rest @ ..] = &self.layers;
        let codes = rest.iter().fold(first.forward(epsilon), |hidden, layer| {
            layer.forward(leaky_silu(hidden, SLOPE))
        });
        self.batch_norm.forward(codes, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const L: usize = 3;
    const BATCH: usize = 5;

    fn perceptron(parameters: &[Vec<f64>], epsilon: &[f64]) -> Vec<f64> {
        let mut output = Vec::new();
        for row in epsilon.chunks(L) {
            let mut hidden = row.to_vec();
            for layer in 0..4 {
                let (weight, bias) = (&parameters[2 * layer], &parameters[2 * layer + 1]);
                let mut next = bias.clone();
                for (i, x) in hidden.iter().enumerate() {
                    for (j, y) in next.iter_mut().enumerate() {
                        *y += x * weight[i * bias.len() + j];
                    }
                }
                hidden = next;
                if layer < 3 {
                    hidden.iter_mut().for_each(|x| *x = naive_leaky_silu(*x));
                }
            }
            output.extend(hidden);
        }
        output
    }

    #[test]
    fn samples_and_gradients_equal_the_naive_perceptron() {
        let device = Device::flex().autodiff();
        let mut tape = Tape::new(3);
        let prior = NeuralConfig {}.init(L, &mut tape, &device).unwrap();
        tape.draws.clear();
        let codes = prior.sample(BATCH, Mode::Train, &mut tape, &device);
        assert_eq!(tape.shapes(), [(Kind::Normal, BATCH * L)]);

        let parameters: Vec<_> = prior
            .layers
            .iter()
            .flat_map(|layer| {
                let bias = layer.bias.as_ref().unwrap().val();
                [values(layer.weight.val()), values(bias)]
            })
            .collect();
        let epsilon = tape.read(0);
        let forward = |p: &[Vec<f64>]| naive_batch_norm(&perceptron(p, &epsilon), L);
        assert_close(&values(codes.clone()), &forward(&parameters), 1e-4);

        let gradients = weighted_sum(codes).backward();
        let gradients: Vec<_> = prior
            .layers
            .iter()
            .flat_map(|layer| {
                [
                    gradient(&layer.weight, &gradients),
                    gradient(layer.bias.as_ref().unwrap(), &gradients),
                ]
            })
            .map(Option::unwrap)
            .collect();
        check_gradients(&parameters, &gradients, |p| naive_weighted_sum(&forward(p)));
    }

    #[test]
    fn evaluation_uses_the_running_statistics() {
        let device = Device::flex();
        let mut tape = Tape::new(4);
        let prior = NeuralConfig {}.init(L, &mut tape, &device).unwrap();
        prior.sample(BATCH, Mode::Train, &mut tape, &device);
        let statistics = running_statistics(&prior.batch_norm);
        assert!(statistics.0.iter().all(|&mean| mean != 0.0));

        tape.draws.clear();
        let codes = values(prior.sample(1, Mode::Evaluate, &mut tape, &device));
        assert_eq!(running_statistics(&prior.batch_norm), statistics);
        let parameters: Vec<_> = prior
            .layers
            .iter()
            .flat_map(|layer| {
                let bias = layer.bias.as_ref().unwrap().val();
                [values(layer.weight.val()), values(bias)]
            })
            .collect();
        let raw = perceptron(&parameters, &tape.read(0));
        assert_close(&codes, &naive_normalise(&raw, &statistics), 1e-4);
    }
}
