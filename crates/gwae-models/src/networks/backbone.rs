//! Architecture of the encoder and decoder that all models share.

use serde::{Deserialize, Serialize};

use crate::settings::{ModelConfigError, in_range};

/// The settings of encoder and decoder, in every model.
///
/// The defaults are the official CelebA settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackboneConfig {
    /// Height and width of the images in pixels: 32, 64 or 128.
    pub image_size: usize,
    /// Colour channels: 1 or 3.
    pub channels: usize,
    /// Latent dimension L.
    pub latent_dim: usize,
    /// Multiplies every channel count of encoder and decoder (official: 1).
    pub width: f64,
    /// Batch normalisation in encoder and decoder. `latent_bn` takes its place in the encoder.
    pub batchnorm: bool,
    /// Two residual blocks after every convolution of encoder and decoder.
    pub resblock: bool,
    /// Standardise the posterior by the batch statistics of the codes.
    pub latent_bn: bool,
}

impl Default for BackboneConfig {
    fn default() -> Self {
        Self {
            image_size: 64,
            channels: 3,
            latent_dim: 64,
            width: 1.0,
            batchnorm: false,
            resblock: false,
            latent_bn: false,
        }
    }
}

impl BackboneConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), ModelConfigError> {
        let size = self.image_size;
        in_range(
            matches!(size, 32 | 64 | 128),
            "image_size",
            size,
            "32, 64 or 128",
        )?;
        let channels = self.channels;
        in_range(matches!(channels, 1 | 3), "channels", channels, "1 or 3")?;
        let latent = self.latent_dim;
        in_range(
            (1..=65_536).contains(&latent),
            "latent_dim",
            latent,
            "1 to 65536",
        )?;
        let width = self.width;
        in_range(
            (0.03125..=16.0).contains(&width),
            "width",
            width,
            "from 1/32 to 16",
        )
    }

    /// Number of stride-2 convolutions between the image and the 4×4 feature map.
    pub fn stages(&self) -> usize {
        (self.image_size / 4).ilog2() as usize
    }

    /// Output channels of each encoder convolution: 32 doubling to at most 256, times `width`.
    pub fn stage_channels(&self) -> Vec<usize> {
        (0..self.stages())
            .map(|stage| self.scaled(32 << stage.min(3)))
            .collect()
    }

    /// Width of the fully connected hidden layer of encoder and decoder.
    pub fn hidden_features(&self) -> usize {
        self.scaled(256)
    }

    /// Number of weights of the convolutions and linear layers of encoder and decoder, without those
    /// of residual blocks. The settings must be valid.
    pub fn weights(&self) -> usize {
        let mut convolutions = 0;
        let mut inputs = self.channels;
        for outputs in self.stage_channels() {
            convolutions += 16 * inputs * outputs;
            inputs = outputs;
        }
        let hidden = self.hidden_features();
        // Each of encoder and decoder, and the second head of the encoder.
        2 * (convolutions + 16 * inputs * hidden) + 3 * hidden * self.latent_dim
    }

    fn scaled(&self, channels: usize) -> usize {
        ((channels as f64 * self.width).round() as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The convolutions and linear layers of the authors' program for CelebA, counted by hand.
    #[test]
    fn weights_are_counted() {
        let convolutions = 16 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 256);
        let linear = 4096 * 256;
        let heads = 3 * 256 * 64;
        let expected = 2 * (convolutions + linear) + heads;
        assert_eq!(BackboneConfig::default().weights(), expected);
    }

    #[test]
    fn official_sizes_come_out() {
        let config = BackboneConfig::default();
        assert_eq!(config.stage_channels(), [32, 64, 128, 256]);
        assert_eq!(config.hidden_features(), 256);
        let config = BackboneConfig {
            image_size: 128,
            width: 0.5,
            ..config
        };
        assert_eq!(config.stage_channels(), [16, 32, 64, 128, 128]);
    }
}
