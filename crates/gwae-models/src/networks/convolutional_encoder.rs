//! The convolutional Gaussian encoder.

use burn::module::Module;
use burn::nn::{Linear, conv::Conv2d};
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::{BatchNorm, Mode, OFFICIAL_MOMENTUM, initialise, random::RandomSource};
use gwae_kernels::{PaddingMode, logit, silu, strided_conv2d};

use super::backbone::BackboneConfig;
use super::encoder::{Encoder, Posterior};
use super::latent_norm::LatentNorm;
use super::precision::in_precision;
use super::residual::{ResidualBlock, normalise};

/// Least distance of the pixels from 0 and 1 before the inverse sigmoid.
const PIXEL_MARGIN: f64 = 1e-4;

/// Image to [`Posterior`]: inverse sigmoid, stride-2 convolutions with replicate padding down
/// to 4×4, a hidden linear layer and two linear heads.
#[derive(Module, Debug)]
pub struct ConvEncoder {
    /// One stage per halving of the image.
    pub stages: Vec<ConvEncoderStage>,
    /// `channels·16 → hidden`.
    pub hidden: Linear,
    /// Head of the means.
    pub mean: Head,
    /// Head of the logarithmic variances.
    pub logvar: Head,
    /// Present with `latent_bn`.
    pub latent_norm: Option<LatentNorm>,
}

/// A 4×4 stride-2 convolution with replicate padding, SiLU, and the optional layers.
#[derive(Module, Debug)]
pub struct ConvEncoderStage {
    /// Weight `[out, in, 4, 4]`.
    pub convolution: Conv2d,
    /// Present with `batchnorm`.
    pub norm: Option<BatchNorm>,
    /// Two blocks with `resblock`, else none.
    pub residual: Vec<ResidualBlock>,
}

/// A linear head with optional batch normalisation.
#[derive(Module, Debug)]
pub struct Head {
    /// `hidden → latent`.
    pub linear: Linear,
    /// Present with `batchnorm`.
    pub norm: Option<BatchNorm>,
}

impl ConvEncoder {
    /// Builds the encoder of `config`, which must be valid.
    pub fn new(config: &BackboneConfig, noise: &mut dyn RandomSource, device: &Device) -> Self {
        // With `latent_bn`, the official encoder has no other batch normalisation.
        let batchnorm = config.batchnorm && !config.latent_bn;
        let mut inputs = config.channels;
        let mut stages = Vec::new();
        for outputs in config.stage_channels() {
            stages.push(ConvEncoderStage {
                convolution: initialise::conv2d([inputs, outputs], 4, 2, noise, device),
                norm: batchnorm.then(|| BatchNorm::new(outputs, OFFICIAL_MOMENTUM, true, device)),
                residual: ResidualBlock::pair(outputs, batchnorm, config.resblock, noise, device),
            });
            inputs = outputs;
        }
        let features = config.hidden_features();
        let latent = config.latent_dim;
        let hidden = initialise::linear(inputs * 16, features, noise, device);
        let mut head = || Head {
            linear: initialise::linear(features, latent, noise, device),
            norm: batchnorm.then(|| BatchNorm::new(latent, OFFICIAL_MOMENTUM, true, device)),
        };
        Self {
            stages,
            hidden,
            mean: head(),
            logvar: head(),
            latent_norm: config.latent_bn.then(|| LatentNorm::new(latent, device)),
        }
    }
}

impl Encoder for ConvEncoder {
    /// Encodes a batch of images. The computation has the floating-point type of the weights, the
    /// output that of the images.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    /// - output: mean and logvar `[batch, latent]`
    fn encode(&self, images: Tensor<4>, mode: Mode) -> Posterior {
        let (outside, inside) = (images.dtype(), self.hidden.weight.val().dtype());
        let images = logit(images, PIXEL_MARGIN).cast(inside);
        let features = self.stages.iter().fold(images, |features, stage| {
            let weight = stage.convolution.weight.val();
            let bias = stage.convolution.bias.as_ref().map(|bias| bias.val());
            let features = silu(strided_conv2d(
                features,
                weight,
                bias,
                PaddingMode::Replicate,
            ));
            let features = normalise(&stage.norm, features, mode);
            stage
                .residual
                .iter()
                .fold(features, |x, block| block.forward(x, mode))
        });
        let hidden = silu(self.hidden.forward(features.flatten::<2>(1, 3)));
        let head =
            |head: &Head, x| normalise(&head.norm, head.linear.forward(x).cast(outside), mode);
        let posterior = Posterior {
            mean: head(&self.mean, hidden.clone()),
            logvar: head(&self.logvar, hidden),
        };
        match &self.latent_norm {
            Some(norm) => norm.forward(posterior, mode),
            None => posterior,
        }
    }

    /// Batch normalisation computes in single precision and does not change.
    fn in_precision(mut self, dtype: FloatDType) -> Self {
        for stage in &mut self.stages {
            stage.convolution = in_precision(stage.convolution.clone(), dtype);
            for block in &mut stage.residual {
                block.round_weights(dtype);
            }
        }
        self.hidden = in_precision(self.hidden, dtype);
        for head in [&mut self.mean, &mut self.logvar] {
            head.linear = in_precision(head.linear.clone(), dtype);
        }
        self
    }
}
