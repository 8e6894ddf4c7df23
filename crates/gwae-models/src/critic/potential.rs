//! The traits of a critic: a potential of pairs, and its gradient.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;
use gwae_core::Mode;

/// A critic of pairs of image and code, the opponent of a GWAE with the merged condition (Nakagawa
/// et al., ICLR 2023, equation 11).
///
/// A forward pass takes its weights first ([`Critic::weights`]). So layers that normalise their
/// weights do it once per pass, and a pass without gradients to the weights detaches them once.
pub trait Critic: Module + ModuleDisplay {
    /// The weights of one forward pass.
    type Weights: CriticWeights;

    /// The weights of one forward pass. In [`Mode::Train`] this updates buffers such as those of
    /// spectral normalisation.
    fn weights(&self, mode: Mode) -> Self::Weights;

    /// Features of images for the learned similarity (`model.learned_similarity`). Gradients pass
    /// through them to the images, but not to the critic. The default is `None`.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, output: `[batch, features]`
    fn image_features(&self, _images: Tensor<4>, _mode: Mode) -> Option<Tensor<2>> {
        None
    }

    /// Updates buffers that depend on the weights after the weights were replaced. The default does
    /// nothing.
    fn settle_buffers(&self) {}
}

/// The weights of one forward pass of a [`Critic`].
pub trait CriticWeights: Sized {
    /// The potential D(x, z).
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, `codes`: `[batch, latent]`
    /// - output: `[batch, 1]`
    fn potential(&self, images: Tensor<4>, codes: Tensor<2>) -> Tensor<2>;

    /// The gradient of the potential with respect to its inputs, `(∇_x D, ∇_z D)`, for the gradient
    /// penalty. Automatic differentiation in Burn is of first order, so a critic computes this as an
    /// ordinary forward pass that carries gradients to its weights. The default is `None`: the
    /// critic is then trained without a gradient penalty.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, `codes`: `[batch, latent]`
    /// - output: as the inputs
    fn input_gradient(
        &self,
        _images: Tensor<4>,
        _codes: Tensor<2>,
    ) -> Option<(Tensor<4>, Tensor<2>)> {
        None
    }

    /// The same weights without a gradient.
    fn detach(self) -> Self;
}
