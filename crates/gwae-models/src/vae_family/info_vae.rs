//! The InfoVAE: a maximum mean discrepancy beside a smaller weight of the divergence.

use burn::tensor::Tensor;
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{maximum_mean_discrepancy, standard_normal_divergence};
use serde::{Deserialize, Serialize};

use super::regulariser::{Penalty, Regulariser};
use super::settings::{check_weight, vae_settings};
use crate::networks::{BackboneConfig, Posterior};
use crate::settings::{ModelConfigError, in_range};

/// Settings of an InfoVAE (Zhao et al., AAAI 2019, arXiv:1706.02262).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct InfoVaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight α of the mutual information of images and codes, at most 1. With 1 the divergence of
    /// single posteriors has no weight.
    pub alpha: f64,
    /// Weight λ of the divergence of the codes from the prior; at least 1 − α.
    pub lambda: f64,
}

vae_settings!(
    InfoVaeConfig,
    kind = "infovae",
    summary = "VAE with a maximum mean discrepancy between codes and prior",
    regulariser = InfoVae,
    explanations = [
        (
            "alpha",
            "Weight of the mutual information of images and codes, at most 1."
        ),
        (
            "lambda",
            "Weight of the difference of codes and prior, at least 1 - alpha."
        ),
    ]
);

impl Default for InfoVaeConfig {
    /// α 0 and λ 1000, as for the paper's images (section 5).
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            alpha: 0.0,
            lambda: 1000.0,
        }
    }
}

impl InfoVaeConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        in_range(
            (-1e6..=1.0).contains(&self.alpha),
            "alpha",
            self.alpha,
            "at most 1 (and at least -1e6)",
        )?;
        check_weight("lambda", self.lambda)?;
        in_range(
            self.alpha + self.lambda >= 1.0,
            "lambda",
            self.lambda,
            "at least 1 - alpha, so that the discrepancy has no negative weight",
        )
    }

    fn regulariser(&self) -> InfoVae {
        InfoVae {
            alpha: self.alpha,
            lambda: self.lambda,
        }
    }
}

/// `(1 − α)·KL(q(z|x) ‖ N(0, I)) + (α + λ − 1)·MMD(q(z), N(0, I))` (Zhao et al., equation 6 with the
/// MMD as divergence), with the Gaussian kernel of [`maximum_mean_discrepancy`].
#[derive(Clone, Debug, PartialEq)]
pub struct InfoVae {
    /// α.
    pub alpha: f64,
    /// λ.
    pub lambda: f64,
}

impl Regulariser for InfoVae {
    /// Asks `noise` for standard normal `[batch, latent]`.
    fn penalty(
        &self,
        posterior: &Posterior,
        codes: &Tensor<2>,
        noise: &mut dyn RandomSource,
    ) -> Penalty {
        let Posterior { mean, logvar } = posterior.clone();
        let divergence = standard_normal_divergence(mean, logvar);
        let drawn = normal_tensor(noise, codes.dims(), &codes.device());
        let discrepancy = maximum_mean_discrepancy(codes.clone(), drawn);
        let weighted = divergence.clone() * (1.0 - self.alpha)
            + discrepancy.clone() * (self.alpha + self.lambda - 1.0);
        Penalty {
            weighted,
            terms: vec![("divergence", divergence), ("discrepancy", discrepancy)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, penalty_of, posterior};
    use super::*;

    #[test]
    fn both_terms_have_their_weights() {
        // Codes (3, 4) and (0, 0); the test's draws from the prior are zero. ‖·‖² = 25, L = 2.
        let kernel = (-25f64 / 4.0).exp();
        let of_codes = 0.5 + 0.5 * kernel;
        let discrepancy = of_codes + 1.0 - (1.0 + kernel);
        let objective = InfoVae {
            alpha: 0.25,
            lambda: 10.0,
        };
        let mean = [[3.0, 4.0], [0.0, 0.0]];
        let (weighted, terms) = penalty_of(&objective, posterior(mean, [[0.0; 2]; 2]));
        assert_near(terms["divergence"], 6.25);
        assert_near(terms["discrepancy"], discrepancy);
        assert_near(weighted, 0.75 * 6.25 + 9.25 * discrepancy);
    }

    #[test]
    fn a_negative_weight_of_the_discrepancy_is_refused() {
        let config = InfoVaeConfig {
            alpha: -3.0,
            lambda: 2.0,
            ..InfoVaeConfig::default()
        };
        let error = config.check_fields().unwrap_err().to_string();
        assert!(error.contains("model.lambda = 2"), "{error}");
    }
}
