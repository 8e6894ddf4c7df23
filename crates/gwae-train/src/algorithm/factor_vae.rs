//! One training step of a FactorVAE: the autoencoder's step, then the critic's.

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use gwae_core::random::RandomSource;
use gwae_core::{Mode, NamedLosses};
use gwae_datasets::ImageShape;
use gwae_models::{
    FactorVae, FactorVaeConfig, FactorVaeObjective, LossTerms, ModelConfigError, ModelSettings,
};

use super::replicas::{mean_gradients, on_replicas};
use super::{Algorithm, Learner};
use crate::config::training::TrainingConfig;
use crate::model_config::ModelConfig;
use crate::optimizer::OptimizerConfig;
use crate::optimizer::adam::Adam;

/// Decay rates of the critic's Adam (Kim, Mnih, ICML 2018, appendix A).
const CRITIC_BETAS: [f64; 2] = [0.5, 0.9];

/// Trains a [`FactorVae`].
pub struct FactorVaeAlgorithm {
    settings: FactorVaeConfig,
}

impl FactorVaeAlgorithm {
    /// The algorithm for a model with these settings.
    pub fn new(settings: FactorVaeConfig) -> Self {
        Self { settings }
    }
}

impl Algorithm for FactorVaeAlgorithm {
    type Model = FactorVae;
    type Learner = FactorVaeLearner;

    fn model_config(&self) -> ModelConfig {
        self.settings.clone().into()
    }

    fn image_shape(&self) -> ImageShape {
        let backbone = &self.settings.backbone;
        ImageShape::square(backbone.image_size, backbone.channels)
    }

    fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<FactorVae, ModelConfigError> {
        self.settings.init(noise, device)
    }

    /// By default the optimisers are Adam for the autoencoder and, as published, Adam (0.5, 0.9) for
    /// the critic.
    fn learner(
        &self,
        model: FactorVae,
        training: &TrainingConfig,
        terms: LossTerms<FactorVae>,
    ) -> FactorVaeLearner {
        let of_critic = match training.critic_optimizer {
            OptimizerConfig::Official => OptimizerConfig::Adam(Adam {
                betas: CRITIC_BETAS,
                ..Adam::default()
            }),
            chosen => chosen,
        };
        FactorVaeLearner {
            model,
            objective: FactorVaeObjective {
                gamma: self.settings.gamma,
            },
            terms,
            main_optimizer: training.optimizer.init(false),
            critic_optimizer: of_critic.init(true),
            training: training.clone(),
            completed_steps: 0,
        }
    }
}

/// A FactorVAE with its optimisers.
pub struct FactorVaeLearner {
    model: FactorVae,
    objective: FactorVaeObjective,
    terms: LossTerms<FactorVae>,
    main_optimizer: ModuleOptimizer,
    critic_optimizer: ModuleOptimizer,
    training: TrainingConfig,
    completed_steps: u64,
}

/// The two batches of a step. The autoencoder trains on the first; the critic compares its codes with
/// exchanged codes of the second, so that no image is on both sides (Kim, Mnih, ICML 2018, algorithm
/// 2). Together they are the batch of the loop.
fn halves(images: &Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let count = images.dims()[0];
    let first = count.div_ceil(2);
    let second = images.clone().narrow(0, first, count - first);
    (images.clone().narrow(0, 0, first), second)
}

impl Learner for FactorVaeLearner {
    type Model = FactorVae;

    fn model(&self) -> &FactorVae {
        &self.model
    }

    /// `noise` is read for the autoencoder's step on each shard, then for the critic's on each.
    fn training_step(
        mut self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>) {
        let device = shards[0].device();
        let precision = self.training.precision.reduced();
        let mode = Mode::Train;
        let results = on_replicas(
            &self.model,
            shards.clone(),
            precision,
            |_, model, images| {
                let (first, _) = halves(&images);
                let (losses, codes) =
                    self.objective
                        .main_losses(model, first, mode, noise, &self.terms);
                let mut gradients = losses.total().backward();
                // The critic's own step follows.
                let of_vae = GradientsParams::from_module(&mut gradients, &model.vae);
                (of_vae, (losses.detach(), codes))
            },
        );
        let (gradients, results): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let (losses, codes): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let gradients = mean_gradients(&self.model, gradients, &device);
        self.completed_steps += 1;
        let gradients = self.training.clipped(&self.model, gradients);
        let factor = self.training.rate_factor(self.completed_steps);
        let rate = factor * self.training.learning_rate;
        self.model = self.main_optimizer.step(rate, self.model, gradients);

        let results = on_replicas(&self.model, shards, precision, |shard, model, images| {
            let (_, second) = halves(&images);
            let codes = codes[shard].clone();
            let loss = self
                .objective
                .critic_loss(model, codes, second, mode, noise);
            let mut gradients = loss.backward();
            let of_critic = GradientsParams::from_module(&mut gradients, &model.critic);
            (of_critic, loss.detach())
        });
        let (gradients, critic): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let gradients = mean_gradients(&self.model, gradients, &device);
        let gradients = self.training.clipped(&self.model, gradients);
        let rate = factor * self.training.critic_learning_rate;
        self.model = self.critic_optimizer.step(rate, self.model, gradients);

        let pairs = losses.into_iter().zip(critic);
        let losses = pairs.map(|(losses, critic)| losses.with("critic", critic));
        (self, NamedLosses::mean(losses.collect()))
    }

    fn evaluate(
        &self,
        model: &FactorVae,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>> {
        let (mode, (first, second)) = (Mode::Evaluate, halves(&images));
        let (losses, codes) = self
            .objective
            .main_losses(model, first, mode, noise, &self.terms);
        let critic = self
            .objective
            .critic_loss(model, codes, second, mode, noise);
        losses.with("critic", critic)
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut ModuleOptimizer)> {
        vec![
            ("optimizer_main.bpk", &mut self.main_optimizer),
            ("optimizer_critic.bpk", &mut self.critic_optimizer),
        ]
    }

    fn set_completed_steps(&mut self, steps: u64) {
        self.completed_steps = steps;
    }
}
