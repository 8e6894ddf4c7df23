//! The objectives of a GWAE and a VAE against closed forms, against their terms written as loops,
//! and their gradients against central differences. All in double precision.

mod closed_forms;
mod gradients;
mod gwae_terms;
mod vae_family;
mod vae_terms;

use std::sync::OnceLock;

use burn::module::{Param, ParamId};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use gwae_core::random::{SeededGenerator, uniform_tensor};
use gwae_models::{
    BackboneConfig, Critic, Gwae, GwaeConfig, GwaeObjective, ModelSettings, Vae, VaeConfig,
};
use gwae_priors::PriorConfig;

const BATCH: usize = 4;
const LATENT: usize = 3;

/// The CPU in double precision. Each test binary is a separate process, so nothing uses the device
/// earlier.
fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let configured = DEVICE.get_or_init(|| {
        let mut device = Device::flex();
        device.configure(FloatDType::F64).unwrap();
        device
    });
    configured.clone().autodiff()
}

fn images() -> Tensor<4> {
    let mut noise = SeededGenerator::new(11, 0);
    uniform_tensor(&mut noise, [BATCH, 1, 32, 32], &device())
}

/// The noise of one evaluation, the same in every call.
fn noise() -> SeededGenerator {
    SeededGenerator::new(2, 0)
}

fn gwae_config() -> GwaeConfig {
    GwaeConfig {
        backbone: BackboneConfig {
            image_size: 32,
            channels: 1,
            latent_dim: LATENT,
            width: 0.1,
            ..BackboneConfig::default()
        },
        initial_distance_coefficient: 2.5,
        prior: PriorConfig::Neural,
        ..GwaeConfig::default()
    }
}

fn gwae(config: &GwaeConfig) -> Gwae {
    let mut model = config
        .init(&mut SeededGenerator::new(5, 0), &device())
        .unwrap();
    if let Some(critic) = &mut model.critic {
        // The first singular vectors are random, so the normalised weights would be far too large.
        for _ in 0..10 {
            critic.weights(gwae_core::Mode::Train);
        }
    }
    model
}

/// Four weights, all different.
fn objective(learned_similarity: bool, mixed_potential: bool) -> GwaeObjective {
    GwaeObjective {
        reconstruction_weight: 0.7,
        merged_weight: 1.9,
        entropy_weight: 0.13,
        gradient_penalty_weight: 3.1,
        learned_similarity,
        mixed_potential,
    }
}

fn vae_config() -> VaeConfig {
    VaeConfig {
        backbone: BackboneConfig {
            image_size: 32,
            channels: 1,
            latent_dim: LATENT,
            width: 0.1,
            ..BackboneConfig::default()
        },
        divergence_weight: 2.3,
    }
}

fn vae(config: &VaeConfig) -> Vae {
    config
        .init(&mut SeededGenerator::new(5, 0), &device())
        .unwrap()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn value(tensor: Tensor<1>) -> f64 {
    values(tensor)[0]
}

#[track_caller]
fn assert_near(actual: f64, expected: f64, what: &str) {
    let tolerance = 1e-9 * expected.abs().max(1.0);
    assert!(
        (actual - expected).abs() < tolerance,
        "{what}: {actual} instead of {expected}"
    );
}

/// The parameter with new values.
fn filled<const D: usize>(param: Param<Tensor<D>>, value: f64) -> Param<Tensor<D>> {
    param.map(|tensor| tensor.zeros_like() + value)
}

/// `param` moved along `direction` if its identifier is `id`, else unchanged.
fn moved<const D: usize>(
    param: Param<Tensor<D>>,
    of: ParamId,
    direction: &[f64],
    step: f64,
) -> Param<Tensor<D>> {
    if param.id != of {
        return param;
    }
    let (shape, device) = (param.dims(), param.device());
    let pairs = values(param.val()).into_iter().zip(direction);
    let moved: Vec<f64> = pairs.map(|(value, d)| value + step * d).collect();
    let (id, _, mapper) = param.consume();
    let tensor = Tensor::from_data(TensorData::new(moved, shape), &device).detach();
    Param::from_mapped_value(id, tensor, mapper).set_require_grad(true)
}

/// Distances between all rows.
fn distances(rows: &[f64], columns: usize) -> Vec<f64> {
    let rows: Vec<&[f64]> = rows.chunks(columns).collect();
    let distance = |a: &[f64], b: &[f64]| {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let all = rows.iter().flat_map(|a| rows.iter().map(move |b| (*a, *b)));
    all.map(|(a, b)| distance(a, b)).collect()
}

/// `mean_ij |c·‖z_i − z_j‖ / s − ‖x_i − x_j‖|`, where s is the mean over dimensions of the unbiased
/// standard deviation.
fn gromov_wasserstein(images: &[f64], codes: &[f64], coefficient: f64) -> f64 {
    let count = BATCH as f64;
    let deviation = |dimension: usize| {
        let column = || codes.iter().skip(dimension).step_by(LATENT);
        let mean = column().sum::<f64>() / count;
        let squares = column().map(|z| (z - mean).powi(2)).sum::<f64>();
        (squares / (count - 1.0)).sqrt()
    };
    let scale = (0..LATENT).map(deviation).sum::<f64>() / LATENT as f64;
    let of_images = distances(images, images.len() / BATCH);
    let pairs = distances(codes, LATENT).into_iter().zip(of_images);
    let terms = pairs.map(|(code, image)| (coefficient * code / scale - image).abs());
    terms.sum::<f64>() / (count * count)
}

/// `mean_b ½ Σ (a − b)²`.
fn half_squares(a: &[f64], b: &[f64]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>() / (2.0 * BATCH as f64)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
