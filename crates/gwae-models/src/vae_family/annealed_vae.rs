//! The annealed VAE: the divergence follows a capacity that grows with the steps.

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_core::standard_normal_divergence;
use serde::{Deserialize, Serialize};

use super::regulariser::{Penalty, Regulariser};
use super::settings::{check_weight, vae_settings};
use crate::networks::{BackboneConfig, Posterior};
use crate::settings::{ModelConfigError, in_range};

/// Settings of an annealed VAE (Burgess et al., 2018, arXiv:1804.03599).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    default,
    deny_unknown_fields,
    expecting = "a table: [model], with its fields in the lines below"
)]
pub struct AnnealedVaeConfig {
    /// Encoder and decoder.
    #[serde(flatten, skip_deserializing)]
    pub backbone: BackboneConfig,
    /// Weight γ of the distance of divergence and capacity.
    pub gamma: f64,
    /// The capacity at the end, in nats. Studies of disentanglement try 5, 10, 25, 50, 75 and 100.
    pub most_capacity: f64,
    /// Number of steps in which the capacity grows linearly from 0 to its end.
    pub capacity_steps: u64,
}

vae_settings!(
    AnnealedVaeConfig,
    kind = "annealed-vae",
    summary = "VAE whose divergence follows a growing capacity",
    regulariser = AnnealedVae,
    explanations = [
        (
            "gamma",
            "Weight of the distance of the divergence from its capacity."
        ),
        ("most_capacity", "The capacity at the end, in nats."),
        (
            "capacity_steps",
            "Number of steps in which the capacity grows from 0 to its end."
        ),
    ]
);

impl Default for AnnealedVaeConfig {
    fn default() -> Self {
        Self {
            backbone: BackboneConfig::default(),
            gamma: 1000.0,
            most_capacity: 25.0,
            capacity_steps: 100_000,
        }
    }
}

impl AnnealedVaeConfig {
    fn check_fields(&self) -> Result<(), ModelConfigError> {
        check_weight("gamma", self.gamma)?;
        in_range(
            (0.0..=1e6).contains(&self.most_capacity),
            "most_capacity",
            self.most_capacity,
            "from 0 to 1e6 nats",
        )?;
        in_range(
            self.capacity_steps > 0,
            "capacity_steps",
            self.capacity_steps,
            "at least 1",
        )
    }

    fn regulariser(&self) -> AnnealedVae {
        AnnealedVae {
            gamma: self.gamma,
            most_capacity: self.most_capacity,
            capacity_steps: self.capacity_steps,
            completed_steps: 0,
        }
    }
}

/// `γ·|KL(q(z|x) ‖ N(0, I)) − C|`, where the capacity C grows linearly with the steps to its largest
/// value (Burgess et al., 2018, equation 8).
#[derive(Clone, Debug, PartialEq)]
pub struct AnnealedVae {
    /// γ.
    pub gamma: f64,
    /// C at the end, in nats.
    pub most_capacity: f64,
    /// Steps until then.
    pub capacity_steps: u64,
    /// Steps done.
    pub completed_steps: u64,
}

impl AnnealedVae {
    /// C after the steps done, in nats.
    pub fn capacity(&self) -> f64 {
        let share = self.completed_steps as f64 / self.capacity_steps as f64;
        self.most_capacity * share.min(1.0)
    }
}

impl Regulariser for AnnealedVae {
    fn penalty(&self, posterior: &Posterior, _: &Tensor<2>, _: &mut dyn RandomSource) -> Penalty {
        let Posterior { mean, logvar } = posterior.clone();
        let divergence = standard_normal_divergence(mean, logvar);
        Penalty {
            weighted: (divergence.clone() - self.capacity()).abs() * self.gamma,
            terms: vec![("divergence", divergence)],
        }
    }

    fn set_completed_steps(&mut self, steps: u64) {
        self.completed_steps = steps;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, penalty_of, posterior};
    use super::*;

    #[test]
    fn the_divergence_is_drawn_to_the_capacity_of_the_step() {
        let mut objective = AnnealedVae {
            gamma: 10.0,
            most_capacity: 8.0,
            capacity_steps: 40,
            completed_steps: 0,
        };
        // Divergences 2 and 4.5: the mean is 3.25.
        let of = |objective: &AnnealedVae| {
            penalty_of(
                objective,
                posterior([[2.0, 0.0], [3.0, 0.0]], [[0.0; 2]; 2]),
            )
        };
        for (steps, capacity) in [(0, 0.0f64), (10, 2.0), (40, 8.0), (1000, 8.0)] {
            objective.set_completed_steps(steps);
            let (weighted, terms) = of(&objective);
            assert_near(terms["divergence"], 3.25);
            assert_near(weighted, 10.0 * (3.25 - capacity).abs());
        }
    }
}
