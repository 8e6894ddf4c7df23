//! The running moments of the mixture.

use burn::module::{Module, RunningState};
use burn::tensor::{Device, Tensor};
use gwae_core::{MixtureMoments, move_running, set_running};

/// Weights are raised to at least this value before moments are combined.
const LEAST_WEIGHT: f64 = 1e-8;

/// Share of a batch in the running statistics of the mixture (new = 0.9·old + 0.1·batch).
const MOMENTUM: f64 = 0.1;

/// Running moments of a mixture, for evaluation.
#[derive(Module, Debug)]
pub struct RunningMoments {
    /// `[K]`.
    pub weights: RunningState<Tensor<1>>,
    /// `[K, D]`.
    pub means: RunningState<Tensor<2>>,
    /// `[K, D, D]`.
    pub covariances: RunningState<Tensor<3>>,
}

impl RunningMoments {
    /// K standard normal components of equal weight.
    pub(super) fn new(components: usize, size: usize, device: &Device) -> Self {
        let weights = Tensor::full([components], 1.0 / components as f64, device);
        let identity = Tensor::<2>::eye(size, device).unsqueeze_dim::<3>(0);
        Self {
            weights: RunningState::new(weights),
            means: RunningState::new(Tensor::zeros([components, size], device)),
            covariances: RunningState::new(identity.repeat_dim(0, components)),
        }
    }

    /// Combines the running moments with those of a batch, for each component in proportion to its
    /// points in both. A component without points in the batch keeps its mean and covariance.
    pub fn update(&self, batch: &MixtureMoments) {
        let old = self.moments();
        let column = |share: f64, weights: Tensor<1>| {
            let weights = weights.detach().unsqueeze_dim::<2>(1);
            weights.clamp_min(LEAST_WEIGHT) * share
        };
        let of_old = column(1.0 - MOMENTUM, old.weights.clone());
        let of_new = column(MOMENTUM, batch.weights.clone());
        let share = of_new.clone() / (of_old + of_new);
        let step = batch.means.clone().detach() - old.means.clone();
        // Σ = (1 − s)·Σ_old + s·Σ_new + s·(1 − s)·δδᵀ with the share s and the distance δ of means.
        let outer = step.clone().unsqueeze_dim::<3>(2) * step.clone().unsqueeze_dim::<3>(1);
        let between = share.clone() * (share.clone() * -1.0 + 1.0);
        let blocks = |share: Tensor<2>| share.unsqueeze_dim::<3>(2);
        let covariances = old.covariances.clone()
            + (batch.covariances.clone().detach() - old.covariances) * blocks(share.clone())
            + outer * blocks(between);
        move_running(&self.weights, batch.weights.clone(), MOMENTUM);
        set_running(&self.means, old.means + step * share);
        set_running(&self.covariances, covariances);
    }

    /// The current moments.
    pub fn moments(&self) -> MixtureMoments {
        MixtureMoments {
            weights: self.weights.value_sync(),
            means: self.means.value_sync(),
            covariances: self.covariances.value_sync(),
        }
    }
}
