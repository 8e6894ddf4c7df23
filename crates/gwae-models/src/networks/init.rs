//! Builds the networks of an architecture.

use burn::tensor::Device;
use gwae_core::random::RandomSource;

use super::backbone::BackboneConfig;
use super::convolutional_decoder::ConvDecoder;
use super::convolutional_encoder::ConvEncoder;
use crate::settings::ModelConfigError;

impl BackboneConfig {
    /// Encoder and decoder of this architecture with PyTorch's default initialisation drawn from
    /// `noise`, the encoder first.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<(ConvEncoder, ConvDecoder), ModelConfigError> {
        self.validate()?;
        let encoder = ConvEncoder::new(self, noise, device);
        Ok((encoder, ConvDecoder::new(self, noise, device)))
    }
}
