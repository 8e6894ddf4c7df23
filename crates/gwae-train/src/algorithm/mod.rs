//! Training algorithms: which parameters step, on what, in which order.

mod dagmm;
mod gwae;
mod gwae_objective;
mod replicas;
mod single;
mod vae;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Tensor};
use gwae_core::random::RandomSource;
use gwae_models::{Autoencoder, ModelConfigError};

use crate::config::TrainingConfig;
use crate::named_losses::NamedLosses;

pub use dagmm::DagmmObjective;
pub use gwae::GwaeTrainer;
pub use gwae_objective::{CriticTerms, GwaeObjective, MainTerms};
pub use single::{DagmmTrainer, SingleObjective, SingleTrainer, VaeTrainer};
pub use vae::VaeObjective;

/// A model with its optimisers, and what one step does with them.
///
/// The loop, checkpoints, pictures and reports know nothing else of a model. Another model joins by
/// implementing this, its own file beside these, and a variant of
/// [`ModelConfig`](gwae_models::ModelConfig).
pub trait TrainingAlgorithm: Sized {
    /// What the model is built from.
    type Config;
    /// The model.
    type Model: Autoencoder + Module;

    /// An untrained model on an autodiff device, its parameters drawn from `noise`.
    ///
    /// # Errors
    /// For a configuration that no model can be built from.
    fn build(
        config: &Self::Config,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Model, ModelConfigError>;

    /// Optimisers for `model` that have not stepped yet.
    fn new(model: Self::Model, config: &Self::Config, training: &TrainingConfig) -> Self;

    /// The model as it is trained.
    fn model(&self) -> &Self::Model;

    /// One step on one batch, which comes in one shard for every device that computes. It consumes
    /// the trainer and returns it, as Burn's optimisers do with modules.
    ///
    /// Every shard has a replica of the model on its device. The gradient is the mean of the
    /// replicas', each that of the losses of its own shard alone, and so are the losses. Buffers
    /// (batch statistics, singular vectors, the running mixture) are those of the first replica. The
    /// noise is drawn for one replica after the other wherever one would draw.
    ///
    /// # Shapes
    /// - `shards`: at least one, each `[batch / shards, channels, size, size]` in `[0, 1]` of at
    ///   least two images, on an autodiff device; the first on the model's own
    fn training_step(
        self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>);

    /// The losses of a batch in evaluation mode; nothing moves.
    ///
    /// `model` is a plain copy ([`Module::valid`]), so that a validation over many batches makes
    /// one copy.
    fn evaluate(
        &self,
        model: &Self::Model,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>>;

    /// Brings buffers that depend on parameters in line with them, as far as that needs no training
    /// images, in a copy of the model whose parameters were replaced by averages.
    fn settle_buffers(_model: &Self::Model) {}

    /// Every optimiser with the name of its file in a checkpoint.
    fn optimizers(&mut self) -> Vec<(&'static str, &mut ModuleOptimizer)>;

    /// Sets how many steps are done, on which the warm-up of the learning rates depends.
    fn set_completed_steps(&mut self, steps: u64);
}

/// Factor of the learning rates in step `step`, from 1: rises linearly to 1 over the warm-up.
fn warmup(step: u64, warmup_steps: u64) -> f64 {
    if step >= warmup_steps {
        1.0
    } else {
        step as f64 / warmup_steps as f64
    }
}
