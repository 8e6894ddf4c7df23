//! Batch standardisation of the posterior (the `latent_bn` switch).

use burn::module::{Module, RunningState};
use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, OFFICIAL_MOMENTUM, set_running};

use super::encoder::Posterior;

/// Least variance of the posterior means over a batch.
const LEAST_VARIANCE: f64 = 1e-10;

/// Standardises the aggregated posterior. With `m = mean_b μ` and
/// `v = log(mean_b σ² + max(1e-10, Var_b μ))`, it maps `μ ← (μ − m)·exp(−v/2)` and
/// `log σ² ← log σ² − v`. In training, gradients flow through m and v. Evaluation uses their
/// running values (0.5·old + 0.5·new; the first batch is copied).
#[derive(Module, Debug)]
pub struct LatentNorm {
    /// Running m, `[latent]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// Running v, `[latent]`.
    pub running_logvar: RunningState<Tensor<1>>,
    /// Number of batches seen, `[1]`.
    pub batches_tracked: RunningState<Tensor<1>>,
}

impl LatentNorm {
    /// A layer over `latent` dimensions that has seen no batch.
    pub fn new(latent: usize, device: &Device) -> Self {
        let zeros = |count: usize| RunningState::new(Tensor::zeros([count], device));
        Self {
            running_mean: zeros(latent),
            running_logvar: zeros(latent),
            batches_tracked: zeros(1),
        }
    }

    /// Standardises a posterior.
    ///
    /// # Shapes
    /// - mean and logvar: `[batch, latent]`
    pub fn forward(&self, posterior: Posterior, mode: Mode) -> Posterior {
        let Posterior { mean, logvar } = posterior;
        let (center, log_scale) = match mode {
            Mode::Train => {
                let batch_mean: Tensor<1> = mean.clone().mean_dim(0).squeeze_dim(0);
                let spread: Tensor<1> =
                    mean.clone().var(0).clamp_min(LEAST_VARIANCE).squeeze_dim(0);
                let within: Tensor<1> = logvar.clone().exp().mean_dim(0).squeeze_dim(0);
                let batch_logvar = (within + spread).log();
                self.update(&batch_mean, &batch_logvar);
                (batch_mean, batch_logvar)
            }
            Mode::Evaluate => (
                self.running_mean.value_sync(),
                self.running_logvar.value_sync(),
            ),
        };
        let log_scale = log_scale.unsqueeze::<2>();
        Posterior {
            mean: (mean - center.unsqueeze::<2>()) * (log_scale.clone() * -0.5).exp(),
            logvar: logvar - log_scale,
        }
    }

    fn update(&self, mean: &Tensor<1>, logvar: &Tensor<1>) {
        let tracked = self.batches_tracked.value_sync();
        // Weight of the old value: 0 for the first batch. It stays on the device, so that the host
        // does not wait.
        let old_weight = tracked.clone().clamp_max(1.0) * (1.0 - OFFICIAL_MOMENTUM);
        for (state, batch) in [(&self.running_mean, mean), (&self.running_logvar, logvar)] {
            let batch = batch.clone().detach();
            let old = state.value_sync();
            set_running(state, batch.clone() + (old - batch) * old_weight.clone());
        }
        set_running(&self.batches_tracked, tracked + 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(state: &RunningState<Tensor<1>>) -> Vec<f32> {
        state.value().into_data().iter::<f32>().collect()
    }

    #[test]
    fn batches_are_standardised_and_the_first_one_is_copied() {
        let device = Device::flex().autodiff();
        let norm = LatentNorm::new(1, &device);
        let posterior = |means: [f32; 2]| Posterior {
            mean: Tensor::from_data([[means[0]], [means[1]]], &device),
            logvar: Tensor::from_data([[0.0], [(3.0f32).ln()]], &device),
        };
        // mean_b σ² = 2, unbiased Var_b μ = 2: v = ln 4 and m = 3.
        let output = norm.forward(posterior([2.0, 4.0]), Mode::Train);
        let mean: Vec<f32> = output.mean.into_data().iter::<f32>().collect();
        assert!((mean[0] + 0.5).abs() < 1e-6 && (mean[1] - 0.5).abs() < 1e-6);
        let logvar: Vec<f32> = output.logvar.into_data().iter::<f32>().collect();
        assert!((logvar[0] + 4f32.ln()).abs() < 1e-6);
        assert!((values(&norm.running_mean)[0] - 3.0).abs() < 1e-6);
        assert!((values(&norm.running_logvar)[0] - 4f32.ln()).abs() < 1e-6);
        // The second batch (m = 5, v = ln 4) has weight one half.
        norm.forward(posterior([4.0, 6.0]), Mode::Train);
        assert!((values(&norm.running_mean)[0] - 4.0).abs() < 1e-6);
        // Evaluation uses the running values and does not change them.
        let output = norm.forward(posterior([4.0, 6.0]), Mode::Evaluate);
        let mean: Vec<f32> = output.mean.into_data().iter::<f32>().collect();
        assert!(mean[0].abs() < 1e-6 && (mean[1] - 1.0).abs() < 1e-6);
        assert!((values(&norm.running_mean)[0] - 4.0).abs() < 1e-6);
    }
}
