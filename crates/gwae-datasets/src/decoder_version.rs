//! The version of the decoders of image files.

/// Increases with every change that affects a pixel, or what can be decoded.
pub(crate) const DECODER_VERSION: u32 = 1;
