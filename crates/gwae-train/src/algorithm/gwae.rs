//! One training step of a GWAE: the main step, then the critic steps.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::random::{RandomSource, SeededGenerator};
use gwae_core::{Mode, latent_scale};
use gwae_models::{Gwae, GwaeConfig, ModelConfigError};
use gwae_priors::Prior;

use super::replicas::{copies, lowered, mean_gradients, on_replicas};
use super::{CriticTerms, GwaeObjective, MainTerms, TrainingAlgorithm, warmup};
use crate::adam::Adam;
use crate::config::TrainingConfig;
use crate::losses::{CriticLosses, Losses};
use crate::named_losses::NamedLosses;
use crate::precision::Precision;
use crate::rms_prop::RmsProp;

/// Batches of prior codes that bring the statistics of the prior's batch norm to replaced parameters:
/// each halves what is left of the old ones.
const SETTLING_BATCHES: usize = 12;

/// Codes in each of these batches.
const SETTLING_BATCH: usize = 512;

/// Power iterations that bring the singular vectors to replaced weights.
const SETTLING_ITERATIONS: usize = 20;

/// A GWAE with its optimisers. A step consumes the trainer and returns it, as Burn's
/// optimisers do with modules.
pub struct GwaeTrainer {
    /// The model, on an autodiff device.
    pub model: Gwae,
    /// Weights and switches of the losses.
    pub objective: GwaeObjective,
    /// Optimiser of encoder, decoder, prior and distance scale.
    pub main_optimizer: ModuleOptimizer,
    /// Optimiser of the critic.
    pub critic_optimizer: ModuleOptimizer,
    precision: Precision,
    learning_rate: f64,
    critic_learning_rate: f64,
    critic_steps: usize,
    warmup_steps: u64,
    /// Steps done so far; the warm-up of the learning rates depends on it.
    pub completed_steps: u64,
}

impl GwaeTrainer {
    /// Optimisers for `model` as the official program sets them up: two RMSprop (α 0.99,
    /// ε 1e-8, no momentum) with a critic, one Adam (0.9, 0.999, 1e-8) without.
    pub fn new(model: Gwae, config: &GwaeConfig, training: &TrainingConfig) -> Self {
        let main_optimizer = match model.critic {
            Some(_) => RmsProp::init(),
            None => Adam::init(),
        };
        Self {
            model,
            objective: GwaeObjective::new(config, training),
            main_optimizer,
            critic_optimizer: RmsProp::init(),
            precision: training.precision,
            learning_rate: training.learning_rate,
            critic_learning_rate: training.critic_learning_rate,
            critic_steps: training.critic_steps,
            warmup_steps: training.warmup_steps,
            completed_steps: 0,
        }
    }

    /// One main step and its critic steps on one batch of images.
    ///
    /// `noise` is asked in the official order: for the main step ε, then the prior's draws; for
    /// every critic step ε, the prior's draws and the interpolation.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`, at least two of them, on the
    ///   model's autodiff device
    pub fn step(
        self,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> (Self, Losses<Tensor<1>>) {
        self.step_on_shards(vec![images], noise)
    }

    /// The same on a batch in shards, each on the device that computes it; see
    /// [`TrainingAlgorithm::training_step`].
    ///
    /// # Panics
    /// Without a shard.
    pub fn step_on_shards(
        mut self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, Losses<Tensor<1>>) {
        let device = shards[0].device();
        let (gradients, main) = self.main_gradients(shards.clone(), noise);
        let gradients = mean_gradients(&self.model, gradients, &device);
        let warmup = warmup(self.completed_steps + 1, self.warmup_steps);
        let learning_rate = warmup * self.learning_rate;
        self.model = self
            .main_optimizer
            .step(learning_rate, self.model, gradients);

        let mut critic = Vec::new();
        if self.model.critic.is_some() {
            (self, critic) = self.critic_phase(shards, warmup, noise);
        }
        self.completed_steps += 1;
        let coefficient = self.model.log_distance_coefficient.val().detach().exp();
        let mut critic = critic.into_iter();
        let losses = main.into_iter().map(|terms| {
            let (mut encoded, mut prior) = (terms.encoded, terms.prior);
            let critic = critic.next().map(|last| {
                (encoded, prior) = (last.encoded.clone(), last.prior.clone());
                last.into_losses()
            });
            Losses {
                total: terms.total,
                gw: terms.gw,
                reconstruction: terms.reconstruction,
                merged: terms.merged,
                entropy: terms.entropy,
                critic,
                distance_coefficient: coefficient.clone(),
                encoded_scale: latent_scale(encoded.detach()),
                prior_scale: latent_scale(prior.detach()),
            }
        });
        let losses = Losses {
            // One number that all replicas share, and no mean rounds.
            distance_coefficient: coefficient.clone(),
            ..Losses::mean(losses.collect())
        };
        (self, losses)
    }

    /// Gradients and terms of the main step on every replica; the terms are detached.
    fn main_gradients(
        &self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Vec<GradientsParams>, Vec<MainTerms>) {
        let dtype = self.precision.reduced();
        let lower = dtype.map(|dtype| move |model| lowered_networks(model, dtype));
        let lower = lower.as_ref().map(|lower| lower as &dyn Fn(_) -> _);
        on_replicas(&self.model, shards, lower, |_, model, images| {
            let terms = self.objective.main_terms(model, images, Mode::Train, noise);
            let gradients = GradientsParams::from_grads(terms.total.backward(), model);
            (gradients, terms.detach())
        })
        .into_iter()
        .unzip()
    }

    /// The critic steps; returns the terms of the last one on every replica.
    fn critic_phase(
        mut self,
        shards: Vec<Tensor<4>>,
        warmup: f64,
        noise: &mut dyn RandomSource,
    ) -> (Self, Vec<CriticTerms>) {
        let device = shards[0].device();
        // Training behaviour without gradients: batch statistics move (the running states are
        // shared with the original) and nothing is recorded. Without the critic, which would
        // otherwise be held twice and could not be updated in place.
        let critic = self.model.critic.take();
        let mut frozen = vec![self.model.clone()];
        frozen.extend(copies(&self.model, &shards));
        let dtype = self.precision.reduced();
        let frozen: Vec<Gwae> = frozen
            .into_iter()
            .map(|model| match dtype {
                Some(dtype) => lowered_networks(model, dtype).no_grad(),
                None => model.no_grad(),
            })
            .collect();
        self.model.critic = critic;
        let of_shards = frozen.iter().zip(&shards);
        let posteriors: Vec<_> = of_shards
            .map(|(model, images)| model.encoder.forward(images.clone(), Mode::Train))
            .collect();
        let mut last = Vec::new();
        let learning_rate = warmup * self.critic_learning_rate;
        for _ in 0..self.critic_steps {
            let critic = self.model.critic.as_ref().expect("called with a critic");
            let shards = shards.clone();
            let (gradients, terms) = on_replicas(critic, shards, None, |k, critic, images| {
                let (model, posterior) = (&frozen[k], &posteriors[k]);
                let terms = self.objective.critic_terms(
                    model,
                    critic,
                    images,
                    posterior,
                    Mode::Train,
                    noise,
                );
                let gradients = GradientsParams::from_grads(terms.loss.total.backward(), critic);
                (gradients, terms)
            })
            .into_iter()
            .unzip();
            let gradients = mean_gradients(critic, gradients, &device);
            self.model = self
                .critic_optimizer
                .step(learning_rate, self.model, gradients);
            last = terms;
        }
        (self, last)
    }

    /// The losses of a batch in evaluation mode; nothing moves.
    ///
    /// `model` is a plain copy ([`Module::valid`]) of the trainer's, so that a validation over
    /// many batches makes one copy. The noise is asked as in a step with one critic step.
    pub fn evaluate(
        objective: &GwaeObjective,
        model: &Gwae,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> Losses<Tensor<1>> {
        let terms = objective.main_terms(model, images.clone(), Mode::Evaluate, noise);
        let (mut encoded, mut prior) = (terms.encoded, terms.prior);
        let critic = model.critic.as_ref().map(|critic| {
            let posterior = model.encode(images.clone());
            let mode = Mode::Evaluate;
            let terms = objective.critic_terms(model, critic, images, &posterior, mode, noise);
            (encoded, prior) = (terms.encoded.clone(), terms.prior.clone());
            terms.into_losses()
        });
        Losses {
            total: terms.total,
            gw: terms.gw,
            reconstruction: terms.reconstruction,
            merged: terms.merged,
            entropy: terms.entropy,
            critic,
            distance_coefficient: model.log_distance_coefficient.val().exp(),
            encoded_scale: latent_scale(encoded),
            prior_scale: latent_scale(prior),
        }
    }
}

/// The model with the weights of encoder and decoder rounded to `dtype`, for one step. Not the
/// critic's: with the 8 bits of bfloat16 its gradient penalty stays an order of magnitude larger.
fn lowered_networks(mut model: Gwae, dtype: FloatDType) -> Gwae {
    model.encoder = lowered(model.encoder, dtype);
    model.decoder = lowered(model.decoder, dtype);
    model
}

impl TrainingAlgorithm for GwaeTrainer {
    type Config = GwaeConfig;
    type Model = Gwae;

    fn build(
        config: &GwaeConfig,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Gwae, ModelConfigError> {
        Gwae::new(config, noise, device)
    }

    fn new(model: Gwae, config: &GwaeConfig, training: &TrainingConfig) -> Self {
        Self::new(model, config, training)
    }

    fn model(&self) -> &Gwae {
        &self.model
    }

    fn training_step(
        self,
        shards: Vec<Tensor<4>>,
        noise: &mut dyn RandomSource,
    ) -> (Self, NamedLosses<Tensor<1>>) {
        let (trainer, losses) = self.step_on_shards(shards, noise);
        (trainer, losses.into())
    }

    fn evaluate(
        &self,
        model: &Gwae,
        images: Tensor<4>,
        noise: &mut dyn RandomSource,
    ) -> NamedLosses<Tensor<1>> {
        Self::evaluate(&self.objective, model, images, noise).into()
    }

    /// The singular vectors of the critic's layers are those of the last weights, not of the average;
    /// with them the norms come out too small and the layers too large. The statistics of the prior's
    /// batch norm are those of the last two batches of the sampler as it was.
    fn settle_buffers(model: &Gwae) {
        let mut noise = SeededGenerator::new(0, 0);
        let device = model.log_distance_coefficient.val().device();
        for _ in 0..SETTLING_BATCHES {
            model
                .prior
                .sample(SETTLING_BATCH, Mode::Train, &mut noise, &device);
        }
        if let Some(critic) = &model.critic {
            for _ in 0..SETTLING_ITERATIONS {
                critic.normalise(Mode::Train);
            }
        }
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

impl MainTerms {
    /// The same values without a gradient.
    fn detach(self) -> Self {
        Self {
            total: self.total.detach(),
            gw: self.gw.detach(),
            reconstruction: self.reconstruction.detach(),
            merged: self.merged.detach(),
            entropy: self.entropy.detach(),
            encoded: self.encoded.detach(),
            prior: self.prior.detach(),
        }
    }
}

impl CriticTerms {
    fn into_losses(self) -> CriticLosses<Tensor<1>> {
        CriticLosses {
            total: self.loss.total.detach(),
            potential: self.loss.potential.detach(),
            gradient_penalty: self.loss.penalty.detach(),
            potential_encoded: self.potential_encoded.mean().detach(),
            potential_prior: self.potential_prior.mean().detach(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::{ModuleVisitor, Param};
    use gwae_core::random::uniform_tensor;
    use gwae_priors::PriorConfig;

    fn config() -> GwaeConfig {
        GwaeConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 4,
            width: 0.1,
            batchnorm: true,
            prior: PriorConfig::FactorizedNeural,
            ..GwaeConfig::default()
        }
    }

    /// The gradient of the main step on two shards, in one row.
    fn gradient(precision: Precision) -> Vec<f64> {
        struct Read(GradientsParams, Vec<f64>);
        impl ModuleVisitor for Read {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(gradient) = self.0.get::<D>(param.id) {
                    assert_eq!(gradient.dtype(), param.val().dtype());
                    self.1.extend(gradient.into_data().iter::<f64>());
                }
            }
        }
        let device = Device::flex().autodiff();
        let config = config();
        let training = TrainingConfig {
            precision,
            ..TrainingConfig::default()
        };
        let model = Gwae::new(&config, &mut SeededGenerator::new(5, 0), &device).unwrap();
        let trainer = GwaeTrainer::new(model, &config, &training);
        let noise = &mut SeededGenerator::new(2, 0);
        let shards = (0..2).map(|_| uniform_tensor(noise, [8, 1, 32, 32], &device));
        let shards = shards.collect();
        let (gradients, _) = trainer.main_gradients(shards, noise);
        let mean = mean_gradients(&trainer.model, gradients, &device);
        let mut read = Read(mean, Vec::new());
        trainer.model.visit(&mut read);
        read.1
    }

    /// Unit roundoffs are 2⁻⁹ and 2⁻¹²; a pass through some ten layers and back gathers a few of them.
    #[test]
    fn gradients_in_reduced_precision_are_off_by_some_roundings() {
        let single = gradient(Precision::Single);
        let size: f64 = single.iter().map(|value| value * value).sum();
        for (precision, roundoff) in [
            (Precision::Bf16, 2f64.powi(-9)),
            (Precision::F16, 2f64.powi(-12)),
        ] {
            let reduced = gradient(precision);
            assert_eq!(reduced.len(), single.len());
            let difference = single.iter().zip(&reduced).map(|(a, b)| (a - b).powi(2));
            let relative = (difference.sum::<f64>() / size).sqrt();
            assert!(relative > 0.1 * roundoff, "{precision}: {relative}");
            assert!(relative < 20.0 * roundoff, "{precision}: {relative}");
        }
    }
}
