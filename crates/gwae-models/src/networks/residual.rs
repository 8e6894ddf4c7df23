//! The pointwise residual block of the `resblock` switch.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::{BatchNorm, Mode, OFFICIAL_MOMENTUM, initialise, random::RandomSource};
use gwae_kernels::silu;

use super::precision::in_precision;

/// `x + (1×1 convolution, SiLU [, BatchNorm], 1×1 convolution, SiLU [, BatchNorm])(x)`.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    /// The two convolutions, each with its normalisation.
    pub layers: Vec<PointwiseLayer>,
}

/// A 1×1 convolution, SiLU and optional batch normalisation.
#[derive(Module, Debug)]
pub struct PointwiseLayer {
    /// Weight `[channels, channels, 1, 1]`.
    pub convolution: Conv2d,
    /// Present with `batchnorm`.
    pub norm: Option<BatchNorm>,
}

impl ResidualBlock {
    /// A block over `channels` feature maps.
    pub fn new(
        channels: usize,
        batchnorm: bool,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Self {
        let mut layer = || PointwiseLayer {
            convolution: initialise::conv2d([channels, channels], 1, 1, noise, device),
            norm: batchnorm.then(|| BatchNorm::new(channels, OFFICIAL_MOMENTUM, true, device)),
        };
        Self {
            layers: vec![layer(), layer()],
        }
    }

    /// The two blocks that follow a convolution with `resblock`; none without it.
    pub(crate) fn pair(
        channels: usize,
        batchnorm: bool,
        resblock: bool,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Vec<Self> {
        let count = if resblock { 2 } else { 0 };
        (0..count)
            .map(|_| Self::new(channels, batchnorm, noise, device))
            .collect()
    }

    /// Rounds the weights of the convolutions to `dtype`; batch normalisation does not change.
    pub(crate) fn round_weights(&mut self, dtype: FloatDType) {
        for layer in &mut self.layers {
            layer.convolution = in_precision(layer.convolution.clone(), dtype);
        }
    }

    /// Applies the block.
    ///
    /// # Shapes
    /// - input and output: `[batch, channels, height, width]`
    pub fn forward(&self, input: Tensor<4>, mode: Mode) -> Tensor<4> {
        let branch = self.layers.iter().fold(input.clone(), |hidden, layer| {
            normalise(&layer.norm, silu(layer.convolution.forward(hidden)), mode)
        });
        input + branch
    }
}

/// Applies an optional batch normalisation, which computes in the floating-point type of its
/// statistics.
pub(crate) fn normalise<const D: usize>(
    norm: &Option<BatchNorm>,
    input: Tensor<D>,
    mode: Mode,
) -> Tensor<D> {
    match norm {
        Some(norm) => {
            let outside = input.dtype();
            norm.forward(input.cast(norm.dtype()), mode).cast(outside)
        }
        None => input,
    }
}
