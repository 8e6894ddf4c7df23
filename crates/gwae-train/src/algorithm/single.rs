//! Models whose whole objective one optimiser minimises.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::Mode;
use gwae_core::random::RandomSource;
use gwae_models::{Autoencoder, ModelConfigError};

use super::replicas::{mean_gradients, on_replicas};
use super::{DagmmObjective, TrainingAlgorithm, VaeObjective, warmup};
use crate::adam::Adam;
use crate::config::TrainingConfig;
use crate::named_losses::NamedLosses;
use crate::precision::Precision;

/// What a model minimises, all of it at once.
pub trait SingleObjective: Sized {
    /// What model and objective are built from.
    type Config;
    /// The model.
    type Model: Autoencoder + Module;

    /// An untrained model, its parameters drawn from `noise`.
    ///
    /// # Errors
    /// For a configuration that no model can be built from.
    fn build(
        config: &Self::Config,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Model, ModelConfigError>;

    /// The objective that a configuration describes.
    fn new(config: &Self::Config) -> Self;

    /// The model with the weights of its encoder and decoder rounded to `dtype`, for one step.
    fn lowered(model: Self::Model, dtype: FloatDType) -> Self::Model;

    /// The losses of a batch; the first is what is minimised.
    fn losses(
        &self,
        model: &Self::Model,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>>;
}

/// A model, its objective and one Adam (0.9, 0.999, 1e-8).
pub struct SingleTrainer<O: SingleObjective> {
    /// The model, on an autodiff device.
    pub model: O::Model,
    /// What it minimises.
    pub objective: O,
    optimizer: ModuleOptimizer,
    precision: Precision,
    learning_rate: f64,
    warmup_steps: u64,
    completed_steps: u64,
}

/// Trains a [`Vae`](gwae_models::Vae).
pub type VaeTrainer = SingleTrainer<VaeObjective>;

/// Trains a [`Dagmm`](gwae_models::Dagmm).
pub type DagmmTrainer = SingleTrainer<DagmmObjective>;

impl<O: SingleObjective> TrainingAlgorithm for SingleTrainer<O> {
    type Config = O::Config;
    type Model = O::Model;

    fn build(
        config: &Self::Config,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Model, ModelConfigError> {
        O::build(config, noise, device)
    }

    fn new(model: Self::Model, config: &Self::Config, training: &TrainingConfig) -> Self {
        Self {
            model,
            objective: O::new(config),
            optimizer: Adam::init(),
            precision: training.precision,
            learning_rate: training.learning_rate,
            warmup_steps: training.warmup_steps,
            completed_steps: 0,
        }
    }

    fn model(&self) -> &Self::Model {
        &self.model
    }

    fn training_step(
        mut self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>) {
        let device = shards[0].device();
        let dtype = self.precision.reduced();
        let lower = dtype.map(|dtype| move |model| O::lowered(model, dtype));
        let lower = lower.as_ref().map(|lower| lower as &dyn Fn(_) -> _);
        let (gradients, losses) = on_replicas(&self.model, shards, lower, |_, model, images| {
            let losses = self.objective.losses(model, images, Mode::Train, noise);
            let gradients = GradientsParams::from_grads(losses.total().backward(), model);
            (gradients, losses.detach())
        })
        .into_iter()
        .unzip();
        let gradients = mean_gradients(&self.model, gradients, &device);
        self.completed_steps += 1;
        let rate = warmup(self.completed_steps, self.warmup_steps) * self.learning_rate;
        self.model = self.optimizer.step(rate, self.model, gradients);
        (self, NamedLosses::mean(losses))
    }

    fn evaluate(
        &self,
        model: &Self::Model,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>> {
        self.objective.losses(model, images, Mode::Evaluate, noise)
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut ModuleOptimizer)> {
        vec![("optimizer_main.bpk", &mut self.optimizer)]
    }

    fn set_completed_steps(&mut self, steps: u64) {
        self.completed_steps = steps;
    }
}
