//! The traits of priors and mixtures, for the families here and for your own.

use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::RandomSource;

/// A latent prior: noise in, codes out, differentiable in its parameters.
pub trait Prior {
    /// Latent dimension L.
    fn latent_dim(&self) -> usize;

    /// Draws `batch` codes. Each family documents which noise it asks for, in which order.
    ///
    /// The noise is uploaded to `device`: the device of the parameters, with or without automatic
    /// differentiation. Noise is a constant in both cases, so only the parameters decide whether the
    /// result is tracked (use `prior.valid()` for plain samples).
    ///
    /// # Shapes
    /// - output: `[batch, L]`
    ///
    /// # Panics
    /// In [`Mode::Train`] with a batch of one, for families that end in a batch normalisation: a
    /// single draw has no variance.
    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2>;

    /// Log-density of each code under the distribution of the draws in [`Mode::Evaluate`], in nats;
    /// `None` for a family without a closed form.
    ///
    /// # Shapes
    /// - `codes`: `[batch, L]`
    /// - output: `[batch]`
    fn log_density(&self, codes: Tensor<2>) -> Option<Tensor<1>> {
        let _ = codes;
        None
    }

    /// The components of a mixture; `None` for any other prior.
    fn components(&self) -> Option<&dyn PriorComponents> {
        None
    }
}

/// The K components of a mixture prior, for the distribution of its draws in [`Mode::Evaluate`].
pub trait PriorComponents {
    /// Mixture weights `[K]`, which sum to 1.
    fn weights(&self) -> Tensor<1>;

    /// The logarithm of each component's weight times its density at each code, in nats. The largest
    /// entry of a row marks the most probable component of the code.
    ///
    /// # Shapes
    /// - `codes`: `[batch, L]`
    /// - output: `[batch, K]`
    fn log_densities(&self, codes: Tensor<2>) -> Tensor<2>;

    /// Draws `count` codes `[count, L]` from one component, counted from 0.
    ///
    /// # Panics
    /// If `component` is not below K.
    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2>;
}
