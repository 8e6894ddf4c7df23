//! The encoder.

use burn::tensor::{DType, Tensor};
use gwae_core::Mode;
use gwae_core::random::SeededGenerator;
use gwae_models::{BackboneConfig, ConvEncoder, Encoder, Head};

use super::naive::{self, Border, Maps, silu};
use super::parameters::{assert_gradients, gradients, stirred};
use super::{
    assert_close, assert_gradients_in_both_precisions, assert_input_gradient, device,
    every_backbone, normal, tensor, uniform, values,
};

const BATCH: usize = 3;

fn encoder(config: &BackboneConfig, dtype: DType) -> ConvEncoder {
    let mut noise = SeededGenerator::new(1, 0);
    stirred(ConvEncoder::new(config, &mut noise, &device()), dtype)
}

fn pixels(config: &BackboneConfig) -> Vec<f64> {
    let count = BATCH * config.channels * config.image_size * config.image_size;
    let mut pixels = uniform(2, count);
    // Black and white, which the inverse sigmoid limits.
    pixels[..4].copy_from_slice(&[0.0, 1.0, 1e-5, 1.0 - 1e-5]);
    pixels
}

fn images(config: &BackboneConfig, dtype: DType) -> Tensor<4> {
    let size = config.image_size;
    tensor(&pixels(config), [BATCH, config.channels, size, size], dtype)
}

/// Means and log-variances, by loops.
fn naive(encoder: &ConvEncoder, config: &BackboneConfig, mode: Mode) -> (Vec<f64>, Vec<f64>) {
    let images = Maps::new(BATCH, config.channels, config.image_size, pixels(config));
    let logits = images.map(|pixel| {
        let pixel = pixel.clamp(1e-4, 1.0 - 1e-4);
        (pixel / (1.0 - pixel)).ln()
    });
    let features = encoder.stages.iter().fold(logits, |x, stage| {
        let weight = naive::parameter(&stage.convolution.weight);
        let bias = naive::bias(&stage.convolution.bias);
        let x = naive::halving(&x, &weight, &bias, Border::Replicate).map(silu);
        naive::residual(
            naive::normalised(x, &stage.norm, mode),
            &stage.residual,
            mode,
        )
    });
    assert_eq!(features.size, 4);
    let hidden = naive::linear(&features.values, &encoder.hidden);
    let hidden: Vec<f64> = hidden.into_iter().map(silu).collect();
    let head = |head: &Head| {
        let rows = naive::linear(&hidden, &head.linear);
        naive::batch_norm(rows, config.latent_dim, 1, &head.norm, mode)
    };
    let posterior = (head(&encoder.mean), head(&encoder.logvar));
    match &encoder.latent_norm {
        Some(norm) => naive::latent_norm(posterior, norm, mode),
        None => posterior,
    }
}

#[test]
fn posteriors_are_those_of_plain_loops() {
    for config in every_backbone() {
        for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 1e-4)] {
            let encoder = encoder(&config, dtype);
            // Training changes the statistics, which the second evaluation uses.
            for mode in [Mode::Evaluate, Mode::Train, Mode::Evaluate] {
                let case = format!("{config:?} {dtype:?} {mode:?}");
                let (mean, logvar) = naive(&encoder, &config, mode);
                let posterior = encoder.encode(images(&config, dtype), mode);
                assert_eq!(posterior.mean.dims(), [BATCH, config.latent_dim]);
                assert_close(&values(posterior.mean), &mean, tolerance, &case);
                assert_close(&values(posterior.logvar), &logvar, tolerance, &case);
            }
        }
    }
}

/// A function of both outputs with different weights for all values.
fn probe(encoder: &ConvEncoder, images: Tensor<4>, mode: Mode) -> Tensor<1> {
    let posterior = encoder.encode(images, mode);
    let (shape, dtype) = (posterior.mean.dims(), posterior.mean.dtype());
    let weights = |seed| tensor(&normal(seed, shape[0] * shape[1]), shape, dtype);
    (posterior.mean * weights(3)).sum() + (posterior.logvar * weights(4)).sum()
}

#[test]
fn gradients_are_those_of_central_differences() {
    for config in every_backbone() {
        let encoder = encoder(&config, DType::F64);
        for mode in [Mode::Train, Mode::Evaluate] {
            let case = format!("{config:?} {mode:?}");
            let of = |encoder: &ConvEncoder| probe(encoder, images(&config, DType::F64), mode);
            assert_gradients(&encoder, of, &case);
        }
    }
}

#[test]
fn the_gradient_reaches_the_images() {
    let config = every_backbone().remove(7);
    let encoder = encoder(&config, DType::F64);
    // Away from 0 and 1, where the limited inverse sigmoid has a kink.
    let inner: Vec<f64> = pixels(&config).iter().map(|p| 0.1 + 0.8 * p).collect();
    let shape = images(&config, DType::F64).dims();
    assert_input_gradient(&inner, shape, |images| probe(&encoder, images, Mode::Train));
}

#[test]
fn gradients_in_single_precision_are_those_in_double_precision() {
    assert_gradients_in_both_precisions(|config, dtype| {
        let encoder = encoder(config, dtype);
        let value = probe(&encoder, images(config, dtype), Mode::Evaluate);
        gradients(&encoder, &value.backward())
    });
}
