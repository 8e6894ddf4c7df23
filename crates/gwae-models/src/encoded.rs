//! Images with their codes and reconstructions.

use burn::tensor::Tensor;

/// Images, their codes, and the images of the codes.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// `[batch, latent]`.
    pub codes: Tensor<2>,
    /// `[batch, channels, height, width]`.
    pub reconstructed: Tensor<4>,
}
