//! Encoder, decoder and critic against plain loops in double precision, and their gradients against
//! central differences.

mod critic;
mod decoder;
mod encoder;
mod naive;
mod parameters;

use burn::module::ParamId;
use burn::tensor::{DType, Device, Tensor, TensorData};
use gwae_core::random::{RandomSource, SeededGenerator};
use gwae_models::BackboneConfig;

fn device() -> Device {
    Device::flex().autodiff()
}

/// Every combination of switches and of the two image sizes that the loops compute within seconds,
/// in grey and in colour.
fn every_backbone() -> Vec<BackboneConfig> {
    let mut all = Vec::new();
    for switches in 0..8 {
        let (image_size, channels) = [(32, 1), (32, 3), (64, 1)][switches % 3];
        all.push(BackboneConfig {
            image_size,
            channels,
            latent_dim: 3,
            width: 0.1,
            batchnorm: switches & 1 != 0,
            resblock: switches & 2 != 0,
            latent_bn: switches & 4 != 0,
        });
    }
    all
}

/// Values of a tensor in double precision.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Uniform values between 0 and 1.
fn uniform(seed: u64, count: usize) -> Vec<f64> {
    let drawn = SeededGenerator::new(seed, 7).uniform(count);
    drawn.into_iter().map(f64::from).collect()
}

/// Standard normal values.
fn normal(seed: u64, count: usize) -> Vec<f64> {
    let drawn = SeededGenerator::new(seed, 8).standard_normal(count);
    drawn.into_iter().map(f64::from).collect()
}

fn tensor<const D: usize>(values: &[f64], shape: [usize; D], dtype: DType) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&device(), dtype))
}

/// Asserts that no difference exceeds `tolerance` times the largest expected value.
#[track_caller]
fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, case: &str) {
    assert_eq!(actual.len(), expected.len(), "{case}");
    let largest = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    assert!(largest > 0.0 && largest.is_finite(), "{case}: {largest}");
    for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
        let error = (a - e).abs() / largest;
        assert!(
            error <= tolerance,
            "{case}: value {index} is {a} instead of {e}"
        );
    }
}

fn inner_product(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Asserts that the gradient of `function` at `start` agrees with a central difference along a random
/// direction.
#[track_caller]
fn assert_input_gradient<const D: usize>(
    start: &[f64],
    shape: [usize; D],
    function: impl Fn(Tensor<D>) -> Tensor<1>,
) {
    let leaf = tensor(start, shape, DType::F64).require_grad();
    let gradients = function(leaf.clone()).backward();
    let direction = normal(5, start.len());
    let expected = inner_product(&values(leaf.grad(&gradients).unwrap()), &direction);
    let at = |step: f64| {
        let pairs = start.iter().zip(&direction);
        let moved: Vec<f64> = pairs.map(|(value, d)| value + step * d).collect();
        values(function(tensor(&moved, shape, DType::F64)))[0]
    };
    let numeric = (at(1e-6) - at(-1e-6)) / 2e-6;
    assert!(
        (numeric - expected).abs() < 1e-6 * expected.abs(),
        "{numeric} {expected}"
    );
}

/// Asserts that the gradients of all parameters are the same in single and in double precision. The
/// CPU has separate kernels and gradients for single precision.
#[track_caller]
fn assert_gradients_in_both_precisions(
    gradients: impl Fn(&BackboneConfig, DType) -> Vec<(ParamId, Vec<f64>)>,
) {
    for config in every_backbone() {
        let single = gradients(&config, DType::F32);
        let pairs = single.into_iter().zip(gradients(&config, DType::F64));
        for (index, ((_, single), (_, double))) in pairs.enumerate() {
            let case = format!("{config:?}: parameter {index}");
            assert_close(&single, &double, 2e-4, &case);
        }
    }
}
