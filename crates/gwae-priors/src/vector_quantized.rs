//! The vector-quantised prior: a table of trainable codes.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::initialise::normal_parameter;
use gwae_core::random::{RandomSource, normal_tensor};

use crate::Prior;

/// `z = e_k`, k the embedding nearest to a draw ε ~ N(0, I).
///
/// The gradient reaches the chosen embeddings; the choice itself carries none.
///
/// A draw asks for: standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct VectorQuantizedPrior {
    /// The codes `[embeddings, L]` (official: `embeddings`), laid out as in PyTorch.
    pub embeddings: Param<Tensor<2>>,
}

impl VectorQuantizedPrior {
    /// A prior over `latent_dim` entries with `embeddings` codes drawn from N(0, I).
    pub fn new(
        latent_dim: usize,
        embeddings: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Self {
        Self {
            embeddings: normal_parameter([embeddings, latent_dim], noise, device),
        }
    }
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
        // ‖ε − e‖² without ‖ε‖², which is the same for every embedding of a row: no [B, E, L] tensor.
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
        let prior = VectorQuantizedPrior::new(L, EMBEDDINGS, &mut tape, &device);
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
