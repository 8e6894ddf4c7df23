//! DIP-VAE I and II: the covariance of the codes is drawn to the identity.

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_core::{batch_covariance, covariance_penalty, standard_normal_divergence};
use serde::{Deserialize, Serialize};

use super::regulariser::{Penalty, Regulariser};
use super::settings::{check_weight, vae_settings};
use crate::networks::{BackboneConfig, Posterior};
use crate::settings::ModelConfigError;

/// Settings of a DIP-VAE-I (Kumar et al., ICLR 2018), which looks at the covariance of the means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct DipVaeIConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight λ_od of the squared covariances. Studies of disentanglement try 1, 2, 5, 10, 20
    /// and 50.
    pub off_diagonal_weight: f64,
    /// Weight λ_d of the squared differences of the variances from 1: usually ten times λ_od.
    pub diagonal_weight: f64,
}

vae_settings!(
    DipVaeIConfig,
    kind = "dip-vae-i",
    summary = "VAE with uncorrelated posterior means",
    regulariser = DipVae,
    explanations = [
        (
            "off_diagonal_weight",
            "Weight of the squared covariances of the posterior means."
        ),
        (
            "diagonal_weight",
            "Weight of the squared differences of their variances from 1."
        ),
    ]
);

impl Default for DipVaeIConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            off_diagonal_weight: 10.0,
            diagonal_weight: 100.0,
        }
    }
}

impl DipVaeIConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        check_weight("off_diagonal_weight", self.off_diagonal_weight)?;
        check_weight("diagonal_weight", self.diagonal_weight)
    }

    fn regulariser(&self) -> DipVae {
        DipVae {
            off_diagonal_weight: self.off_diagonal_weight,
            diagonal_weight: self.diagonal_weight,
            of_codes: false,
        }
    }
}

/// Settings of a DIP-VAE-II (Kumar et al., ICLR 2018), which looks at the covariance of the codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct DipVaeIiConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight λ_od of the squared covariances. Studies of disentanglement try 1, 2, 5, 10, 20
    /// and 50.
    pub off_diagonal_weight: f64,
    /// Weight λ_d of the squared differences of the variances from 1: usually equal to λ_od.
    pub diagonal_weight: f64,
}

vae_settings!(
    DipVaeIiConfig,
    kind = "dip-vae-ii",
    summary = "VAE with uncorrelated codes",
    regulariser = DipVae,
    explanations = [
        (
            "off_diagonal_weight",
            "Weight of the squared covariances of the codes."
        ),
        (
            "diagonal_weight",
            "Weight of the squared differences of their variances from 1."
        ),
    ]
);

impl Default for DipVaeIiConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            off_diagonal_weight: 10.0,
            diagonal_weight: 10.0,
        }
    }
}

impl DipVaeIiConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        check_weight("off_diagonal_weight", self.off_diagonal_weight)?;
        check_weight("diagonal_weight", self.diagonal_weight)
    }

    fn regulariser(&self) -> DipVae {
        DipVae {
            off_diagonal_weight: self.off_diagonal_weight,
            diagonal_weight: self.diagonal_weight,
            of_codes: true,
        }
    }
}

/// `KL(q(z|x) ‖ N(0, I)) + λ_od·Σ_{i≠j} C_ij² + λ_d·Σ_i (C_ii − 1)²` (Kumar et al., ICLR 2018,
/// equations 6 and 7). C is the covariance of the means of the batch (I) or of the codes, which adds
/// the mean of the posteriors' variances to its diagonal (II).
#[derive(Clone, Debug, PartialEq)]
pub struct DipVae {
    /// λ_od.
    pub off_diagonal_weight: f64,
    /// λ_d.
    pub diagonal_weight: f64,
    /// Whether C is the covariance of the codes (II) or of the means (I).
    pub of_codes: bool,
}

impl Regulariser for DipVae {
    fn penalty(&self, posterior: &Posterior, _: &Tensor<2>, _: &mut dyn RandomSource) -> Penalty {
        let Posterior { mean, logvar } = posterior.clone();
        let divergence = standard_normal_divergence(mean.clone(), logvar.clone());
        let mut covariance = batch_covariance(mean);
        if self.of_codes {
            let latent = covariance.dims()[0];
            let identity = Tensor::eye(latent, &covariance.device());
            covariance = covariance + identity * logvar.exp().mean_dim(0);
        }
        let weights = (self.off_diagonal_weight, self.diagonal_weight);
        let penalty = covariance_penalty(covariance, weights.0, weights.1);
        Penalty {
            weighted: divergence.clone() + penalty.clone(),
            terms: vec![("divergence", divergence), ("covariance", penalty)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, penalty_of, posterior};
    use super::*;

    fn objective(of_codes: bool) -> DipVae {
        DipVae {
            off_diagonal_weight: 3.0,
            diagonal_weight: 7.0,
            of_codes,
        }
    }

    #[test]
    fn the_penalty_is_that_of_the_covariance_of_means_or_codes() {
        // Means ±(1, 2): variances 1 and 4, covariance 2. Mean variances of the posteriors: ½, 2.
        let mean = [[1.0, 2.0], [-1.0, -2.0]];
        let logvar = [[0.5f64.ln(), 1f64.ln()], [0.5f64.ln(), 3f64.ln()]];
        let penalty =
            |of_codes| penalty_of(&objective(of_codes), posterior(mean, logvar)).1["covariance"];
        assert_near(penalty(false), 3.0 * 8.0 + 7.0 * 9.0);
        assert_near(penalty(true), 3.0 * 8.0 + 7.0 * (0.25 + 25.0));
    }
}
