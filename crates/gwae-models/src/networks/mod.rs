//! Encoders and decoders: the traits, and the convolutional networks of the paper.

mod backbone;
mod convolutional_decoder;
mod convolutional_encoder;
mod decoder;
mod encoder;
mod init;
mod latent_norm;
mod precision;
mod residual;

pub use backbone::BackboneConfig;
pub use convolutional_decoder::{ConvDecoder, ConvDecoderStage};
pub use convolutional_encoder::{ConvEncoder, ConvEncoderStage, Head};
pub use decoder::Decoder;
pub use encoder::{Encoder, Posterior};
pub use latent_norm::LatentNorm;
pub use precision::in_precision;
pub use residual::{PointwiseLayer, ResidualBlock};
