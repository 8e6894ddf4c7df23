//! The β-VAE: a VAE with a larger weight of the divergence.

use serde::{Deserialize, Serialize};

use super::settings::{check_weight, vae_settings};
use crate::networks::BackboneConfig;
use crate::settings::ModelConfigError;
use crate::vae::VaeObjective;

/// Settings of a β-VAE (Higgins et al., ICLR 2017): `reconstruction + β·KL(q(z|x) ‖ N(0, I))`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct BetaVaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight β of the divergence. Studies of disentanglement try 1, 2, 4, 6, 8 and 16.
    pub beta: f64,
}

vae_settings!(
    BetaVaeConfig,
    kind = "beta-vae",
    summary = "VAE with a weight β on the divergence",
    regulariser = VaeObjective,
    explanations = [(
        "beta",
        "Weight of the divergence from the prior; 1 is a VAE."
    ),]
);

impl Default for BetaVaeConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            beta: 4.0,
        }
    }
}

impl BetaVaeConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        check_weight("beta", self.beta)
    }

    fn regulariser(&self) -> VaeObjective {
        VaeObjective {
            divergence_weight: self.beta,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, penalty_of, posterior};
    use super::*;

    #[test]
    fn the_divergence_is_weighted_by_beta() {
        let mean = [[0.5, -1.0], [0.0, 2.0]];
        let logvar = [[0.0, 0.3], [-0.7, 0.0]];
        let divergence = |mean: f64, logvar: f64| 0.5 * (mean * mean + logvar.exp() - 1.0 - logvar);
        let pairs = mean.iter().flatten().zip(logvar.iter().flatten());
        let expected = pairs.map(|(m, v)| divergence(*m, *v)).sum::<f64>() / 2.0;
        let objective = BetaVaeConfig {
            beta: 6.0,
            ..BetaVaeConfig::default()
        }
        .regulariser();
        let (weighted, terms) = penalty_of(&objective, posterior(mean, logvar));
        assert_near(weighted, 6.0 * expected);
        assert_near(terms["divergence"], expected);
    }
}
