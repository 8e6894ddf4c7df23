//! Batch normalisation with PyTorch's statistics and an explicit [`Mode`].

use burn::module::{Module, Param, RunningState};
use burn::tensor::{DType, Device, Tensor};

use crate::layers::mode::Mode;

/// Added to the variance before the root, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Momentum everywhere in the official GWAE program (new = 0.5·old + 0.5·batch).
pub const OFFICIAL_MOMENTUM: f64 = 0.5;

/// Batch normalisation over every axis but the second.
///
/// Burn's own layer (0.22) differs from PyTorch's in three ways. Its running variance averages the
/// biased variances of the batches, PyTorch's the unbiased ones. It always has a trainable scale and
/// shift. It takes the statistics of the batch exactly when its input is on a device with autodiff and
/// its `training` flag is set. (`no_grad()` changes neither, so the running statistics still move.)
///
/// This layer keeps the unbiased variance, makes the affine part optional and takes the [`Mode`] as an
/// argument. The same module can therefore evaluate on a device with autodiff, and take the statistics
/// of a batch on one without. Running statistics are stored at once, so a checkpoint between two steps
/// is complete.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Scale `[features]`, absent without the affine part.
    pub gamma: Option<Param<Tensor<1>>>,
    /// Shift `[features]`, absent without the affine part.
    pub beta: Option<Param<Tensor<1>>>,
    /// Running mean `[features]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// Running unbiased variance `[features]`.
    pub running_variance: RunningState<Tensor<1>>,
    features: usize,
    momentum: f64,
}

impl BatchNorm {
    /// A layer over `features` channels; `affine` adds a trainable scale and shift.
    pub fn new(features: usize, momentum: f64, affine: bool, device: &Device) -> Self {
        let ones = Tensor::ones([features], device);
        let zeros = Tensor::zeros([features], device);
        Self {
            gamma: affine.then(|| Param::from_tensor(ones.clone())),
            beta: affine.then(|| Param::from_tensor(zeros.clone())),
            running_mean: RunningState::new(zeros),
            running_variance: RunningState::new(ones),
            features,
            momentum,
        }
    }

    /// Normalises `input`.
    ///
    /// # Shapes
    /// - `input`: `[batch, features, ...]`, rank 2 to 4
    /// - output: as `input`
    ///
    /// # Panics
    /// In [`Mode::Train`] with a single value per channel, whose unbiased variance does not exist.
    pub fn forward<const D: usize>(&self, input: Tensor<D>, mode: Mode) -> Tensor<D> {
        let device = input.device();
        let constant = |param: &Option<Param<Tensor<1>>>, value: f64| match param {
            Some(param) => param.val(),
            None => Tensor::full([self.features], value, &device),
        };
        let (gamma, beta) = (constant(&self.gamma, 1.0), constant(&self.beta, 0.0));
        match mode {
            Mode::Evaluate => burn::tensor::module::batch_norm(
                input,
                gamma,
                beta,
                self.running_mean.value_sync(),
                self.running_variance.value_sync(),
                EPSILON,
            ),
            Mode::Train => {
                let count = input.dims().iter().product::<usize>() / self.features;
                assert!(
                    count > 1,
                    "batch statistics need more than one value per channel"
                );
                let result = burn::tensor::module::batch_norm_train(input, gamma, beta, EPSILON);
                let unbiased = result.variance * (count as f64 / (count - 1) as f64);
                move_running(&self.running_mean, result.mean, self.momentum);
                move_running(&self.running_variance, unbiased, self.momentum);
                result.output
            }
        }
    }

    /// The floating-point type of the computation.
    pub fn dtype(&self) -> DType {
        self.running_mean.value().dtype()
    }

    /// The factor of each channel in [`Mode::Evaluate`], `[features]`.
    pub fn evaluation_scale(&self) -> Tensor<1> {
        let scale = (self.running_variance.value_sync() + EPSILON)
            .sqrt()
            .recip();
        match &self.gamma {
            Some(gamma) => scale * gamma.val(),
            None => scale,
        }
    }
}

/// Moves a running statistic by `share` of the way to that of a batch.
pub fn move_running<const D: usize>(state: &RunningState<Tensor<D>>, batch: Tensor<D>, share: f64) {
    let old = state.value_sync();
    set_running(state, old * (1.0 - share) + batch.detach() * share);
}

/// Replaces a running value by a new one, without its gradient.
pub fn set_running<const D: usize>(state: &RunningState<Tensor<D>>, value: Tensor<D>) {
    state.update(value.detach());
    // Burn delays an update until the next read, so read now.
    let _ = state.value_sync();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_statistics_follow_pytorch() {
        // Two values per channel: mean 2 and 5, unbiased variance 2 and 8 (biased: 1 and 4).
        let device = Device::flex().autodiff();
        let layer = BatchNorm::new(2, 0.5, false, &device);
        let input = Tensor::<2>::from_data([[1.0, 3.0], [3.0, 7.0]], &device);
        let output = layer.forward(input.clone(), Mode::Train);
        let values: Vec<f32> = output.into_data().iter::<f32>().collect();
        for (value, expected) in values.iter().zip([-1.0f32, -1.0, 1.0, 1.0]) {
            assert!((value - expected).abs() < 1e-4);
        }
        let read = |state: &RunningState<Tensor<1>>| -> Vec<f32> {
            state.value().into_data().iter::<f32>().collect()
        };
        assert_eq!(read(&layer.running_mean), [1.0, 2.5]);
        assert_eq!(read(&layer.running_variance), [1.5, 4.5]);
        // Evaluation uses the running statistics and does not change them.
        let evaluated: Vec<f32> = layer
            .forward(input, Mode::Evaluate)
            .into_data()
            .iter::<f32>()
            .collect();
        assert!((evaluated[2] - 2.0 / (1.5f32 + 1e-5).sqrt()).abs() < 1e-5);
        assert_eq!(read(&layer.running_mean), [1.0, 2.5]);
    }

    #[test]
    fn statistics_move_without_autodiff_too() {
        let device = Device::flex().autodiff();
        let layer = BatchNorm::new(1, 0.5, true, &device);
        let input = Tensor::<2>::from_data([[1.0], [3.0]], &device.clone().without_autodiff());
        layer.forward(input, Mode::Train);
        let mean: Vec<f32> = layer
            .running_mean
            .value()
            .into_data()
            .iter::<f32>()
            .collect();
        assert_eq!(mean, [1.0]);
    }
}
