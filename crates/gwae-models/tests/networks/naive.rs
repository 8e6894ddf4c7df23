//! The layers as loops in double precision, in the layouts of PyTorch.

use burn::module::{Param, RunningState};
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use gwae_core::{BatchNorm, Mode};
use gwae_models::{LatentNorm, ResidualBlock};

use super::values;

/// Feature maps `[batch, channels, size, size]`, row-major.
#[derive(Clone)]
pub struct Maps {
    pub batch: usize,
    pub channels: usize,
    pub size: usize,
    pub values: Vec<f64>,
}

impl Maps {
    pub fn new(batch: usize, channels: usize, size: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), batch * channels * size * size);
        Self {
            batch,
            channels,
            size,
            values,
        }
    }

    fn zeros(batch: usize, channels: usize, size: usize) -> Self {
        let values = vec![0.0; batch * channels * size * size];
        Self::new(batch, channels, size, values)
    }

    fn index(&self, image: usize, channel: usize, row: usize, column: usize) -> usize {
        ((image * self.channels + channel) * self.size + row) * self.size + column
    }

    pub fn map(mut self, function: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|v| *v = function(*v));
        self
    }
}

/// The value that a convolution reads beyond the border.
#[derive(Clone, Copy, PartialEq)]
pub enum Border {
    Replicate,
    Zeros,
}

pub fn parameter<const D: usize>(parameter: &Param<Tensor<D>>) -> Vec<f64> {
    values(parameter.val())
}

pub fn running<const D: usize>(state: &RunningState<Tensor<D>>) -> Vec<f64> {
    values(state.value())
}

pub fn bias(bias: &Option<Param<Tensor<1>>>) -> Vec<f64> {
    parameter(bias.as_ref().expect("every layer has a bias"))
}

pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub fn silu(x: f64) -> f64 {
    x * sigmoid(x)
}

/// Kernel 4, stride 2, padding 1; weight `[out, in, 4, 4]`.
pub fn halving(input: &Maps, weight: &[f64], bias: &[f64], border: Border) -> Maps {
    let (inputs, outputs, half) = (input.channels, bias.len(), input.size / 2);
    let mut output = Maps::zeros(input.batch, outputs, half);
    let last = input.size as i64 - 1;
    for image in 0..input.batch {
        for out in 0..outputs {
            for row in 0..half {
                for column in 0..half {
                    let mut sum = bias[out];
                    for channel in 0..inputs {
                        for k in 0..16 {
                            let y = 2 * row as i64 + k as i64 / 4 - 1;
                            let x = 2 * column as i64 + k as i64 % 4 - 1;
                            let outside = y < 0 || x < 0 || y > last || x > last;
                            if outside && border == Border::Zeros {
                                continue;
                            }
                            let (y, x) = (y.clamp(0, last) as usize, x.clamp(0, last) as usize);
                            sum += weight[(out * inputs + channel) * 16 + k]
                                * input.values[input.index(image, channel, y, x)];
                        }
                    }
                    let at = output.index(image, out, row, column);
                    output.values[at] = sum;
                }
            }
        }
    }
    output
}

/// The transposed convolution: kernel 4, stride 2, padding 1; weight `[in, out, 4, 4]`.
pub fn doubling(input: &Maps, weight: &[f64], bias: &[f64]) -> Maps {
    let (outputs, double) = (bias.len(), input.size * 2);
    let mut output = Maps::zeros(input.batch, outputs, double);
    for image in 0..input.batch {
        for (out, bias) in bias.iter().enumerate() {
            let first = output.index(image, out, 0, 0);
            output.values[first..first + double * double].fill(*bias);
        }
        for channel in 0..input.channels {
            for row in 0..input.size {
                for column in 0..input.size {
                    let value = input.values[input.index(image, channel, row, column)];
                    for out in 0..outputs {
                        for k in 0..16 {
                            let y = 2 * row as i64 + k as i64 / 4 - 1;
                            let x = 2 * column as i64 + k as i64 % 4 - 1;
                            if (0..double as i64).contains(&y) && (0..double as i64).contains(&x) {
                                let at = output.index(image, out, y as usize, x as usize);
                                output.values[at] +=
                                    value * weight[(channel * outputs + out) * 16 + k];
                            }
                        }
                    }
                }
            }
        }
    }
    output
}

/// Rows `[batch, in]` times `weight` `[in, out]`, as Burn stores it.
pub fn linear(rows: &[f64], layer: &Linear) -> Vec<f64> {
    let (weight, bias) = (parameter(&layer.weight), bias(&layer.bias));
    let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
    let row = |row: &[f64]| -> Vec<f64> {
        (0..outputs)
            .map(|out| {
                let terms = (0..inputs).map(|k| row[k] * weight[k * outputs + out]);
                bias[out] + terms.sum::<f64>()
            })
            .collect()
    };
    rows.chunks(inputs).flat_map(row).collect()
}

/// Batch normalisation of values in blocks of `block` values; block i belongs to channel i modulo
/// `channels`.
pub fn batch_norm(
    input: Vec<f64>,
    channels: usize,
    block: usize,
    norm: &Option<BatchNorm>,
    mode: Mode,
) -> Vec<f64> {
    let Some(norm) = norm else {
        return input;
    };
    let (gamma, beta) = (bias(&norm.gamma), bias(&norm.beta));
    let (means, variances) = (running(&norm.running_mean), running(&norm.running_variance));
    let mut output = input.clone();
    for channel in 0..channels {
        let indices: Vec<usize> = (0..input.len())
            .filter(|index| index / block % channels == channel)
            .collect();
        let (mean, variance) = match mode {
            Mode::Evaluate => (means[channel], variances[channel]),
            Mode::Train => {
                let count = indices.len() as f64;
                let mean = indices.iter().map(|&k| input[k]).sum::<f64>() / count;
                let squares = indices.iter().map(|&k| (input[k] - mean).powi(2));
                (mean, squares.sum::<f64>() / count)
            }
        };
        for k in indices {
            output[k] =
                (input[k] - mean) / (variance + 1e-5).sqrt() * gamma[channel] + beta[channel];
        }
    }
    output
}

pub fn normalised(maps: Maps, norm: &Option<BatchNorm>, mode: Mode) -> Maps {
    let block = maps.size * maps.size;
    let values = batch_norm(maps.values, maps.channels, block, norm, mode);
    Maps::new(maps.batch, maps.channels, maps.size, values)
}

/// A convolution with a 1×1 kernel, weight `[out, in, 1, 1]`.
fn pointwise(input: &Maps, layer: &Conv2d) -> Maps {
    let (weight, bias) = (parameter(&layer.weight), bias(&layer.bias));
    let mut output = Maps::zeros(input.batch, bias.len(), input.size);
    for image in 0..input.batch {
        for (out, bias) in bias.iter().enumerate() {
            for pixel in 0..input.size * input.size {
                let (row, column) = (pixel / input.size, pixel % input.size);
                let terms = (0..input.channels).map(|channel| {
                    weight[out * input.channels + channel]
                        * input.values[input.index(image, channel, row, column)]
                });
                let at = output.index(image, out, row, column);
                output.values[at] = bias + terms.sum::<f64>();
            }
        }
    }
    output
}

/// Each block adds the output of its two layers to its input.
pub fn residual(input: Maps, blocks: &[ResidualBlock], mode: Mode) -> Maps {
    blocks.iter().fold(input, |mut input, block| {
        let branch = block.layers.iter().fold(input.clone(), |x, layer| {
            normalised(
                pointwise(&x, &layer.convolution).map(silu),
                &layer.norm,
                mode,
            )
        });
        for (value, branch) in input.values.iter_mut().zip(branch.values) {
            *value += branch;
        }
        input
    })
}

/// Means and log-variances `[batch, latent]`, standardised by the statistics of the batch or by the
/// running ones.
pub fn latent_norm(
    (means, logvars): (Vec<f64>, Vec<f64>),
    norm: &LatentNorm,
    mode: Mode,
) -> (Vec<f64>, Vec<f64>) {
    let centers = running(&norm.running_mean);
    let scales = running(&norm.running_logvar);
    let latent = centers.len();
    let count = (means.len() / latent) as f64;
    let (mut new_means, mut new_logvars) = (means.clone(), logvars.clone());
    for dimension in 0..latent {
        let column = |rows: &[f64]| -> Vec<f64> {
            rows.iter()
                .skip(dimension)
                .step_by(latent)
                .copied()
                .collect()
        };
        let (center, scale) = match mode {
            Mode::Evaluate => (centers[dimension], scales[dimension]),
            Mode::Train => {
                let (means, logvars) = (column(&means), column(&logvars));
                let mean = means.iter().sum::<f64>() / count;
                let squares = means.iter().map(|m| (m - mean).powi(2));
                let spread = squares.sum::<f64>() / (count - 1.0);
                let within = logvars.iter().map(|l| l.exp()).sum::<f64>() / count;
                (mean, (within + spread).ln())
            }
        };
        for k in (dimension..means.len()).step_by(latent) {
            new_means[k] = (means[k] - center) * (-scale / 2.0).exp();
            new_logvars[k] = logvars[k] - scale;
        }
    }
    (new_means, new_logvars)
}
