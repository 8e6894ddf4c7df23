//! The convolutional decoder.

use burn::module::Module;
use burn::nn::{Linear, conv::ConvTranspose2d};
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::{BatchNorm, Mode, OFFICIAL_MOMENTUM, initialise, random::RandomSource};
use gwae_kernels::{PaddingMode, sigmoid, silu, strided_conv_transpose2d};

use super::backbone::BackboneConfig;
use super::decoder::Decoder;
use super::precision::in_precision;
use super::residual::{ResidualBlock, normalise};

/// Code to image: two linear layers to a 4×4 feature map, transposed convolutions that double it up
/// to the image size, and a sigmoid.
#[derive(Module, Debug)]
pub struct ConvDecoder {
    /// `latent → hidden`.
    pub hidden: Linear,
    /// `hidden → channels·16`.
    pub expand: Linear,
    /// One stage per doubling, except the last.
    pub stages: Vec<ConvDecoderStage>,
    /// The last doubling, to the colour channels.
    pub output: ConvTranspose2d,
    /// Two blocks with `resblock`, on the colour channels, else none.
    pub output_residual: Vec<ResidualBlock>,
    top_channels: usize,
}

/// A transposed convolution that doubles the size, SiLU, and the optional layers.
#[derive(Module, Debug)]
pub struct ConvDecoderStage {
    /// Weight `[in, out, 4, 4]`.
    pub convolution: ConvTranspose2d,
    /// Present with `batchnorm`.
    pub norm: Option<BatchNorm>,
    /// Two blocks with `resblock`, else none.
    pub residual: Vec<ResidualBlock>,
}

impl ConvDecoder {
    /// Builds the decoder of `config`, which must be valid.
    pub fn new(config: &BackboneConfig, noise: &mut dyn RandomSource, device: &Device) -> Self {
        let batchnorm = config.batchnorm;
        let mut channels = config.stage_channels();
        channels.reverse();
        let (top, features) = (channels[0], config.hidden_features());
        let hidden = initialise::linear(config.latent_dim, features, noise, device);
        let expand = initialise::linear(features, top * 16, noise, device);
        let residual = |outputs, noise: &mut dyn RandomSource| {
            ResidualBlock::pair(outputs, batchnorm, config.resblock, noise, device)
        };
        let mut stages = Vec::new();
        for pair in channels.windows(2) {
            let outputs = pair[1];
            stages.push(ConvDecoderStage {
                convolution: initialise::strided_conv_transpose2d(
                    [pair[0], outputs],
                    noise,
                    device,
                ),
                norm: batchnorm.then(|| BatchNorm::new(outputs, OFFICIAL_MOMENTUM, true, device)),
                residual: residual(outputs, noise),
            });
        }
        let last = channels[channels.len() - 1];
        let colours = [last, config.channels];
        Self {
            hidden,
            expand,
            stages,
            output: initialise::strided_conv_transpose2d(colours, noise, device),
            output_residual: residual(config.channels, noise),
            top_channels: top,
        }
    }
}

impl Decoder for ConvDecoder {
    /// Decodes a batch of codes. The computation has the floating-point type of the weights, the
    /// output that of the codes.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`
    /// - output: `[batch, channels, size, size]` in `[0, 1]`
    fn decode(&self, codes: Tensor<2>, mode: Mode) -> Tensor<4> {
        let (outside, inside) = (codes.dtype(), self.hidden.weight.val().dtype());
        let hidden = silu(self.hidden.forward(codes.cast(inside)));
        let hidden = silu(self.expand.forward(hidden));
        let top = hidden.reshape([-1, self.top_channels as i64, 4, 4]);
        let features = self.stages.iter().fold(top, |features, stage| {
            let features = silu(double(&stage.convolution, features));
            let features = normalise(&stage.norm, features, mode);
            stage
                .residual
                .iter()
                .fold(features, |x, block| block.forward(x, mode))
        });
        let logits = self
            .output_residual
            .iter()
            .fold(double(&self.output, features), |logits, block| {
                block.forward(logits, mode)
            });
        sigmoid(logits.cast(outside))
    }

    fn has_batch_statistics(&self) -> bool {
        self.stages.iter().any(|stage| stage.norm.is_some())
    }

    /// Batch normalisation computes in single precision and does not change.
    fn in_precision(mut self, dtype: FloatDType) -> Self {
        self.hidden = in_precision(self.hidden, dtype);
        self.expand = in_precision(self.expand, dtype);
        for stage in &mut self.stages {
            stage.convolution = in_precision(stage.convolution.clone(), dtype);
            for block in &mut stage.residual {
                block.round_weights(dtype);
            }
        }
        self.output = in_precision(self.output, dtype);
        for block in &mut self.output_residual {
            block.round_weights(dtype);
        }
        self
    }
}

fn double(layer: &ConvTranspose2d, features: Tensor<4>) -> Tensor<4> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    strided_conv_transpose2d(features, layer.weight.val(), bias, PaddingMode::Zeros)
}
