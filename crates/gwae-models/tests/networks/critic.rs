//! The critic.

use burn::tensor::{DType, Tensor};
use gwae_core::Mode;
use gwae_core::random::SeededGenerator;
use gwae_models::{
    ConvCritic, Critic, CriticActivation, CriticConfig, CriticWeights, SpectralWeight,
};

use super::naive::{self, Border, Maps};
use super::parameters::{assert_gradients, stirred};
use super::{assert_close, device, inner_product, normal, tensor, uniform, values};

const BATCH: usize = 2;
const LATENT: usize = 3;
const SIZE: usize = 32;

/// Both activations, with their slopes below zero.
const ACTIVATIONS: [(CriticActivation, f64); 2] = [
    (CriticActivation::LeakyRelu, 0.2),
    (CriticActivation::Absolute, -1.0),
];

fn critic(activation: CriticActivation, channels: usize, dtype: DType) -> ConvCritic {
    let config = CriticConfig {
        image_size: SIZE,
        channels,
        latent_dim: LATENT,
        activation,
    };
    let critic = config.init(&mut SeededGenerator::new(1, 0), &device());
    let critic = stirred(critic.unwrap(), dtype);
    // The first singular vectors are random, so the normalised weights would be far too large.
    for _ in 0..10 {
        critic.weights(Mode::Train);
    }
    critic
}

fn pixels(channels: usize) -> Vec<f64> {
    uniform(2, BATCH * channels * SIZE * SIZE)
}

fn codes() -> Vec<f64> {
    normal(3, BATCH * LATENT)
}

fn pairs(channels: usize, dtype: DType) -> (Tensor<4>, Tensor<2>) {
    let images = tensor(&pixels(channels), [BATCH, channels, SIZE, SIZE], dtype);
    (images, tensor(&codes(), [BATCH, LATENT], dtype))
}

/// `W/σ` by loops, with the bias. In [`Mode::Train`], one power iteration comes first.
fn normalised<const D: usize>(layer: &SpectralWeight<D>, mode: Mode) -> (Vec<f64>, Vec<f64>) {
    let (weight, bias) = (
        naive::parameter(&layer.weight),
        naive::parameter(&layer.bias),
    );
    let (rows, columns) = (bias.len(), weight.len() / bias.len());
    let mut left = naive::running(&layer.left);
    let mut right = naive::running(&layer.right);
    let times_right = |right: &[f64]| -> Vec<f64> {
        weight
            .chunks(columns)
            .map(|row| inner_product(row, right))
            .collect()
    };
    let unit = |vector: Vec<f64>| -> Vec<f64> {
        let norm = inner_product(&vector, &vector).sqrt();
        vector.into_iter().map(|value| value / norm).collect()
    };
    if mode == Mode::Train {
        let column = |k| {
            (0..rows)
                .map(|row| weight[row * columns + k] * left[row])
                .sum()
        };
        right = unit((0..columns).map(column).collect());
        left = unit(times_right(&right));
    }
    let sigma = inner_product(&left, &times_right(&right));
    (weight.iter().map(|value| value / sigma).collect(), bias)
}

/// Rows times the transpose of `weight` `[out, in]`.
fn dense(rows: &[f64], (weight, bias): &(Vec<f64>, Vec<f64>)) -> Vec<f64> {
    let inputs = weight.len() / bias.len();
    let row = |row: &[f64]| -> Vec<f64> {
        let products = weight
            .chunks(inputs)
            .map(|weights| inner_product(weights, row));
        products
            .zip(bias)
            .map(|(product, bias)| product + bias)
            .collect()
    };
    rows.chunks(inputs).flat_map(row).collect()
}

/// The critic's normalised weights, layer by layer.
struct Naive {
    slope: f64,
    channels: usize,
    image: Vec<(Vec<f64>, Vec<f64>)>,
    image_output: (Vec<f64>, Vec<f64>),
    code: Vec<(Vec<f64>, Vec<f64>)>,
    head: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Naive {
    fn new(critic: &ConvCritic, slope: f64, channels: usize, mode: Mode) -> Self {
        let all = |layers: &[SpectralWeight<2>]| {
            layers.iter().map(|layer| normalised(layer, mode)).collect()
        };
        Self {
            slope,
            channels,
            image: critic
                .image
                .iter()
                .map(|layer| normalised(layer, mode))
                .collect(),
            image_output: normalised(&critic.image_output, mode),
            code: all(&critic.code),
            head: all(&critic.head),
        }
    }

    fn activation(&self, x: f64) -> f64 {
        if x > 0.0 { x } else { self.slope * x }
    }

    /// Features `[batch, 64]` of images.
    fn features(&self, pixels: &[f64]) -> Vec<f64> {
        let images = Maps::new(BATCH, self.channels, SIZE, pixels.to_vec());
        let last = self.image.iter().fold(images, |x, (weight, bias)| {
            naive::halving(&x, weight, bias, Border::Zeros).map(|x| self.activation(x))
        });
        assert_eq!(last.size, 1);
        dense(&last.values, &self.image_output)
    }

    /// The potential of each pair.
    fn potential(&self, pixels: &[f64], codes: &[f64]) -> Vec<f64> {
        let activated = |rows: Vec<f64>, layer: &(Vec<f64>, Vec<f64>)| -> Vec<f64> {
            let rows = dense(&rows, layer).into_iter();
            rows.map(|x| self.activation(x)).collect()
        };
        let image = self.features(pixels);
        let code = self.code.iter().fold(codes.to_vec(), activated);
        let joined: Vec<f64> = image
            .chunks(64)
            .zip(code.chunks(64))
            .flat_map(|(image, code)| image.iter().chain(code).map(|value| value / 2.0))
            .collect();
        let (last, hidden) = self.head.split_last().unwrap();
        dense(&hidden.iter().fold(joined, activated), last)
    }
}

#[test]
fn potentials_and_features_are_those_of_plain_loops() {
    for (activation, slope) in ACTIVATIONS {
        for (channels, dtype, tolerance) in [
            (1, DType::F64, 1e-11),
            (3, DType::F64, 1e-11),
            (1, DType::F32, 1e-4),
            (3, DType::F32, 1e-4),
        ] {
            let critic = critic(activation, channels, dtype);
            for mode in [Mode::Evaluate, Mode::Train, Mode::Evaluate] {
                let case = format!("{activation:?}, {channels} channels, {dtype:?}, {mode:?}");
                let naive = Naive::new(&critic, slope, channels, mode);
                let (images, codes_) = pairs(channels, dtype);
                let weights = critic.weights(mode);
                let potential = values(weights.potential(images.clone(), codes_));
                let expected = naive.potential(&pixels(channels), &codes());
                assert_close(&potential, &expected, tolerance, &case);
                // Without a further power iteration.
                let naive = Naive::new(&critic, slope, channels, Mode::Evaluate);
                let features = values(critic.image_features(images, Mode::Evaluate).unwrap());
                assert_eq!(features.len(), BATCH * 64);
                assert_close(
                    &features,
                    &naive.features(&pixels(channels)),
                    tolerance,
                    &case,
                );
            }
        }
    }
}

/// The critic is piecewise linear, so short differences are exact up to rounding.
#[test]
fn input_gradients_are_those_of_central_differences_of_the_loops() {
    for (activation, slope) in ACTIVATIONS {
        for (dtype, tolerance) in [(DType::F64, 1e-4), (DType::F32, 1e-3)] {
            let critic = critic(activation, 1, dtype);
            let naive = Naive::new(&critic, slope, 1, Mode::Evaluate);
            let (images, codes_) = pairs(1, dtype);
            let weights = critic.weights(Mode::Evaluate);
            let (of_images, of_codes) = weights.input_gradient(images, codes_).unwrap();
            let (of_images, of_codes) = (values(of_images), values(of_codes));
            let sum = |pixels: &[f64], codes: &[f64]| -> f64 {
                naive.potential(pixels, codes).iter().sum()
            };
            let moved = |start: &[f64], direction: &[f64], step: f64| -> Vec<f64> {
                let pairs = start.iter().zip(direction);
                pairs.map(|(value, d)| value + step * d).collect()
            };
            let step = 1e-5;
            for seed in 0..4 {
                let direction = normal(10 + seed, of_images.len());
                let at = |step| sum(&moved(&pixels(1), &direction, step), &codes());
                let numeric = (at(step) - at(-step)) / (2.0 * step);
                let expected = inner_product(&of_images, &direction);
                let scale = inner_product(&of_images, &of_images).sqrt();
                assert!(
                    (numeric - expected).abs() < tolerance * scale,
                    "{activation:?} {dtype:?}, images: {numeric} {expected} {scale}"
                );
                let direction = normal(20 + seed, of_codes.len());
                let at = |step| sum(&pixels(1), &moved(&codes(), &direction, step));
                let numeric = (at(step) - at(-step)) / (2.0 * step);
                let expected = inner_product(&of_codes, &direction);
                let scale = inner_product(&of_codes, &of_codes).sqrt();
                assert!(
                    (numeric - expected).abs() < tolerance * scale,
                    "{activation:?} {dtype:?}, codes: {numeric} {expected} {scale}"
                );
            }
        }
    }
}

/// Also through the spectral norm.
#[test]
fn gradients_are_those_of_central_differences() {
    for (activation, _) in ACTIVATIONS {
        let critic = critic(activation, 3, DType::F64);
        let (images, codes) = pairs(3, DType::F64);
        let weights: Tensor<2> = tensor(&[1.0, -0.7], [BATCH, 1], DType::F64);
        let of = |critic: &ConvCritic| {
            let weighted = critic.weights(Mode::Evaluate);
            (weighted.potential(images.clone(), codes.clone()) * weights.clone()).sum()
        };
        assert_gradients(&critic, of, &format!("{activation:?}"));
    }
}
