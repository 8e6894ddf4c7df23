//! The trait of an encoder: images in, a distribution over codes out.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{FloatDType, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, normal_tensor};

/// A network from images to a diagonal Gaussian over codes.
///
/// Any Burn module can implement it. Models are generic over it, so they take images of any size and
/// number of channels that their encoder takes.
pub trait Encoder: Module + ModuleDisplay {
    /// The posterior of each image. In [`Mode::Train`] layers with batch statistics use and move
    /// them.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` in `[0, 1]`
    /// - output: mean and logvar `[batch, latent]`
    fn encode(&self, images: Tensor<4>, mode: Mode) -> Posterior;

    /// The same network with its weights rounded to `dtype`, for one training step in reduced
    /// precision. Its inputs and outputs stay in single precision, so the network casts them itself.
    /// [`in_precision`](crate::in_precision) rounds the weights of a layer. The default leaves the
    /// weights in single precision.
    fn in_precision(self, _dtype: FloatDType) -> Self {
        self
    }
}

/// A diagonal Gaussian over codes, one per image.
#[derive(Clone, Debug)]
pub struct Posterior {
    /// Means `[batch, latent]`.
    pub mean: Tensor<2>,
    /// Logarithms of the variances `[batch, latent]`.
    pub logvar: Tensor<2>,
}

impl Posterior {
    /// Draws one code per image, `μ + σ⊙ε`. Asks for one standard normal `[batch, latent]`.
    pub fn sample(&self, noise: &mut dyn RandomSource) -> Tensor<2> {
        let epsilon = normal_tensor(noise, self.mean.dims(), &self.mean.device());
        self.mean.clone() + (self.logvar.clone() * 0.5).exp() * epsilon
    }

    /// The same values without a gradient.
    pub fn detach(self) -> Self {
        Self {
            mean: self.mean.detach(),
            logvar: self.logvar.detach(),
        }
    }
}
