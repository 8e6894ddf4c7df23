//! The decoder.

use burn::nn::conv::ConvTranspose2d;
use burn::tensor::{DType, Tensor};
use gwae_core::Mode;
use gwae_core::random::SeededGenerator;
use gwae_models::{BackboneConfig, ConvDecoder, Decoder};

use super::naive::{self, Maps, sigmoid, silu};
use super::parameters::{assert_gradients, gradients, stirred};
use super::{
    assert_close, assert_gradients_in_both_precisions, assert_input_gradient, device,
    every_backbone, normal, tensor, values,
};

const BATCH: usize = 3;

fn decoder(config: &BackboneConfig, dtype: DType) -> ConvDecoder {
    let mut noise = SeededGenerator::new(1, 0);
    stirred(ConvDecoder::new(config, &mut noise, &device()), dtype)
}

fn codes(config: &BackboneConfig, dtype: DType) -> Tensor<2> {
    let shape = [BATCH, config.latent_dim];
    tensor(&normal(2, BATCH * config.latent_dim), shape, dtype)
}

/// The pixels, by loops.
fn naive(decoder: &ConvDecoder, config: &BackboneConfig, mode: Mode) -> Vec<f64> {
    let dense = |rows: &[f64], layer| -> Vec<f64> {
        naive::linear(rows, layer).into_iter().map(silu).collect()
    };
    let hidden = dense(&normal(2, BATCH * config.latent_dim), &decoder.hidden);
    let top = dense(&hidden, &decoder.expand);
    let top = Maps::new(BATCH, top.len() / (16 * BATCH), 4, top);
    let double = |x: &Maps, layer: &ConvTranspose2d| {
        naive::doubling(
            x,
            &naive::parameter(&layer.weight),
            &naive::bias(&layer.bias),
        )
    };
    let features = decoder.stages.iter().fold(top, |x, stage| {
        let x = double(&x, &stage.convolution).map(silu);
        naive::residual(
            naive::normalised(x, &stage.norm, mode),
            &stage.residual,
            mode,
        )
    });
    let logits = double(&features, &decoder.output);
    naive::residual(logits, &decoder.output_residual, mode)
        .map(sigmoid)
        .values
}

#[test]
fn images_are_those_of_plain_loops() {
    for config in every_backbone() {
        for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 2e-5)] {
            let decoder = decoder(&config, dtype);
            for mode in [Mode::Evaluate, Mode::Train, Mode::Evaluate] {
                let case = format!("{config:?} {dtype:?} {mode:?}");
                let expected = naive(&decoder, &config, mode);
                let images = decoder.decode(codes(&config, dtype), mode);
                let size = config.image_size;
                assert_eq!(images.dims(), [BATCH, config.channels, size, size]);
                assert_close(&values(images), &expected, tolerance, &case);
            }
        }
    }
}

/// A function of the image with different weights for all pixels.
fn probe(decoder: &ConvDecoder, codes: Tensor<2>, mode: Mode) -> Tensor<1> {
    let images = decoder.decode(codes, mode);
    let (shape, dtype) = (images.dims(), images.dtype());
    (images * tensor(&normal(3, shape.iter().product()), shape, dtype)).sum()
}

#[test]
fn gradients_are_those_of_central_differences() {
    for config in every_backbone() {
        let decoder = decoder(&config, DType::F64);
        for mode in [Mode::Train, Mode::Evaluate] {
            let case = format!("{config:?} {mode:?}");
            let of = |decoder: &ConvDecoder| probe(decoder, codes(&config, DType::F64), mode);
            assert_gradients(&decoder, of, &case);
        }
    }
}

#[test]
fn the_gradient_reaches_the_codes() {
    let config = every_backbone().remove(7);
    let decoder = decoder(&config, DType::F64);
    let shape = [BATCH, config.latent_dim];
    let start = normal(2, BATCH * config.latent_dim);
    assert_input_gradient(&start, shape, |codes| probe(&decoder, codes, Mode::Train));
}

#[test]
fn gradients_in_single_precision_are_those_in_double_precision() {
    assert_gradients_in_both_precisions(|config, dtype| {
        let decoder = decoder(config, dtype);
        let value = probe(&decoder, codes(config, dtype), Mode::Evaluate);
        gradients(&decoder, &value.backward())
    });
}
