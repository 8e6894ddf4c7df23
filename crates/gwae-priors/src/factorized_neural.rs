//! The factorized neural prior (FNP): one small perceptron per latent entry.

use burn::module::Module;
use burn::nn::conv::Conv1d;
use burn::tensor::{Device, Tensor};
use gwae_core::activation::leaky_silu;
use gwae_core::initialise::pointwise_conv1d;
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{BatchNorm, Mode, OFFICIAL_MOMENTUM};
use serde::{Deserialize, Serialize};

use crate::family::PriorFamily;
use crate::neural::SLOPE;
use crate::prior::Prior;

/// Width of the perceptron of one entry.
const WIDTH: usize = 4;

/// One small perceptron per latent entry (FNP): independent entries, for disentanglement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorizedNeuralConfig {}

impl PriorFamily for FactorizedNeuralConfig {
    const NAME: &'static str = "factorized_neural";
    const DESCRIPTION: &'static str = "a perceptron per entry: independent entries";
    type Prior = FactorizedNeuralPrior;

    /// With PyTorch's default initialisation.
    fn build(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> FactorizedNeuralPrior {
        let hidden = WIDTH * latent_dim;
        let mut layer = |channels| pointwise_conv1d(channels, latent_dim, noise, device);
        FactorizedNeuralPrior {
            layers: [
                layer([latent_dim, hidden]),
                layer([hidden, hidden]),
                layer([hidden, hidden]),
                layer([hidden, latent_dim]),
            ],
            batch_norm: BatchNorm::new(latent_dim, OFFICIAL_MOMENTUM, false, device),
            latent_dim,
        }
    }

    fn parameters(&self, latent_dim: usize) -> usize {
        latent_dim.saturating_mul(53)
    }
}

/// Entry l is `BatchNorm(MLP_l(ε_l))`, ε ~ N(0, I). The entries are independent by construction, as
/// disentanglement requires.
///
/// Each perceptron is 1 → 4 → 4 → 4 → 1 with LeakySiLU(0.2) between its layers. The batch
/// normalisation has no scale and shift.
///
/// A draw asks for: standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct FactorizedNeuralPrior {
    /// The layers of all perceptrons as pointwise convolutions with one group per entry (official:
    /// `net.1`, `net.3`, `net.5`, `net.7`). They have PyTorch's layout: weights `[4L, 1, 1]`,
    /// `[4L, 4, 1]`, `[4L, 4, 1]`, `[L, 4, 1]`, with the channels of one entry next to each other.
    pub layers: [Conv1d; 4],
    /// Normalisation of the codes (official: `net.8`).
    pub batch_norm: BatchNorm,
    latent_dim: usize,
}

/// A pointwise convolution with one group per entry, computed as one small matrix product per entry.
///
/// Burn's grouped convolution is slow with one group per entry: at 64 entries and a batch of 64,
/// forward and backward through the prior take five times as long on the CPU.
///
/// # Shapes
/// - `input`: `[entries, inputs, batch]`
/// - output: `[entries, outputs, batch]`
fn entrywise(layer: &Conv1d, input: Tensor<3>) -> Tensor<3> {
    let [entries, inputs, _] = input.dims();
    let weight = layer.weight.val();
    let outputs = weight.dims()[0] / entries;
    let weight = weight.reshape([entries, outputs, inputs]);
    let output = if inputs == 1 {
        weight * input
    } else {
        weight.matmul(input)
    };
    match &layer.bias {
        Some(bias) => output + bias.val().reshape([entries, outputs, 1]),
        None => output,
    }
}

impl Prior for FactorizedNeuralPrior {
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
        let entries = epsilon.transpose().unsqueeze_dim::<3>(1);
        let [first, rest @ ..] = &self.layers;
        let codes = rest
            .iter()
            .fold(entrywise(first, entries), |hidden, layer| {
                entrywise(layer, leaky_silu(hidden, SLOPE))
            });
        let codes = codes.squeeze_dim::<2>(1).transpose();
        self.batch_norm.forward(codes, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const L: usize = 3;
    const BATCH: usize = 5;

    fn perceptrons(parameters: &[Vec<f64>], epsilon: &[f64]) -> Vec<f64> {
        let mut output = Vec::new();
        for (index, &x) in epsilon.iter().enumerate() {
            let entry = index % L;
            let mut hidden = vec![x];
            for layer in 0..4 {
                let outputs = if layer < 3 { WIDTH } else { 1 };
                let (weight, bias) = (&parameters[2 * layer], &parameters[2 * layer + 1]);
                hidden = (entry * outputs..(entry + 1) * outputs)
                    .map(|channel| {
                        let row = &weight[channel * hidden.len()..][..hidden.len()];
                        let product: f64 = row.iter().zip(&hidden).map(|(w, h)| w * h).sum();
                        let y = product + bias[channel];
                        if layer < 3 { naive_leaky_silu(y) } else { y }
                    })
                    .collect();
            }
            output.extend(hidden);
        }
        output
    }

    fn parameters(prior: &FactorizedNeuralPrior) -> Vec<Vec<f64>> {
        let layers = prior.layers.iter();
        layers
            .flat_map(|layer| {
                let bias = layer.bias.as_ref().unwrap().val();
                [values(layer.weight.val()), values(bias)]
            })
            .collect()
    }

    #[test]
    fn samples_and_gradients_equal_the_naive_perceptrons() {
        let device = Device::flex().autodiff();
        let mut tape = Tape::new(5);
        let prior = FactorizedNeuralConfig {}
            .init(L, &mut tape, &device)
            .unwrap();
        tape.draws.clear();
        let codes = prior.sample(BATCH, Mode::Train, &mut tape, &device);
        assert_eq!(tape.shapes(), [(Kind::Normal, BATCH * L)]);

        let epsilon = tape.read(0);
        let forward = |p: &[Vec<f64>]| naive_batch_norm(&perceptrons(p, &epsilon), L);
        assert_close(&values(codes.clone()), &forward(&parameters(&prior)), 1e-4);

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
        check_gradients(&parameters(&prior), &gradients, |p| {
            naive_weighted_sum(&forward(p))
        });
    }

    #[test]
    fn matrix_products_equal_the_grouped_convolution() {
        let device = Device::flex().autodiff();
        let mut noise = Tape::new(6);
        let prior = FactorizedNeuralConfig {}
            .init(L, &mut noise, &device)
            .unwrap();
        for (layer, width) in prior.layers.iter().zip([1, WIDTH, WIDTH, WIDTH]) {
            // The convolution sees [batch, channels, 1].
            let input = normal_tensor(&mut noise, [BATCH, L * width, 1], &device);
            let convolved = layer.forward(input.clone());
            let entries = input.reshape([BATCH, L, width]).permute([1, 2, 0]);
            let multiplied = entrywise(layer, entries).permute([2, 0, 1]);
            assert_close(
                &values(multiplied.clone()),
                &values(convolved.clone()),
                1e-5,
            );
            let by_convolution = weighted_sum(convolved).backward();
            let by_products = weighted_sum(multiplied).backward();
            assert_close(
                &gradient(&layer.weight, &by_products).unwrap(),
                &gradient(&layer.weight, &by_convolution).unwrap(),
                1e-5,
            );
        }
    }

    #[test]
    fn an_entry_depends_on_its_own_noise_only() {
        let device = Device::flex();
        let prior = FactorizedNeuralConfig {}
            .init(4, &mut Tape::new(7), &device)
            .unwrap();
        let draw = |epsilon: [f32; 4]| {
            let mut noise = Replay::new([epsilon.to_vec()]);
            values(prior.sample(1, Mode::Evaluate, &mut noise, &device))
        };
        let base = draw([0.1, -0.7, 1.2, 0.4]);
        for changed in 0..4 {
            let mut epsilon = [0.1, -0.7, 1.2, 0.4];
            epsilon[changed] += 1.0;
            for (entry, (a, b)) in base.iter().zip(draw(epsilon)).enumerate() {
                assert_eq!(
                    *a != b,
                    entry == changed,
                    "entry {entry} of noise {changed}"
                );
            }
        }
    }
}
