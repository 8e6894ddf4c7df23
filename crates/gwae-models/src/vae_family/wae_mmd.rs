//! The Wasserstein autoencoder with a maximum mean discrepancy.

use burn::tensor::Tensor;
use gwae_core::inverse_multiquadratic_discrepancy;
use gwae_core::random::{RandomSource, normal_tensor};
use serde::{Deserialize, Serialize};

use super::regulariser::{Penalty, Regulariser};
use super::settings::{check_weight, vae_settings};
use crate::networks::{BackboneConfig, Posterior};
use crate::settings::ModelConfigError;

/// Settings of a WAE-MMD (Tolstikhin et al., ICLR 2018, algorithm 2). Its encoder is deterministic:
/// the log-variances of the encoder are not used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct WaeMmdConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight λ of the discrepancy. The paper takes 10 for digits and 100 for faces beside the squared
    /// error. Our reconstruction loss is half the squared error, so these are 5 and 50 here.
    pub discrepancy_weight: f64,
}

vae_settings!(
    WaeMmdConfig,
    kind = "wae-mmd",
    summary = "Wasserstein autoencoder with a maximum mean discrepancy",
    regulariser = WaeMmd,
    explanations = [(
        "discrepancy_weight",
        "Weight of the maximum mean discrepancy between codes and prior."
    ),]
);

impl Default for WaeMmdConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            discrepancy_weight: 50.0,
        }
    }
}

impl WaeMmdConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        check_weight("discrepancy_weight", self.discrepancy_weight)
    }

    fn regulariser(&self) -> WaeMmd {
        WaeMmd {
            discrepancy_weight: self.discrepancy_weight,
        }
    }
}

/// `λ·MMD²(q(z), N(0, I))` with the inverse multiquadratic kernel; the codes are the encoder's means.
#[derive(Clone, Debug, PartialEq)]
pub struct WaeMmd {
    /// λ.
    pub discrepancy_weight: f64,
}

impl Regulariser for WaeMmd {
    fn codes(&self, posterior: &Posterior, _: &mut dyn RandomSource) -> Tensor<2> {
        posterior.mean.clone()
    }

    /// Asks `noise` for standard normal `[batch, latent]`.
    fn penalty(&self, _: &Posterior, codes: &Tensor<2>, noise: &mut dyn RandomSource) -> Penalty {
        let drawn = normal_tensor(noise, codes.dims(), &codes.device());
        let discrepancy = inverse_multiquadratic_discrepancy(codes.clone(), drawn, 1.0);
        Penalty {
            weighted: discrepancy.clone() * self.discrepancy_weight,
            terms: vec![("discrepancy", discrepancy)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, penalty_of, posterior};
    use super::*;

    #[test]
    fn the_discrepancy_of_means_and_draws_has_its_closed_form() {
        // Codes (3, 4) and (0, 0); the test's draws from the prior are zero. C = 2·2.
        let kernel = 4.0 / 29.0;
        let discrepancy = kernel + 1.0 - (1.0 + kernel);
        let objective = WaeMmd {
            discrepancy_weight: 7.0,
        };
        let mean = [[3.0, 4.0], [0.0, 0.0]];
        let (weighted, _) = penalty_of(&objective, posterior(mean, [[5.0; 2]; 2]));
        assert_near(weighted, 7.0 * discrepancy);
        // One draw more away from the codes.
        let mean = [[3.0, 4.0], [3.0, 4.0]];
        let (weighted, _) = penalty_of(&objective, posterior(mean, [[5.0; 2]; 2]));
        assert_near(weighted, 7.0 * (2.0 - 2.0 * kernel));
    }
}
