//! Any prior family behind one module.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, random::RandomSource};

use crate::{
    CausalPrior, FactorizedNeuralPrior, FactorizedNormalPrior, FactorizedUniformPrior,
    GaussianMixturePrior, NeuralPrior, Prior, PriorConfig, SphericalPrior, VectorQuantizedPrior,
};

/// The prior of a model, of whichever family its configuration names.
///
/// The name of the variant is part of the path of its parameters in a stored model.
#[derive(Module, Debug)]
// A model holds a single prior, and Burn implements no module for `Box`.
#[allow(clippy::large_enum_variant)]
pub enum PriorSampler {
    /// See [`NeuralPrior`].
    Neural(NeuralPrior),
    /// See [`FactorizedNeuralPrior`].
    FactorizedNeural(FactorizedNeuralPrior),
    /// See [`GaussianMixturePrior`].
    GaussianMixture(GaussianMixturePrior),
    /// See [`FactorizedNormalPrior`].
    FactorizedNormal(FactorizedNormalPrior),
    /// See [`FactorizedUniformPrior`].
    FactorizedUniform(FactorizedUniformPrior),
    /// See [`SphericalPrior`].
    Spherical(SphericalPrior),
    /// See [`VectorQuantizedPrior`].
    VectorQuantized(VectorQuantizedPrior),
    /// See [`CausalPrior`].
    Causal(CausalPrior),
}

impl PriorConfig {
    /// A freshly initialised prior over `latent_dim` entries with its parameters on `device`.
    ///
    /// # Panics
    /// If `latent_dim` is 0 or [`PriorConfig::validate`] fails: check user input first.
    pub fn init(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> PriorSampler {
        assert!(latent_dim > 0, "a prior needs at least one latent entry");
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        match *self {
            Self::Neural => PriorSampler::Neural(NeuralPrior::new(latent_dim, noise, device)),
            Self::FactorizedNeural => PriorSampler::FactorizedNeural(FactorizedNeuralPrior::new(
                latent_dim, noise, device,
            )),
            Self::GaussianMixture { components, form } => PriorSampler::GaussianMixture(
                GaussianMixturePrior::new(latent_dim, components, form, noise, device),
            ),
            Self::FactorizedNormal => {
                PriorSampler::FactorizedNormal(FactorizedNormalPrior::new(latent_dim))
            }
            Self::FactorizedUniform => {
                PriorSampler::FactorizedUniform(FactorizedUniformPrior::new(latent_dim))
            }
            Self::Spherical => PriorSampler::Spherical(SphericalPrior::new(latent_dim)),
            Self::VectorQuantized { embeddings } => PriorSampler::VectorQuantized(
                VectorQuantizedPrior::new(latent_dim, embeddings, noise, device),
            ),
            Self::Causal { form } => {
                PriorSampler::Causal(CausalPrior::new(latent_dim, form, noise, device))
            }
        }
    }
}

impl PriorSampler {
    fn family(&self) -> &dyn Prior {
        match self {
            Self::Neural(prior) => prior,
            Self::FactorizedNeural(prior) => prior,
            Self::GaussianMixture(prior) => prior,
            Self::FactorizedNormal(prior) => prior,
            Self::FactorizedUniform(prior) => prior,
            Self::Spherical(prior) => prior,
            Self::VectorQuantized(prior) => prior,
            Self::Causal(prior) => prior,
        }
    }
}

impl Prior for PriorSampler {
    fn latent_dim(&self) -> usize {
        self.family().latent_dim()
    }

    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        self.family().sample(batch, mode, noise, device)
    }
}
