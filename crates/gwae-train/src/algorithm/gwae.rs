//! One training step of a GWAE: the main step, then the critic steps.

use std::rc::Rc;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use gwae_core::random::RandomSource;
use gwae_core::{Mode, NamedLosses};
use gwae_datasets::ImageShape;
use gwae_models::{
    Autoencoder, ConvCritic, ConvDecoder, ConvEncoder, Critic, CriticTerms, Decoder, Encoder, Gwae,
    GwaeConfig, GwaeObjective, LossTerms, MainTerms, ModelConfigError, ModelSettings, PriorModule,
};
use gwae_priors::AnyPrior;

use super::replicas::{copies, mean_gradients, on_part_replicas, on_replicas};
use super::{Algorithm, Learner};
use crate::config::training::TrainingConfig;
use crate::model_config::{ModelConfig, OwnModel};

type Build<M> = Rc<dyn Fn(&mut dyn RandomSource, &Device) -> Result<M, ModelConfigError>>;

/// Trains a [`Gwae`] with any encoder, decoder, prior and critic.
pub struct GwaeAlgorithm<E = ConvEncoder, D = ConvDecoder, P = AnyPrior, C = ConvCritic>
where
    E: Module,
    D: Module,
    P: Module,
    C: Module,
{
    learned_similarity: bool,
    mixed_potential: bool,
    config: ModelConfig,
    shape: ImageShape,
    build: Build<Gwae<E, D, P, C>>,
}

impl GwaeAlgorithm {
    /// The algorithm for the paper's model with these settings.
    pub fn new(settings: GwaeConfig) -> Self {
        let backbone = &settings.backbone;
        Self {
            learned_similarity: settings.learned_similarity,
            mixed_potential: settings.mixed_potential,
            shape: ImageShape::square(backbone.image_size, backbone.channels),
            config: settings.clone().into(),
            build: Rc::new(move |noise, device| settings.init(noise, device)),
        }
    }
}

impl<E: Encoder, D: Decoder, P: PriorModule, C: Critic> GwaeAlgorithm<E, D, P, C> {
    /// The algorithm for a GWAE with the caller's own parts. `build` makes an untrained model and
    /// draws its parameters from the given random source. `own` describes the model in the run's
    /// configuration.
    pub fn own(
        own: OwnModel,
        build: impl Fn(&mut dyn RandomSource, &Device) -> Result<Gwae<E, D, P, C>, ModelConfigError>
        + 'static,
    ) -> Self {
        Self {
            learned_similarity: false,
            mixed_potential: false,
            shape: own.image_shape(),
            config: own.into(),
            build: Rc::new(build),
        }
    }

    /// Adds the critic's image features to the reconstruction loss.
    pub fn with_learned_similarity(mut self) -> Self {
        self.learned_similarity = true;
        self
    }

    /// Mixes the potential of autoencoded pairs into that of prior pairs.
    pub fn with_mixed_potential(mut self) -> Self {
        self.mixed_potential = true;
        self
    }
}

impl<E: Encoder, D: Decoder, P: PriorModule, C: Critic> Algorithm for GwaeAlgorithm<E, D, P, C> {
    type Model = Gwae<E, D, P, C>;
    type Learner = GwaeLearner<E, D, P, C>;

    fn model_config(&self) -> ModelConfig {
        self.config.clone()
    }

    fn image_shape(&self) -> ImageShape {
        self.shape
    }

    fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self::Model, ModelConfigError> {
        (self.build)(noise, device)
    }

    /// By default the optimisers are those of the official program: two RMSprop (α 0.99, ε 1e-8, no
    /// momentum) with a critic, one Adam (0.9, 0.999, 1e-8) without.
    fn learner(
        &self,
        model: Self::Model,
        training: &TrainingConfig,
        terms: LossTerms<Self::Model>,
    ) -> Self::Learner {
        let has_critic = model.critic.is_some();
        GwaeLearner {
            model,
            objective: GwaeObjective {
                reconstruction_weight: training.reconstruction_weight,
                merged_weight: training.merged_weight,
                entropy_weight: training.entropy_weight,
                gradient_penalty_weight: training.gradient_penalty_weight,
                learned_similarity: self.learned_similarity,
                mixed_potential: self.mixed_potential,
            },
            terms,
            main_optimizer: training.optimizer.init(has_critic),
            critic_optimizer: training.critic_optimizer.init(true),
            training: training.clone(),
            completed_steps: 0,
        }
    }
}

/// A GWAE with its optimisers.
pub struct GwaeLearner<E = ConvEncoder, D = ConvDecoder, P = AnyPrior, C = ConvCritic>
where
    E: Module,
    D: Module,
    P: Module,
    C: Module,
{
    /// The model, on an autodiff device.
    pub model: Gwae<E, D, P, C>,
    /// Weights and switches of the losses.
    pub objective: GwaeObjective,
    terms: LossTerms<Gwae<E, D, P, C>>,
    /// Optimiser of encoder, decoder, prior and distance scale.
    pub main_optimizer: ModuleOptimizer,
    /// Optimiser of the critic.
    pub critic_optimizer: ModuleOptimizer,
    training: TrainingConfig,
    completed_steps: u64,
}

impl<E: Encoder, D: Decoder, P: PriorModule, C: Critic> GwaeLearner<E, D, P, C> {
    /// Gradients and terms of the main step on every replica; the terms are detached.
    fn main_gradients(
        &self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Vec<GradientsParams>, Vec<MainTerms>) {
        let precision = self.training.precision.reduced();
        on_replicas(&self.model, shards, precision, |_, model, images| {
            let mode = Mode::Train;
            let terms = self
                .objective
                .main_terms(model, images, mode, noise, &self.terms);
            let gradients = GradientsParams::from_grads(terms.losses.total().backward(), model);
            (gradients, terms.detach())
        })
        .into_iter()
        .unzip()
    }

    /// Does the critic steps and returns the terms of the last one on every replica.
    fn critic_phase(
        mut self,
        shards: Vec<Tensor<4>>,
        factor: f64,
        noise: &mut dyn RandomSource,
    ) -> (Self, Vec<CriticTerms>) {
        let device = shards[0].device();
        // Training mode without gradients: batch statistics move, and the original shares them. The
        // copies have no critic, because a critic with two owners could not be updated in place.
        let critic = self.model.critic.take();
        let mut frozen = vec![self.model.clone()];
        frozen.extend(copies(&self.model, &shards));
        let precision = self.training.precision.reduced();
        let frozen: Vec<_> = frozen
            .into_iter()
            .map(|model| match precision {
                Some(dtype) => model.networks_in_precision(dtype).no_grad(),
                None => model.no_grad(),
            })
            .collect();
        self.model.critic = critic;
        let of_shards = frozen.iter().zip(&shards);
        let posteriors: Vec<_> = of_shards
            .map(|(model, images)| model.encoder.encode(images.clone(), Mode::Train))
            .collect();
        let mut last = Vec::new();
        let learning_rate = factor * self.training.critic_learning_rate;
        for _ in 0..self.training.critic_steps {
            let critic = self.model.critic.as_ref().expect("called with a critic");
            let shards = shards.clone();
            let (gradients, terms) = on_part_replicas(critic, shards, |k, critic, images| {
                let (model, posterior) = (&frozen[k], &posteriors[k]);
                let mode = Mode::Train;
                let terms = self
                    .objective
                    .critic_terms(model, critic, images, posterior, mode, noise);
                let gradients = GradientsParams::from_grads(terms.loss.total.backward(), critic);
                (gradients, terms)
            })
            .into_iter()
            .unzip();
            let gradients = mean_gradients(critic, gradients, &device);
            let gradients = self.training.clipped(critic, gradients);
            self.model = self
                .critic_optimizer
                .step(learning_rate, self.model, gradients);
            last = terms;
        }
        (self, last)
    }
}

impl<E: Encoder, D: Decoder, P: PriorModule, C: Critic> Learner for GwaeLearner<E, D, P, C> {
    type Model = Gwae<E, D, P, C>;

    fn model(&self) -> &Self::Model {
        &self.model
    }

    /// One main step and its critic steps.
    /// `noise` is read in the official order. The main step reads ε, then the prior's draws. Every
    /// critic step reads ε, the prior's draws and the interpolation.
    fn training_step(
        mut self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>) {
        let device = shards[0].device();
        let (gradients, main) = self.main_gradients(shards.clone(), noise);
        let gradients = mean_gradients(&self.model, gradients, &device);
        self.completed_steps += 1;
        let gradients = self.training.clipped(&self.model, gradients);
        let factor = self.training.rate_factor(self.completed_steps);
        let learning_rate = factor * self.training.learning_rate;
        self.model = self
            .main_optimizer
            .step(learning_rate, self.model, gradients);

        let mut critic = Vec::new();
        if self.model.critic.is_some() {
            (self, critic) = self.critic_phase(shards, factor, noise);
        }
        let coefficient = self.model.log_distance_coefficient.val().detach().exp();
        let mut critic = critic.into_iter();
        let losses = main
            .into_iter()
            .map(|terms| terms.with_critic(critic.next(), coefficient.clone()));
        // All replicas share this number. Taking a mean would only round it.
        let losses =
            NamedLosses::mean(losses.collect()).replaced("distance_coefficient", coefficient);
        (self, losses)
    }

    fn evaluate(
        &self,
        model: &Self::Model,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>> {
        self.objective.evaluate(model, images, noise, &self.terms)
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut ModuleOptimizer)> {
        let mut optimizers = vec![("optimizer_main.bpk", &mut self.main_optimizer)];
        if self.model.critic.is_some() {
            optimizers.push(("optimizer_critic.bpk", &mut self.critic_optimizer));
        }
        optimizers
    }

    fn set_completed_steps(&mut self, steps: u64) {
        self.completed_steps = steps;
    }
}
