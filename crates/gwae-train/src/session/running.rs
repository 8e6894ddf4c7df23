//! The loop: steps, validations, checkpoints, and the end of a run.

mod validation;

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::random::SeededGenerator;

use super::error::TrainError;
use super::summary::{RunSummary, StopReason};
use super::{Opened, Probe, SessionOptions};
use crate::algorithm::TrainingAlgorithm;
use crate::averaging::ParameterAverage;
use crate::checkpoint::KeepAs;
use crate::config::TrainingConfig;
use crate::data::upload_shards;
use crate::early_stopping::EarlyStopping;
use crate::health::{check_finite, parameters_are_finite};
use crate::interrupt::StopFlag;
use crate::metrics_log::{MetricsLog, MetricsRecord, Phase};
use crate::named_losses::NamedLosses;
use crate::pictures::draw_losses;
use crate::progress::{ProgressDisplay, RunOutline, StepProgress};
use crate::state::{TrainingState, averaged_model, save_state};
use validation::LastLook;

/// Steps whose losses may be left on the device; more are read although they are not to be logged yet.
const MOST_UNREAD: usize = 1_000;

/// A run under way.
pub(super) struct Session<T: TrainingAlgorithm> {
    opened: Opened,
    /// Absent only while a step consumes it.
    trainer: Option<T>,
    /// With `training.average_decay`.
    average: Option<ParameterAverage>,
    noise: SeededGenerator,
    early_stopping: EarlyStopping,
    /// Main steps done.
    step: u64,
    /// The step that this session began after.
    first_step: u64,
    /// Seconds of training of the sessions before this one.
    seconds_before: f64,
    began: Instant,
    /// A validation is due at this step and was not done: an interruption came before its end.
    validation_pending: bool,
    /// The newest validation with its step.
    validated: Option<(u64, NamedLosses<f64>)>,
    /// Losses that are still on the device, with their steps.
    unread: Vec<(u64, NamedLosses<Tensor<1>>)>,
    /// The newest losses that were read.
    last_losses: Option<NamedLosses<f64>>,
    /// The step that was logged last, or that this session began after.
    reported_step: u64,
    log: MetricsLog,
    display: Box<dyn ProgressDisplay>,
    stop: StopFlag,
    probe: Option<Probe>,
}

impl<T: TrainingAlgorithm> Session<T> {
    pub(super) fn new(
        opened: Opened,
        trainer: T,
        average: Option<ParameterAverage>,
        state: TrainingState,
        options: SessionOptions,
    ) -> Result<Self, TrainError> {
        let patience = opened.config.training.patience;
        Ok(Self {
            trainer: Some(trainer),
            average,
            noise: SeededGenerator::from_state(&state.generator),
            early_stopping: EarlyStopping::resume(patience, state.early_stopping),
            step: state.step,
            first_step: state.step,
            seconds_before: state.seconds,
            began: Instant::now(),
            validation_pending: state.validation_pending,
            validated: None,
            unread: Vec::new(),
            last_losses: None,
            reported_step: state.step,
            log: MetricsLog::open(&opened.directory.metrics())?,
            display: options.display,
            stop: options.stop,
            probe: options.probe,
            opened,
        })
    }

    pub(super) fn run(mut self) -> Result<RunSummary, TrainError> {
        self.display.start(&RunOutline {
            first_step: self.step,
            total_steps: self.total_steps(),
            steps_per_epoch: self.opened.batches.batches_per_epoch(),
        });
        self.began = Instant::now();
        let result = self.train().and_then(|reason| self.finish(reason));
        if let Err(error) = &result
            && error.leaves_the_model_sound()
            && self.trainer.is_some()
            && !self.is_saved()
            && self.save(KeepAs::Last).is_ok()
        {
            let text = format!("what was trained so far is saved (step {})", self.step);
            self.display.message(&text);
        }
        result
    }

    fn train(&mut self) -> Result<StopReason, TrainError> {
        if self.step > 0 && !self.is_saved() {
            // Going on from the best checkpoint makes it the last one too.
            self.save(KeepAs::Last)?;
        }
        let total_steps = self.total_steps();
        let is_at_its_end =
            self.early_stopping.is_used_up() || total_steps.is_some_and(|total| self.step >= total);
        if self.validation_pending {
            self.validate()?;
        } else if self.goes_on_from_a_validation() && !is_at_its_end {
            // The last session may have ended between its checkpoint and the end of this look.
            self.let_the_probe_look(&self.model_for_use(), false)?;
        }
        loop {
            if self.early_stopping.is_used_up() {
                return Ok(StopReason::Converged);
            }
            if total_steps.is_some_and(|total| self.step >= total) {
                return Ok(StopReason::Finished);
            }
            if self.stop_requested() {
                return Ok(StopReason::Interrupted);
            }
            self.train_step()?;
            let validates = self.validates_now();
            let saves = validates || self.saves_now();
            let ends = total_steps == Some(self.step);
            let logs = self.step.is_multiple_of(self.training().log_every);
            if ends || saves || logs {
                self.report_steps()?;
            } else if self.unread.len() >= MOST_UNREAD {
                self.read_losses()?;
            }
            if validates {
                self.validate()?;
            } else if saves {
                self.save(KeepAs::Last)?;
            }
        }
    }

    fn train_step(&mut self) -> Result<(), TrainError> {
        let batch = self.opened.batches.next_batch()?;
        let shards = upload_shards(batch.images, batch.shape, &self.opened.devices);
        let trainer = self.trainer.take().expect("put back after each step");
        let (trainer, losses) = trainer.training_step(shards, &mut self.noise);
        if let Some(average) = &mut self.average {
            average.update(trainer.model());
        }
        self.trainer = Some(trainer);
        self.step += 1;
        self.validation_pending = self.validates_now();
        self.unread.push((self.step, losses));
        Ok(())
    }

    /// Reads the losses that are still on the device, in one transfer, and checks all of them.
    fn read_losses(&mut self) -> Result<(), TrainError> {
        let (steps, losses): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.unread).into_iter().unzip();
        let losses = NamedLosses::read_all(losses);
        for (step, losses) in steps.into_iter().zip(&losses) {
            check_finite(step, Phase::Train, losses)?;
        }
        if let Some(newest) = losses.into_iter().next_back() {
            self.last_losses = Some(newest);
        }
        Ok(())
    }

    /// Reads and checks the losses of the steps since the last time, and logs and shows those of
    /// the newest.
    fn report_steps(&mut self) -> Result<(), TrainError> {
        self.read_losses()?;
        let Some(losses) = self.last_losses.clone() else {
            return Ok(());
        };
        if self.reported_step == self.step {
            return Ok(());
        }
        self.reported_step = self.step;
        let elapsed = self.began.elapsed().as_secs_f64();
        let done = (self.step - self.first_step) as f64;
        let images_per_second = done * self.training().batch_size as f64 / elapsed;
        let remaining = self.total_steps().and_then(|total| {
            let steps = total.saturating_sub(self.step) as f64;
            // A limit that is never reached is longer than a duration can say.
            Duration::try_from_secs_f64(steps * elapsed / done).ok()
        });
        self.record(Phase::Train, Some(images_per_second), losses.named())?;
        let epoch = self.epoch();
        self.display.step(&StepProgress {
            step: self.step,
            epoch,
            losses: losses.named(),
            images_per_second,
            remaining,
        });
        Ok(())
    }

    fn save(&mut self, keep: KeepAs) -> Result<(), TrainError> {
        // Whatever brings it here: no model is saved whose losses nobody looked at.
        self.read_losses()?;
        if !parameters_are_finite(self.trainer().model()) {
            return Err(TrainError::BrokenParameters { step: self.step });
        }
        let state = TrainingState {
            step: self.step,
            position: self.opened.batches.position(),
            generator: self.noise.state(),
            early_stopping: self.early_stopping.state(),
            validation_pending: self.validation_pending,
            seconds: self.seconds(),
        };
        self.log.sync()?;
        let trainer = self.trainer.as_mut().expect("put back after each step");
        let average = self.average.as_ref();
        self.opened.checkpoints.save(self.step, keep, |files| {
            save_state(files, trainer, average, &state)
        })?;
        self.opened.saved_step = Some(self.step);
        Ok(())
    }

    fn finish(&mut self, reason: StopReason) -> Result<RunSummary, TrainError> {
        self.report_steps()?;
        let seconds = self.seconds();
        let (reason, validation, test_psnr) = match reason {
            StopReason::Interrupted => (reason, None, None),
            StopReason::Finished | StopReason::Converged => match self.last_look()? {
                LastLook::Done(validation) => (reason, validation, self.final_psnr()?),
                LastLook::Stopped => (StopReason::Interrupted, None, None),
            },
        };
        if !self.is_saved() {
            self.save(KeepAs::Last)?;
        }
        let records = MetricsLog::read(&self.opened.directory.metrics())?;
        // An interruption may come before the first step.
        if !records.is_empty() {
            draw_losses(&records, &self.opened.directory.losses())?;
        }
        let step = self.step;
        self.display.finish(&match reason {
            StopReason::Finished => format!("finished after step {step}"),
            StopReason::Converged => {
                format!("converged: no better validation loss for a while, after step {step}")
            }
            StopReason::Interrupted => format!("interrupted and saved after step {step}"),
        });
        Ok(RunSummary {
            directory: self.opened.directory.path().to_owned(),
            reason,
            step,
            seconds,
            test_psnr,
            training: self.last_losses.take(),
            validation,
        })
    }

    fn record(
        &mut self,
        phase: Phase,
        images_per_second: Option<f64>,
        named: &[(&str, f64)],
    ) -> Result<(), TrainError> {
        let record = MetricsRecord {
            step: self.step,
            epoch: self.epoch(),
            phase,
            seconds: self.seconds(),
            images_per_second,
            losses: named
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        };
        Ok(self.log.append(&record)?)
    }

    /// Whether the last checkpoint is of this step.
    fn is_saved(&self) -> bool {
        self.opened.saved_step == Some(self.step)
    }

    /// The model that validation and pictures take: without autodiff, averaged where the run says so.
    fn model_for_use(&self) -> T::Model {
        let model = self.trainer().model();
        match &self.average {
            Some(average) => averaged_model::<T>(average, model),
            None => model.valid(),
        }
    }

    /// The device of the model, without autodiff.
    fn plain_device(&self) -> Device {
        self.opened.devices[0].clone().without_autodiff()
    }

    fn trainer(&self) -> &T {
        self.trainer.as_ref().expect("put back after each step")
    }

    fn training(&self) -> &TrainingConfig {
        &self.opened.config.training
    }

    fn stop_requested(&self) -> bool {
        self.stop.is_requested() || self.display.stop_requested()
    }

    fn total_steps(&self) -> Option<u64> {
        let training = self.training();
        let of_epochs = training
            .epochs
            .map(|epochs| epochs.saturating_mul(self.opened.batches.batches_per_epoch()));
        match (training.steps, of_epochs) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn validates_now(&self) -> bool {
        let every = self.training().validate_every;
        self.step
            .is_multiple_of(every.unwrap_or(self.opened.batches.batches_per_epoch()))
    }

    fn saves_now(&self) -> bool {
        let every = self.training().checkpoint_every;
        every.is_some_and(|every| self.step.is_multiple_of(every))
    }

    /// Pass over the training data that the last step belongs to, from 1.
    fn epoch(&self) -> u64 {
        self.step.saturating_sub(1) / self.opened.batches.batches_per_epoch() + 1
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }
}
