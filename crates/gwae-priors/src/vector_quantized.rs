//! The vector-quantised prior: a table of trainable codes.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::initialise::normal_parameter;
use gwae_core::random::{RandomSource, normal_tensor};
use serde::{Deserialize, Serialize};

use crate::family::{MOST, PriorConfigError, PriorFamily, check_range};
use crate::prior::Prior;

/// The trainable embedding nearest to a normal draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorQuantizedConfig {
    /// Number of embeddings, 1 to 65536 (default 64).
    pub embeddings: usize,
}

impl Default for VectorQuantizedConfig {
    fn default() -> Self {
        Self { embeddings: 64 }
    }
}

impl PriorFamily for VectorQuantizedConfig {
    const NAME: &'static str = "vector_quantized";
    const DESCRIPTION: &'static str = "the trainable embedding nearest to a normal draw";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[(
        "embeddings",
        "Number of codes that the prior chooses from, from 1 to 65536.",
    )];
    type Prior = VectorQuantizedPrior;

    fn validate(&self) -> Result<(), PriorConfigError> {
        check_range("embeddings", self.embeddings, 1..=MOST)
    }

    /// Embeddings from N(0, I).
    fn build(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> VectorQuantizedPrior {
        VectorQuantizedPrior {
            embeddings: normal_parameter([self.embeddings, latent_dim], noise, device),
        }
    }

    fn parameters(&self, latent_dim: usize) -> usize {
        self.embeddings.saturating_mul(latent_dim)
    }
}

/// `z = e_k`, where e_k is the embedding nearest to a draw ε ~ N(0, I).
///
/// The gradient reaches the chosen embeddings. The choice itself has no gradient.
///
/// A draw asks for: standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct VectorQuantizedPrior {
    /// The codes `[embeddings, L]` (official: `embeddings`), laid out as in PyTorch.
    pub embeddings: Param<Tensor<2>>,
}

impl Prior for VectorQuantizedPrior {
    fn latent_dim(&self) -> usize {
        self.embeddings.dims()[1]
    }

    fn sample(
        &self,
        batch: usize,
        _mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let epsilon = normal_tensor(noise, [batch, self.latent_dim()], device);
        let embeddings = self.embeddings.val();
        let table = embeddings.clone().detach();
        // ‖ε − e‖² without ‖ε‖², which is the same for every embedding. This avoids a [B, E, L]
        // tensor.
        let squares = table.clone().square().sum_dim(1).transpose();
        let distance = squares - epsilon.matmul(table.transpose()) * 2.0;
        embeddings.select(0, distance.argmin(1).squeeze_dim(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const L: usize = 3;
    const BATCH: usize = 200;
    const EMBEDDINGS: usize = 7;

    fn nearest(table: &[f64], row: &[f64]) -> usize {
        let distance = |embedding: &[f64]| -> f64 {
            let pairs = embedding.iter().zip(row);
            pairs.map(|(e, x)| (e - x).powi(2)).sum()
        };
        let mut best = 0;
        for (index, embedding) in table.chunks(L).enumerate() {
            if distance(embedding) < distance(&table[best * L..][..L]) {
                best = index;
            }
        }
        best
    }

    #[test]
    fn samples_are_the_nearest_embeddings_and_pass_the_gradient_to_them() {
        let device = Device::flex().autodiff();
        let mut tape = Tape::new(11);
        let config = VectorQuantizedConfig {
            embeddings: EMBEDDINGS,
        };
        let prior = config.init(L, &mut tape, &device).unwrap();
        tape.draws.clear();
        let codes = prior.sample(BATCH, Mode::Train, &mut tape, &device);
        assert_eq!(tape.shapes(), [(Kind::Normal, BATCH * L)]);

        let table = values(prior.embeddings.val());
        let epsilon = tape.read(0);
        let chosen: Vec<usize> = epsilon.chunks(L).map(|row| nearest(&table, row)).collect();
        let distinct: std::collections::HashSet<_> = chosen.iter().collect();
        assert!(distinct.len() > 4, "the draws must reach most embeddings");
        let expected: Vec<f64> = chosen
            .iter()
            .flat_map(|&k| table[k * L..][..L].to_vec())
            .collect();
        assert_eq!(values(codes.clone()), expected);

        let gradients = weighted_sum(codes).backward();
        let forward = |p: &[Vec<f64>]| -> Vec<f64> {
            epsilon
                .chunks(L)
                .flat_map(|row| p[0][nearest(&p[0], row) * L..][..L].to_vec())
                .collect()
        };
        let actual = gradient(&prior.embeddings, &gradients).unwrap();
        check_gradients(&[table], &[actual], |p| naive_weighted_sum(&forward(p)));
    }
}
