//! The β-TCVAE: only the total correlation of the codes gets a larger weight.

use burn::tensor::Tensor;
use gwae_core::divergence_parts;
use gwae_core::random::RandomSource;
use serde::{Deserialize, Serialize};

use super::regulariser::{Penalty, Regulariser};
use super::settings::{check_weight, vae_settings};
use crate::networks::{BackboneConfig, Posterior};
use crate::settings::ModelConfigError;

/// Settings of a β-TCVAE (Chen et al., NeurIPS 2018).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct BetaTcvaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight β of the total correlation. Studies of disentanglement try 1, 2, 4, 6, 8 and 10.
    pub beta: f64,
}

vae_settings!(
    BetaTcvaeConfig,
    kind = "beta-tcvae",
    summary = "VAE with a weight β on the total correlation of the codes",
    regulariser = BetaTcvae,
    explanations = [(
        "beta",
        "Weight of the total correlation of the codes; 1 is a VAE."
    ),]
);

impl Default for BetaTcvaeConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            beta: 6.0,
        }
    }
}

impl BetaTcvaeConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        check_weight("beta", self.beta)
    }

    fn regulariser(&self) -> BetaTcvae {
        BetaTcvae {
            beta: self.beta,
            training_images: None,
        }
    }
}

/// `I(x; z) + β·TC(z) + Σ_l KL(q(z_l) ‖ p(z_l))` by minibatch-weighted sampling (Chen et al.,
/// NeurIPS 2018, equation 4 with α = γ = 1).
#[derive(Clone, Debug, PartialEq)]
pub struct BetaTcvae {
    /// β.
    pub beta: f64,
    /// Number N of images to train on. `None` takes the size of the batch. N only adds constants
    /// to the terms, so it does not change the gradient.
    pub training_images: Option<usize>,
}

impl Regulariser for BetaTcvae {
    fn penalty(
        &self,
        posterior: &Posterior,
        codes: &Tensor<2>,
        _: &mut dyn RandomSource,
    ) -> Penalty {
        let Posterior { mean, logvar } = posterior.clone();
        let images = self.training_images.unwrap_or(codes.dims()[0]);
        let parts = divergence_parts(codes.clone(), mean, logvar, images);
        let weighted = parts.mutual_information.clone()
            + parts.total_correlation.clone() * self.beta
            + parts.dimension_wise.clone();
        Penalty {
            weighted,
            terms: vec![
                ("mutual_information", parts.mutual_information),
                ("total_correlation", parts.total_correlation),
                ("dimension_wise_divergence", parts.dimension_wise),
            ],
        }
    }

    fn set_training_images(&mut self, images: usize) {
        self.training_images = Some(images);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, penalty_of, posterior};
    use super::*;

    /// With β = 1 the sum telescopes to the mean of log q(z|x) − log p(z), whatever N is.
    #[test]
    fn with_beta_one_it_is_the_divergence_of_the_draws() {
        let mean = [[0.5, -1.0], [0.2, 2.0]];
        // Codes are the means (the test's noise is zero).
        let log_ratio: f64 = mean.iter().flatten().map(|m| 0.5 * m * m).sum::<f64>() / 2.0;
        for training_images in [None, Some(2), Some(500)] {
            let objective = BetaTcvae {
                beta: 1.0,
                training_images,
            };
            let (weighted, terms) = penalty_of(&objective, posterior(mean, [[0.0; 2]; 2]));
            assert_near(weighted, log_ratio);
            assert_near(terms.values().sum(), log_ratio);
        }
    }

    #[test]
    fn the_size_of_the_data_is_told_to_it() {
        let mut objective = BetaTcvaeConfig::default().regulariser();
        let of = |objective: &BetaTcvae| {
            penalty_of(
                objective,
                posterior([[0.5, 1.0], [0.2, 2.0]], [[0.0; 2]; 2]),
            )
            .1
        };
        let before = of(&objective)["total_correlation"];
        objective.set_training_images(200);
        // Two entries: one more log N than the joint has, and N was 2.
        assert_near(of(&objective)["total_correlation"] - before, 100f64.ln());
    }
}
