//! The interface of the settings of every kind of model.

use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Device;
use gwae_core::random::RandomSource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ModelConfigError;
use crate::autoencoder::Autoencoder;
use crate::networks::BackboneConfig;
use crate::objective::Objective;

/// The settings of one kind of model: the table `[model]` of a configuration with this `kind`.
pub trait ModelSettings:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned
{
    /// The value of `kind`, such as `vae`.
    const KIND: &'static str;
    /// A description in one line, for help texts.
    const SUMMARY: &'static str;
    /// Every field besides those of [`BackboneConfig`] with its explanation, for commented
    /// configurations.
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[];
    /// The type of the model.
    type Model: Autoencoder + Module;

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range or conflicts with another.
    fn validate(&self) -> Result<(), ModelConfigError>;

    /// Whether the model is trained against a critic, which has a learning rate and an optimiser of its
    /// own. The default is no.
    fn has_critic(&self) -> bool {
        false
    }

    /// The architecture of encoder and decoder.
    fn backbone(&self) -> &BackboneConfig;

    /// The same architecture, mutable.
    fn backbone_mut(&mut self) -> &mut BackboneConfig;

    /// A model with PyTorch's default initialisation drawn from `noise`. Pass an autodiff device to
    /// train it.
    ///
    /// # Errors
    /// As [`Self::validate`].
    fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Model, ModelConfigError>;
}

/// Settings of a model whose complete objective one optimiser minimises.
pub trait SingleObjectiveSettings: ModelSettings {
    /// The type of the objective.
    type Objective: Objective<Self::Model> + Clone;

    /// The objective of these settings.
    fn objective(&self) -> Self::Objective;
}
