//! Training algorithms: which optimiser steps which parameters, and in which order.

mod by_kind;
mod factor_vae;
mod gwae;
mod replicas;
mod single;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Tensor};
use gwae_core::NamedLosses;
use gwae_core::random::RandomSource;
use gwae_datasets::ImageShape;
use gwae_models::{Autoencoder, LossTerms, ModelConfigError};

use crate::config::training::TrainingConfig;
use crate::model_config::ModelConfig;

pub use by_kind::AlgorithmVisitor;
pub use factor_vae::{FactorVaeAlgorithm, FactorVaeLearner};
pub use gwae::{GwaeAlgorithm, GwaeLearner};
pub use single::{SingleAlgorithm, SingleLearner};

/// What a run trains: how the model is built, and how it steps.
///
/// The loop, checkpoints, pictures and reports know nothing else about a model. A model of this
/// crate gets its algorithm from its settings. [`GwaeAlgorithm::own`] and [`SingleAlgorithm::own`]
/// take a function that builds a model with any networks. Implement this trait for another kind of
/// algorithm.
pub trait Algorithm {
    /// The model.
    type Model: Autoencoder + Module;
    /// The model with its optimisers.
    type Learner: Learner<Model = Self::Model>;

    /// The table `[model]` of the run's configuration.
    fn model_config(&self) -> ModelConfig;

    /// The shape of the images that the model takes.
    fn image_shape(&self) -> ImageShape;

    /// Builds an untrained model on `device` and draws its parameters from `noise`.
    ///
    /// # Errors
    /// When the settings describe no valid model.
    fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Model, ModelConfigError>;

    /// Gives `model` new optimisers. `terms` are added to its objective.
    fn learner(
        &self,
        model: Self::Model,
        training: &TrainingConfig,
        terms: LossTerms<Self::Model>,
    ) -> Self::Learner;
}

/// A model with its optimisers, and what one step does.
pub trait Learner: Sized {
    /// The model.
    type Model: Autoencoder + Module;

    /// The model in training.
    fn model(&self) -> &Self::Model;

    /// Does one step on one batch, which is split into one shard per device. The step consumes the
    /// learner and returns it, as Burn's optimisers do with modules.
    ///
    /// Every shard has a replica of the model on its device. Each replica computes the losses and
    /// gradients of its own shard; the step uses and returns their means. Buffers (batch
    /// statistics, singular vectors, the running mixture) are taken from the first replica. The
    /// replicas draw their noise one after the other.
    ///
    /// # Shapes
    /// - `shards`: at least one, each `[batch / shards, channels, height, width]` in `[0, 1]` with
    ///   at least two images, on an autodiff device; the first is on the model's device
    fn training_step(
        self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>);

    /// Does one step on a batch on a single device; see [`Self::training_step`].
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` in `[0, 1]`, at least two, on the model's
    ///   autodiff device
    fn step(
        self,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>) {
        self.training_step(vec![images], noise)
    }

    /// Computes the losses of a batch in evaluation mode. Nothing in the model changes.
    ///
    /// `model` is a copy without autodiff ([`Module::valid`]). It is an argument so that a
    /// validation over many batches makes only one copy.
    fn evaluate(
        &self,
        model: &Self::Model,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>>;

    /// Every optimiser with the name of its checkpoint file.
    fn optimizers(&mut self) -> Vec<(&'static str, &mut ModuleOptimizer)>;

    /// Sets the number of completed steps. The learning rates depend on it.
    fn set_completed_steps(&mut self, steps: u64);

    /// Tells the number of images to train on, before the first step. The default ignores it.
    fn set_training_images(&mut self, _images: usize) {}
}
