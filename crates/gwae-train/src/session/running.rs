//! The loop: steps, validations, checkpoints, and the end of a run.

mod validation;

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::NamedLosses;
use gwae_core::random::SeededGenerator;

use super::error::TrainError;
use super::opened::Opened;
use super::stop_reason::StopReason;
use super::summary::RunSummary;
use crate::algorithm::Learner;
use crate::averaging::ParameterAverage;
use crate::callback::{Callback, CallbackError, End, Flow, Saved, Start, Step};
use crate::checkpoint::{KeepAs, Which};
use crate::config::TrainingConfig;
use crate::data::upload_shards;
use crate::early_stopping::EarlyStopping;
use crate::health::{check_finite, parameters_are_finite};
use crate::interrupt::StopFlag;
use crate::metrics_log::{MetricsLog, MetricsRecord, Phase};
use crate::state::{TrainingState, averaged_model, save_state};
use validation::LastLook;

/// Most steps whose losses may stay on the device. More are read even if they are not due for the
/// log.
const MOST_UNREAD: usize = 1_000;

/// A run in progress.
pub(super) struct Session<L: Learner> {
    opened: Opened,
    /// `None` only while a step consumes it.
    learner: Option<L>,
    /// The average of the parameters, with `training.average_decay`.
    average: Option<ParameterAverage>,
    noise: SeededGenerator,
    early_stopping: EarlyStopping,
    /// Main steps done.
    step: u64,
    /// The step before the first of this session.
    first_step: u64,
    /// Seconds of training in earlier sessions.
    seconds_before: f64,
    began: Instant,
    /// The validation of this step was interrupted and still has to be done.
    validation_pending: bool,
    /// The newest validation and its step.
    validated: Option<(u64, NamedLosses<f64>)>,
    /// Losses that are still on the device, and their steps.
    unread: Vec<(u64, NamedLosses<Tensor<1>>)>,
    /// The newest losses read from the device.
    last_losses: Option<NamedLosses<f64>>,
    /// The step that was last logged, or the step before this session.
    reported_step: u64,
    log: MetricsLog,
    callbacks: Vec<Box<dyn Callback<L::Model>>>,
    /// Whether a callback asked to end the run.
    told_to_stop: bool,
    stop: StopFlag,
}

impl<L: Learner> Session<L> {
    pub(super) fn new(
        opened: Opened,
        mut learner: L,
        average: Option<ParameterAverage>,
        state: TrainingState,
        callbacks: Vec<Box<dyn Callback<L::Model>>>,
        stop: StopFlag,
    ) -> Result<Self, TrainError> {
        let patience = opened.config.training.patience;
        learner.set_training_images(opened.split.train.len());
        Ok(Self {
            learner: Some(learner),
            average,
            noise: SeededGenerator::from_state(&state.generator),
            early_stopping: EarlyStopping::resume(patience, state.early_stopping)
                .with_goal(opened.config.training.monitor.goal),
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
            callbacks,
            told_to_stop: false,
            stop,
            opened,
        })
    }

    pub(super) fn run(mut self) -> Result<RunSummary, TrainError> {
        self.began = Instant::now();
        let result = self.train().and_then(|reason| self.finish(reason));
        if result.is_err() {
            // This explains the other error, and whatever would be saved would go elsewhere.
            self.opened.directory.check_place()?;
        }
        if let Err(error) = &result
            && error.leaves_the_model_sound()
            && self.learner.is_some()
            && !self.is_saved()
            && self.report_steps().is_ok()
            && self.save(KeepAs::Last).is_ok()
        {
            let text = format!("what was trained so far is saved (step {})", self.step);
            tell_message(&mut self.callbacks, &text);
        }
        result
    }

    fn train(&mut self) -> Result<StopReason, TrainError> {
        let total_steps = self.total_steps();
        let start = Start {
            first_step: self.step,
            total_steps,
            steps_per_epoch: self.opened.batches.batches_per_epoch(),
            directory: self.opened.directory.path(),
            config: &self.opened.config,
        };
        let told = tell(&mut self.callbacks, self.step, |c| c.on_start(&start))?;
        self.told_to_stop |= told;
        if cfg!(debug_assertions) {
            tell_message(
                &mut self.callbacks,
                "this is a debug build, which trains up to six times slower: use --release",
            );
        }
        if self.step > 0 && !self.is_saved() {
            // After a resume from the best checkpoint, it becomes the last one too.
            self.save(KeepAs::Last)?;
        }
        let is_at_its_end =
            self.early_stopping.is_used_up() || total_steps.is_some_and(|total| self.step >= total);
        if self.validation_pending {
            self.validate()?;
        } else if self.goes_on_from_a_validation() && !is_at_its_end {
            // The last session may have ended after its checkpoint, but before its callbacks were
            // done.
            self.show_again()?;
        }
        loop {
            if self.early_stopping.is_used_up() {
                return Ok(StopReason::Converged);
            }
            if total_steps.is_some_and(|total| self.step >= total) {
                return Ok(StopReason::Finished);
            }
            if self.told_to_stop {
                return Ok(StopReason::Stopped);
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
            } else {
                if self.unread.len() >= MOST_UNREAD {
                    self.read_losses()?;
                }
                self.tell_step(None)?;
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
        let learner = self.learner.take().expect("put back after each step");
        let (learner, losses) = learner.training_step(shards, &mut self.noise);
        if let Some(average) = &mut self.average {
            average.update(learner.model());
        }
        self.learner = Some(learner);
        self.step += 1;
        self.validation_pending = self.validates_now();
        self.unread.push((self.step, losses));
        Ok(())
    }

    /// Reads the losses that are still on the device in one transfer, and checks all of them.
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

    /// Reads and checks the losses of the steps since the last reading, and logs and shows the
    /// newest.
    fn report_steps(&mut self) -> Result<(), TrainError> {
        self.read_losses()?;
        let Some(losses) = self.last_losses.clone() else {
            return Ok(());
        };
        if self.reported_step == self.step {
            return Ok(());
        }
        let images_per_second = self.images_per_second();
        self.record(Phase::Train, Some(images_per_second), &losses)?;
        self.reported_step = self.step;
        self.tell_step(Some(&losses))
    }

    fn tell_step(&mut self, losses: Option<&NamedLosses<f64>>) -> Result<(), TrainError> {
        let rate = self.images_per_second();
        let remaining = self.total_steps().and_then(|total| {
            let steps = total.saturating_sub(self.step) as f64;
            let seconds = steps * self.training().batch_size as f64 / rate;
            // For a limit that is never reached, the time may be too long for a `Duration`.
            Duration::try_from_secs_f64(seconds).ok()
        });
        let step = Step {
            step: self.step,
            epoch: self.epoch(),
            losses,
            images_per_second: rate,
            remaining,
        };
        self.told_to_stop |= tell(&mut self.callbacks, self.step, |c| c.on_step(&step))?;
        Ok(())
    }

    /// Mean over this session.
    fn images_per_second(&self) -> f64 {
        let done = (self.step - self.first_step) as f64;
        done * self.training().batch_size as f64 / self.began.elapsed().as_secs_f64()
    }

    fn save(&mut self, keep: KeepAs) -> Result<(), TrainError> {
        self.opened.directory.check_place()?;
        // Never save a model whose losses have not been checked.
        self.read_losses()?;
        if !parameters_are_finite(self.learner().model()) {
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
        let learner = self.learner.as_mut().expect("put back after each step");
        let average = self.average.as_ref();
        self.opened.checkpoints.save(self.step, keep, |files| {
            save_state(files, learner, average, &state)
        })?;
        self.opened.directory.check_place()?;
        self.opened.saved_step = Some(self.step);
        let Some(entry) = self.opened.checkpoints.entry(Which::Last) else {
            return Ok(());
        };
        let directory = self.opened.directory.checkpoints().join(&entry.directory);
        let saved = Saved {
            step: self.step,
            directory: &directory,
            best: keep != KeepAs::Last,
        };
        self.told_to_stop |= tell(&mut self.callbacks, self.step, |c| c.on_checkpoint(&saved))?;
        Ok(())
    }

    fn finish(&mut self, reason: StopReason) -> Result<RunSummary, TrainError> {
        self.report_steps()?;
        let seconds = self.seconds();
        let (reason, validation, test_psnr) = match reason {
            StopReason::Interrupted => (reason, None, None),
            StopReason::Finished | StopReason::Converged | StopReason::Stopped => {
                match self.last_look()? {
                    LastLook::Done(validation) => (reason, validation, self.final_psnr()?),
                    LastLook::Stopped => (StopReason::Interrupted, None, None),
                }
            }
        };
        if !self.is_saved() {
            self.save(KeepAs::Last)?;
        }
        self.opened.directory.check_place()?;
        let end = End {
            reason,
            step: self.step,
            directory: self.opened.directory.path(),
        };
        for callback in &mut self.callbacks {
            let result = callback.on_end(&end);
            result.map_err(|error| TrainError::of_callback(self.step, error))?;
        }
        Ok(RunSummary {
            directory: self.opened.directory.path().to_owned(),
            reason,
            step: self.step,
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
        losses: &NamedLosses<f64>,
    ) -> Result<(), TrainError> {
        let record = MetricsRecord {
            step: self.step,
            epoch: self.epoch(),
            phase,
            seconds: self.seconds(),
            images_per_second,
            losses: losses
                .named()
                .map(|(name, value)| (name.to_owned(), *value))
                .collect(),
        };
        Ok(self.log.append(&record)?)
    }

    /// Whether the last checkpoint was saved at this step.
    fn is_saved(&self) -> bool {
        self.opened.saved_step == Some(self.step)
    }

    /// The model for validation and pictures: without autodiff, and averaged if the run keeps
    /// averages.
    fn model_for_use(&self) -> L::Model {
        let model = self.learner().model();
        match &self.average {
            Some(average) => averaged_model(average, model),
            None => model.valid(),
        }
    }

    /// The device of the model, without autodiff.
    fn plain_device(&self) -> Device {
        self.opened.devices[0].clone().without_autodiff()
    }

    fn learner(&self) -> &L {
        self.learner.as_ref().expect("put back after each step")
    }

    fn training(&self) -> &TrainingConfig {
        &self.opened.config.training
    }

    fn stop_requested(&self) -> bool {
        self.stop.is_requested() || self.callbacks.iter().any(|c| c.stop_requested())
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

    /// The pass over the training data that contains the last step, from 1.
    fn epoch(&self) -> u64 {
        self.step.saturating_sub(1) / self.opened.batches.batches_per_epoch() + 1
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }
}

/// Informs every callback and returns whether one of them wants to end the run.
fn tell<M>(
    callbacks: &mut [Box<dyn Callback<M>>],
    step: u64,
    mut what: impl FnMut(&mut dyn Callback<M>) -> Result<Flow, CallbackError>,
) -> Result<bool, TrainError> {
    let mut stop = false;
    for callback in callbacks {
        let flow = what(callback.as_mut());
        stop |= flow.map_err(|error| TrainError::of_callback(step, error))? == Flow::Stop;
    }
    Ok(stop)
}

/// Gives every callback a message for the user.
pub(super) fn tell_message<M>(callbacks: &mut [Box<dyn Callback<M>>], text: &str) {
    for callback in callbacks {
        callback.on_message(text);
    }
}
