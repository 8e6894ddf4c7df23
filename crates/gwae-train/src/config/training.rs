//! The settings of the training.

use std::path::PathBuf;

use burn::module::Module;
use burn::optim::GradientsParams;
use gwae_datasets::config::zero_is_none;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use crate::monitor::MonitorConfig;
use crate::optimizer::OptimizerConfig;
use crate::optimizer::clipping::GradientClipping;
use crate::precision::Precision;
use crate::schedule::ScheduleConfig;

/// How a model is trained: the weights of the objective `L_GW + λ_W·L_W + λ_D·L_D + λ_H·L_H`, the
/// optimisers, and when to stop, validate and save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table: [training], with its fields in the lines below"
)]
pub struct TrainingConfig {
    /// Learning rate of encoder, decoder, prior and distance scale.
    pub learning_rate: f64,
    /// Learning rate of the critic.
    pub critic_learning_rate: f64,
    /// Steps over which both learning rates rise linearly to their values. The official program has
    /// no warm-up. Learning rates above 1e-4 need one, because the first RMSprop steps are ten
    /// times the learning rate.
    pub warmup_steps: u64,
    /// Optimiser of encoder, decoder, prior and distance scale, such as `"adam"` or
    /// `{ kind = "sgd", momentum = 0.9 }`.
    pub optimizer: OptimizerConfig,
    /// Optimiser of the critic; RMSprop by default, as in the authors' program.
    pub critic_optimizer: OptimizerConfig,
    /// Factor of both learning rates over the steps, in addition to the warm-up, such as
    /// `{ kind = "cosine", steps = 10000 }`.
    pub schedule: ScheduleConfig,
    /// Limit of the gradients of every optimiser, such as `{ norm = 1.0 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_clipping: Option<GradientClipping>,
    /// Share of the old value in the moving average of the parameters. Validation, pictures and
    /// later use take this average. 0.999 averages over the last thousand steps; 0 uses the
    /// parameters themselves (official). With an average, the batch statistics of encoder and
    /// decoder are those of the last steps.
    pub average_decay: f64,
    /// λ_W, the weight of the reconstruction loss.
    pub reconstruction_weight: f64,
    /// λ_D, the weight of the merged sufficient condition.
    pub merged_weight: f64,
    /// λ_H, the weight of the entropy regularisation.
    pub entropy_weight: f64,
    /// λ_GP, the weight of the gradient penalty in the critic's loss.
    pub gradient_penalty_weight: f64,
    /// Critic steps after every main step.
    pub critic_steps: usize,
    /// Images per step.
    pub batch_size: usize,
    /// Floating-point type of encoder and decoder during a step, if the device supports it.
    pub precision: Precision,
    /// Seed of every random draw: initialisation, noise and shuffling.
    pub seed: u64,
    /// Stop after this many main steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Stop after this many passes over the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// The quantity that decides which checkpoint is the best one: any loss of a validation, or a
    /// metric of a callback, such as `"reconstruction"` or `{ name = "psnr", goal = "highest" }`.
    pub monitor: MonitorConfig,
    /// Stop after this number of validations in a row without a better monitored value. In files, 0
    /// means never.
    #[serde(with = "zero_is_none")]
    pub patience: Option<u64>,
    /// Steps between validations; `None` (in files 0) validates after each epoch.
    #[serde(with = "zero_is_none")]
    pub validate_every: Option<u64>,
    /// Steps between checkpoints; `None` (in files 0) saves only after each validation and at the
    /// end.
    #[serde(with = "zero_is_none")]
    pub checkpoint_every: Option<u64>,
    /// Number of newest checkpoints to keep, besides the best one.
    pub keep_checkpoints: usize,
    /// Number of validations whose pictures are kept in `pictures/`; 0 keeps only the latest. With
    /// more validations, those that stay are spread evenly over the steps.
    pub keep_pictures: usize,
    /// A run directory whose best checkpoint is the model at the start, instead of a random one.
    /// The architecture must be the same; the optimisers start new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<PathBuf>,
    /// Steps between readings of the losses from the device. They are also read at validations,
    /// checkpoints and the end. A step reads nothing else back, so a GPU does not wait for the host
    /// in between. The losses of the newest step are shown and logged. All losses since the last
    /// reading are checked: they must be finite.
    pub log_every: u64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-4,
            critic_learning_rate: 1e-4,
            warmup_steps: 0,
            optimizer: OptimizerConfig::Official,
            critic_optimizer: OptimizerConfig::Official,
            schedule: ScheduleConfig::Constant,
            gradient_clipping: None,
            average_decay: 0.0,
            reconstruction_weight: 1.0,
            merged_weight: 1.0,
            entropy_weight: 0.03,
            gradient_penalty_weight: 10.0,
            critic_steps: 5,
            batch_size: 64,
            precision: Precision::Single,
            seed: 0,
            steps: None,
            epochs: None,
            monitor: MonitorConfig::default(),
            patience: Some(10),
            validate_every: None,
            checkpoint_every: Some(500),
            keep_checkpoints: 1,
            keep_pictures: 50,
            warm_start: None,
            log_every: 1,
        }
    }
}

/// Largest batch.
const MOST_IMAGES: usize = 1 << 14;

fn in_range(
    valid: bool,
    field: &'static str,
    value: impl ToString,
    allowed: &'static str,
) -> Result<(), ConfigError> {
    valid.then_some(()).ok_or_else(|| ConfigError::OutOfRange {
        field,
        value: value.to_string(),
        allowed,
    })
}

impl TrainingConfig {
    /// Every field with its explanation, for commented configurations.
    pub const EXPLANATIONS: [(&'static str, &'static str); 26] = [
        (
            "learning_rate",
            "Learning rate of encoder, decoder, prior and distance scale, above 0 and at most \
             1.",
        ),
        (
            "critic_learning_rate",
            "Learning rate of the critic. A model without a critic ignores it.",
        ),
        (
            "warmup_steps",
            "Steps over which both learning rates rise to their values. Rates above 1e-4 need \
             some, such as 200.",
        ),
        (
            "optimizer",
            "Optimiser: \"official\" (RMSprop with a critic, else Adam), \"rmsprop\", \"adam\", \
             \"adamw\" or \"sgd\". Options go into a table, such as { kind = \"sgd\", momentum = \
             0.9 }.",
        ),
        (
            "critic_optimizer",
            "Optimiser of the critic, with the same choices.",
        ),
        (
            "schedule",
            "Factor of both learning rates over the steps: \"constant\", or a table with kind = \
             \"linear\", \"cosine\", \"exponential\", \"step\" or \"noam\", such as { kind = \"cosine\", \
             steps = 10000 }.",
        ),
        (
            "gradient_clipping",
            "Limit of the gradients: { norm = 1.0 } of all together, or { value = 0.5 } of \
             each entry.",
        ),
        (
            "average_decay",
            "Share of the old value in a moving average of the parameters, which validation, \
             pictures and later use take: 0.999 averages over about 1000 steps, 0 takes the \
             parameters themselves.",
        ),
        (
            "reconstruction_weight",
            "Weight of the reconstruction loss; 0 leaves the term out.",
        ),
        (
            "merged_weight",
            "Weight of the merged sufficient condition, which compares codes with the prior.",
        ),
        ("entropy_weight", "Weight of the entropy regularisation."),
        (
            "gradient_penalty_weight",
            "Weight of the gradient penalty in the critic's loss.",
        ),
        (
            "critic_steps",
            "Steps of the critic after every step of the autoencoder.",
        ),
        (
            "batch_size",
            "Images per step, at least 2. The losses compare all pairs of a batch.",
        ),
        (
            "precision",
            "What encoder and decoder compute in during a step: \"single\", \"bf16\" or \"f16\".",
        ),
        (
            "seed",
            "Seed of everything random: first weights, noise, order of the images.",
        ),
        ("steps", "Stop after this many steps in all."),
        (
            "epochs",
            "Stop after this many passes over the training images in all.",
        ),
        (
            "monitor",
            "The number of a validation that tells which checkpoint is the best. The lowest \
             is best; { name = \"psnr\", goal = \"highest\" } takes the highest.",
        ),
        (
            "patience",
            "Stop after so many validations in a row without a better value; 0: never.",
        ),
        (
            "validate_every",
            "Steps from one validation to the next; 0: one after every epoch.",
        ),
        (
            "checkpoint_every",
            "Steps from one checkpoint to the next; 0: only after validations and at the end.",
        ),
        (
            "keep_checkpoints",
            "Newest checkpoints that are kept, beside the best one.",
        ),
        (
            "keep_pictures",
            "Validations whose pictures are kept in pictures/, evenly over the steps; 0: only the latest.",
        ),
        (
            "warm_start",
            "A run whose best model is the start, in place of a random one. The architecture \
             must be the same.",
        ),
        (
            "log_every",
            "Steps from one reading of the losses to the next. More lets a GPU wait less.",
        ),
    ];

    /// Factor of the learning rates in main step `step`, counted from 1: the warm-up times the
    /// schedule.
    pub fn rate_factor(&self, step: u64) -> f64 {
        let warmup = match step < self.warmup_steps {
            true => step as f64 / self.warmup_steps as f64,
            false => 1.0,
        };
        warmup * self.schedule.factor(step)
    }

    /// Limits the `gradients` of `module`, if the configuration has a limit.
    pub(crate) fn clipped<M: Module>(
        &self,
        module: &M,
        gradients: GradientsParams,
    ) -> GradientsParams {
        match &self.gradient_clipping {
            Some(clipping) => clipping.clip(module, gradients),
            None => gradients,
        }
    }

    /// Checks every field, for a model with or without a critic (`merged_condition`).
    ///
    /// # Errors
    ///
    /// The first field that is out of range.
    pub fn validate(&self, merged_condition: bool) -> Result<(), ConfigError> {
        for (field, value) in [
            ("training.learning_rate", self.learning_rate),
            ("training.critic_learning_rate", self.critic_learning_rate),
        ] {
            let allowed = "a positive number, at most 1 (official: 1e-4)";
            in_range(value > 0.0 && value <= 1.0, field, value, allowed)?;
        }
        for (field, value) in [
            ("training.reconstruction_weight", self.reconstruction_weight),
            ("training.merged_weight", self.merged_weight),
            ("training.entropy_weight", self.entropy_weight),
            (
                "training.gradient_penalty_weight",
                self.gradient_penalty_weight,
            ),
        ] {
            // The upper end keeps the weighted losses inside the range of f32.
            let allowed = "from 0 (term left out) to 1e9";
            in_range((0.0..=1e9).contains(&value), field, value, allowed)?;
        }
        self.optimizer.validate()?;
        self.critic_optimizer.validate()?;
        self.schedule.validate()?;
        if let Some(clipping) = &self.gradient_clipping {
            clipping.validate()?;
        }
        self.monitor.validate()?;
        in_range(
            (1..=10_000).contains(&self.keep_checkpoints),
            "training.keep_checkpoints",
            self.keep_checkpoints,
            "from 1 to 10000",
        )?;
        in_range(
            self.keep_pictures <= 10_000,
            "training.keep_pictures",
            self.keep_pictures,
            "at most 10000, such as 50; 0 keeps only the latest pictures",
        )?;
        in_range(
            (0.0..1.0).contains(&self.average_decay),
            "training.average_decay",
            self.average_decay,
            "at least 0 (no averaging) and below 1, such as 0.999",
        )?;
        in_range(
            (2..=MOST_IMAGES).contains(&self.batch_size),
            "training.batch_size",
            self.batch_size,
            "from 2 (the losses need the spread within a batch) to 16384 (they compare all pairs, so \
             each table of distances then takes 1 GiB)",
        )?;
        in_range(
            self.critic_steps <= 10_000,
            "training.critic_steps",
            self.critic_steps,
            "at most 10000 (official: 5)",
        )?;
        if merged_condition && self.critic_steps == 0 {
            return Err(ConfigError::OutOfRange {
                field: "training.critic_steps",
                value: "0".into(),
                allowed: "at least 1 while model.merged_condition = true; or set that to false",
            });
        }
        in_range(
            i64::try_from(self.seed).is_ok(),
            "training.seed",
            self.seed,
            "at most 9223372036854775807 (the largest integer that TOML has)",
        )?;
        in_range(
            self.log_every >= 1,
            "training.log_every",
            self.log_every,
            "at least 1 (log each step)",
        )?;
        for (field, value) in [
            ("training.steps", self.steps),
            ("training.epochs", self.epochs),
        ] {
            let allowed = "at least 1; leave it out for no limit";
            in_range(value != Some(0), field, 0, allowed)?;
        }
        for (field, value) in [
            ("training.patience", self.patience),
            ("training.validate_every", self.validate_every),
            ("training.checkpoint_every", self.checkpoint_every),
        ] {
            in_range(value != Some(0), field, 0, "at least 1, or None")?;
        }
        if self.steps.is_none() && self.epochs.is_none() && self.patience.is_none() {
            return Err(ConfigError::Conflict {
                field: "training.steps",
                problem: "the run would never end: set training.steps, training.epochs or \
                          training.patience",
            });
        }
        Ok(())
    }
}
