//! Models that are trained by one optimiser on one objective.

use std::rc::Rc;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use gwae_core::random::RandomSource;
use gwae_core::{Mode, NamedLosses};
use gwae_datasets::ImageShape;
use gwae_models::{Autoencoder, LossTerms, ModelConfigError, Objective, SingleObjectiveSettings};

use super::replicas::{mean_gradients, on_replicas};
use super::{Algorithm, Learner};
use crate::config::training::TrainingConfig;
use crate::model_config::{ModelConfig, OwnModel};

type Build<M> = Rc<dyn Fn(&mut dyn RandomSource, &Device) -> Result<M, ModelConfigError>>;

/// Trains a model `M` with one optimiser on the objective `O`.
pub struct SingleAlgorithm<M, O> {
    objective: O,
    config: ModelConfig,
    shape: ImageShape,
    build: Build<M>,
}

impl<M: Autoencoder + Module, O: Objective<M> + Clone> SingleAlgorithm<M, O> {
    /// The algorithm for a model of this crate.
    pub fn new<S>(settings: S) -> Self
    where
        S: SingleObjectiveSettings<Model = M, Objective = O> + Into<ModelConfig> + 'static,
    {
        let backbone = settings.backbone();
        Self {
            objective: settings.objective(),
            shape: ImageShape::square(backbone.image_size, backbone.channels),
            config: settings.clone().into(),
            build: Rc::new(move |noise, device| settings.init(noise, device)),
        }
    }

    /// The algorithm for a model with the caller's own parts. `build` makes an untrained model and
    /// draws its parameters from the given random source. `own` describes the model in the run's
    /// configuration.
    pub fn own(
        own: OwnModel,
        objective: O,
        build: impl Fn(&mut dyn RandomSource, &Device) -> Result<M, ModelConfigError> + 'static,
    ) -> Self {
        Self {
            objective,
            shape: own.image_shape(),
            config: own.into(),
            build: Rc::new(build),
        }
    }
}

impl<M: Autoencoder + Module, O: Objective<M> + Clone> Algorithm for SingleAlgorithm<M, O> {
    type Model = M;
    type Learner = SingleLearner<M, O>;

    fn model_config(&self) -> ModelConfig {
        self.config.clone()
    }

    fn image_shape(&self) -> ImageShape {
        self.shape
    }

    fn init(&self, noise: &mut dyn RandomSource, device: &Device) -> Result<M, ModelConfigError> {
        (self.build)(noise, device)
    }

    fn learner(
        &self,
        model: M,
        training: &TrainingConfig,
        terms: LossTerms<M>,
    ) -> SingleLearner<M, O> {
        SingleLearner {
            model,
            objective: self.objective.clone(),
            terms,
            optimizer: training.optimizer.init(false),
            training: training.clone(),
            completed_steps: 0,
        }
    }
}

/// A model, its objective and its optimiser.
pub struct SingleLearner<M, O> {
    /// The model, on an autodiff device.
    pub model: M,
    /// The objective to minimise.
    pub objective: O,
    terms: LossTerms<M>,
    optimizer: ModuleOptimizer,
    training: TrainingConfig,
    completed_steps: u64,
}

impl<M: Autoencoder + Module, O: Objective<M>> Learner for SingleLearner<M, O> {
    type Model = M;

    fn model(&self) -> &M {
        &self.model
    }

    fn training_step(
        mut self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>) {
        let device = shards[0].device();
        let precision = self.training.precision.reduced();
        let (gradients, losses) =
            on_replicas(&self.model, shards, precision, |_, model, images| {
                let losses = self
                    .objective
                    .losses(model, images, Mode::Train, noise, &self.terms);
                let gradients = GradientsParams::from_grads(losses.total().backward(), model);
                (gradients, losses.detach())
            })
            .into_iter()
            .unzip();
        let gradients = mean_gradients(&self.model, gradients, &device);
        self.completed_steps += 1;
        let training = &self.training;
        let gradients = training.clipped(&self.model, gradients);
        let rate = training.rate_factor(self.completed_steps) * training.learning_rate;
        self.model = self.optimizer.step(rate, self.model, gradients);
        self.objective.set_completed_steps(self.completed_steps);
        (self, NamedLosses::mean(losses))
    }

    fn evaluate(
        &self,
        model: &M,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>> {
        self.objective
            .losses(model, images, Mode::Evaluate, noise, &self.terms)
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut ModuleOptimizer)> {
        vec![("optimizer_main.bpk", &mut self.optimizer)]
    }

    fn set_completed_steps(&mut self, steps: u64) {
        self.completed_steps = steps;
        self.objective.set_completed_steps(steps);
    }

    fn set_training_images(&mut self, images: usize) {
        self.objective.set_training_images(images);
    }
}
