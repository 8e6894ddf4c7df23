//! Architecture of the encoder and decoder that all models share.

use serde::{Deserialize, Serialize};

use crate::settings::{ModelConfigError, in_range};

/// Largest latent dimension.
const MOST_LATENT: usize = 4_096;

/// Largest number of parameters of encoder and decoder, so that a typing error does not exhaust the
/// memory.
const MOST_PARAMETERS: f64 = 268_435_456.0;

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
    /// Every field with its explanation, for commented configurations.
    pub const EXPLANATIONS: [(&'static str, &'static str); 7] = [
        (
            "image_size",
            "Height and width of the images in pixels: 32, 64 or 128.",
        ),
        ("channels", "Colour channels: 1 (grey) or 3 (colour)."),
        (
            "latent_dim",
            "Numbers that describe an image: the latent dimension.",
        ),
        (
            "width",
            "Multiplies every channel count of encoder and decoder. The authors take 1.",
        ),
        (
            "batchnorm",
            "Whether encoder and decoder have batch normalisation.",
        ),
        (
            "resblock",
            "Whether two residual blocks follow every convolution of encoder and decoder.",
        ),
        (
            "latent_bn",
            "Whether the codes are standardised by the statistics of their batch.",
        ),
    ];

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
        in_range(latent >= 1, "latent_dim", latent, "from 1 to 4096")?;
        if latent > MOST_LATENT {
            return Err(ModelConfigError::LatentTooLarge {
                latent_dim: latent,
                most: MOST_LATENT,
                gibibytes: self.gibibytes(),
            });
        }
        let width = self.width;
        in_range(
            (0.03125..=16.0).contains(&width),
            "width",
            width,
            "from 1/32 to 16",
        )?;
        let parameters = self.parameters();
        match parameters > MOST_PARAMETERS {
            true => Err(ModelConfigError::NetworksTooLarge {
                width,
                millions: (parameters / 1e6).round(),
                most_millions: (MOST_PARAMETERS / 1e6).round(),
                gibibytes: self.gibibytes(),
            }),
            false => Ok(()),
        }
    }

    /// Approximate number of trainable values of encoder and decoder.
    fn parameters(&self) -> f64 {
        let channels = self.stage_channels();
        let (top, features) = (
            channels[channels.len() - 1] as f64,
            self.hidden_features() as f64,
        );
        let inputs = std::iter::once(self.channels).chain(channels.iter().copied());
        let convolutions: f64 = inputs
            .zip(&channels)
            .map(|(inputs, outputs)| 16.0 * inputs as f64 * *outputs as f64)
            .sum();
        let residual: f64 = match self.resblock {
            true => channels
                .iter()
                .map(|channels| 36.0 * (*channels as f64).powi(2))
                .sum(),
            false => 0.0,
        };
        let linear = 16.0 * top * features;
        2.0 * (convolutions + residual + linear) + 3.0 * features * self.latent_dim as f64
    }

    /// Approximate memory of a training: parameters with their gradients and two values of an
    /// optimiser each, and the codes from which a latent traversal chooses.
    fn gibibytes(&self) -> f64 {
        let codes = 2.0 * (self.latent_dim as f64).powi(2);
        (4.0 * 4.0 * self.parameters() + 4.0 * codes) / f64::from(1 << 30)
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
    fn what_no_memory_holds_is_refused() {
        let message = |change: fn(&mut BackboneConfig)| {
            let mut config = BackboneConfig::default();
            change(&mut config);
            config.validate().map_err(|error| error.to_string())
        };
        message(|config| config.latent_dim = MOST_LATENT).unwrap();
        message(|config| config.width = 8.0).unwrap();
        let text = message(|config| config.latent_dim = 65_536).unwrap_err();
        assert!(
            text.contains("latent_dim = 65536") && text.contains("from 1 to 4096"),
            "{text}"
        );
        assert!(text.contains("about 33 GiB"), "{text}");
        let text = message(|config| config.width = 16.0).unwrap_err();
        assert!(
            text.contains("model.width = 16") && text.contains("GiB"),
            "{text}"
        );
        message(|config| config.latent_dim = usize::MAX).unwrap_err();
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
