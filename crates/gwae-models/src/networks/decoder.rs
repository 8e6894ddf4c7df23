//! The trait of a decoder: codes in, images out.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{FloatDType, Tensor};
use gwae_core::Mode;

/// A network from codes to images.
///
/// Any Burn module can implement it.
pub trait Decoder: Module + ModuleDisplay {
    /// The image of each code. In [`Mode::Train`] layers with batch statistics use and move them.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`
    /// - output: `[batch, channels, height, width]` in `[0, 1]`
    fn decode(&self, codes: Tensor<2>, mode: Mode) -> Tensor<4>;

    /// Whether a pass in [`Mode::Train`] changes running statistics; such a pass must not be
    /// skipped. The default is false.
    fn has_batch_statistics(&self) -> bool {
        false
    }

    /// See [`Encoder::in_precision`](crate::Encoder::in_precision).
    fn in_precision(self, _dtype: FloatDType) -> Self {
        self
    }
}
