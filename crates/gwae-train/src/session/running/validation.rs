//! Validations and what follows them: the best checkpoint, callbacks, final numbers.

use burn::tensor::Device;
use gwae_core::NamedLosses;

use super::{Session, tell};
use crate::algorithm::Learner;
use crate::callback::{Validation, View};
use crate::checkpoint::KeepAs;
use crate::evaluation::{reconstruction_psnr, validation_losses};
use crate::health::check_finite;
use crate::metrics_log::{MetricsLog, Phase};
use crate::session::error::TrainError;
use crate::session::stream::{Stream, generator};

/// The result of the final validation.
pub(super) enum LastLook {
    /// It was validated, if there are validation images, and the callbacks were called.
    Done(Option<NamedLosses<f64>>),
    /// The user asked to stop before it. It is then skipped, because it would delay the stop; a
    /// resumed run does it.
    Stopped,
}

impl<L: Learner> Session<L> {
    /// Validates, saves and informs the callbacks. If the user interrupts it, the validation stays
    /// pending.
    pub(super) fn validate(&mut self) -> Result<(), TrainError> {
        if self.opened.split.validation.is_empty() {
            self.validation_pending = false;
            return self.save(KeepAs::Last);
        }
        let model = self.model_for_use();
        let Some(losses) = self.validation_losses(&model)? else {
            return Ok(());
        };
        let monitored = self.monitored(&losses)?;
        // A session that was killed between record and checkpoint has recorded it.
        if !self.is_recorded()? {
            self.record(Phase::Validation, None, &losses)?;
        }
        let keep = self.keep_as(monitored);
        // Before it is recorded it stays pending: what is saved after a failure makes up for it.
        self.validation_pending = false;
        let improved = self.early_stopping.update(self.step, monitored);
        self.save(keep)?;
        let last = self.total_steps() == Some(self.step) || self.early_stopping.is_used_up();
        self.show(&model, last, Some(&losses), improved, false)?;
        self.validated = Some((self.step, losses));
        Ok(())
    }

    /// The value that decides which checkpoint is the best one.
    fn monitored(&self, losses: &NamedLosses<f64>) -> Result<f64, TrainError> {
        let named: Vec<_> = losses.named().map(|(name, value)| (name, *value)).collect();
        Ok(self.training().monitor.value(&named)?)
    }

    /// The losses of the validation images, followed by the callbacks' metrics; `None` if a stop
    /// was requested in between.
    fn validation_losses(
        &mut self,
        model: &L::Model,
    ) -> Result<Option<NamedLosses<f64>>, TrainError> {
        let device = self.plain_device();
        let learner = self.learner();
        let losses = validation_losses(
            learner,
            model,
            &self.opened.data,
            &self.opened.split.validation,
            self.training().batch_size,
            generator(&self.opened.config, Stream::Validation),
            &device,
            &|| self.stop_requested(),
        )?;
        let Some(mut losses) = losses else {
            return Ok(None);
        };
        check_finite(self.step, Phase::Validation, &losses)?;
        let (step, mut callbacks) = (self.step, std::mem::take(&mut self.callbacks));
        for callback in &mut callbacks {
            let metrics = callback.metrics(&self.view(model, false, &device));
            let metrics = metrics.map_err(|error| TrainError::of_callback(step, error))?;
            for (name, value) in metrics {
                losses = losses.with(name, value);
            }
        }
        self.callbacks = callbacks;
        Ok(Some(losses))
    }

    /// The best checkpoint has the best monitored value of all saved ones.
    fn keep_as(&self, monitored: f64) -> KeepAs {
        // A rebuilt index does not have the best value.
        let known = self
            .early_stopping
            .best()
            .filter(|best| best.step != self.step);
        let goal = self.training().monitor.goal;
        let known = known.map(|best| best.value);
        self.opened.checkpoints.keep_as(monitored, goal, known)
    }

    /// The validation losses of the last step, and the pictures. If the last step has no regular
    /// validation, one is made for the log. It does not count for the patience, so a run that is
    /// extended later stops at the same step as a longer one.
    pub(super) fn last_look(&mut self) -> Result<LastLook, TrainError> {
        if let Some((step, losses)) = self.validated.take()
            && step == self.step
        {
            return Ok(LastLook::Done(Some(losses)));
        }
        if self.stop_requested() {
            return Ok(LastLook::Stopped);
        }
        let model = self.model_for_use();
        let mut improved = false;
        let losses = if self.opened.split.validation.is_empty() {
            None
        } else {
            let Some(losses) = self.validation_losses(&model)? else {
                return Ok(LastLook::Stopped);
            };
            if !self.is_recorded()? {
                let keep = self.keep_as(self.monitored(&losses)?);
                improved = keep != KeepAs::Last;
                // Save before logging: once the log has the validation, a resumed run does not
                // repeat it.
                if improved || !self.is_saved() {
                    self.save(keep)?;
                }
                self.record(Phase::Validation, None, &losses)?;
                self.log.sync()?;
            }
            Some(losses)
        };
        if !self.is_saved() {
            self.save(KeepAs::Last)?;
        }
        self.show(&model, true, losses.as_ref(), improved, false)?;
        Ok(LastLook::Done(losses))
    }

    /// Whether the log has a validation of this step, perhaps from an earlier session.
    fn is_recorded(&self) -> Result<bool, TrainError> {
        let records = MetricsLog::read(&self.opened.directory.metrics())?;
        let mut of_this_step = records.iter().rev().filter(|r| r.step == self.step);
        Ok(of_this_step.any(|record| record.phase == Phase::Validation))
    }

    pub(super) fn final_psnr(&self) -> Result<Option<f64>, TrainError> {
        let device = self.plain_device();
        let model = self.model_for_use();
        Ok(reconstruction_psnr(
            &model,
            &self.opened.data,
            self.opened.split.held_out(),
            &device,
        )?)
    }

    /// Informs the callbacks of a validation.
    fn show(
        &mut self,
        model: &L::Model,
        last: bool,
        losses: Option<&NamedLosses<f64>>,
        improved: bool,
        repeated: bool,
    ) -> Result<(), TrainError> {
        let device = self.plain_device();
        let mut callbacks = std::mem::take(&mut self.callbacks);
        let validation = Validation {
            view: self.view(model, last, &device),
            epoch: self.epoch(),
            losses,
            improved,
            repeated,
        };
        let told = tell(&mut callbacks, self.step, |c| c.on_validation(&validation));
        self.callbacks = callbacks;
        self.told_to_stop |= told?;
        Ok(())
    }

    /// Informs the callbacks of a validation from the session before this one.
    pub(super) fn show_again(&mut self) -> Result<(), TrainError> {
        let model = self.model_for_use();
        self.show(&model, false, None, false, true)
    }

    fn view<'a>(
        &'a self,
        model: &'a L::Model,
        last: bool,
        device: &'a Device,
    ) -> View<'a, L::Model> {
        View {
            step: self.step,
            seconds: self.seconds(),
            model,
            last,
            data: &self.opened.data,
            split: &self.opened.split,
            device,
            directory: self.opened.directory.path(),
            config: &self.opened.config,
            run: &self.opened.directory,
        }
    }

    /// Whether this session begins at a step that the last session validated.
    pub(super) fn goes_on_from_a_validation(&self) -> bool {
        self.step > 0 && self.validates_now() && !self.opened.split.validation.is_empty()
    }
}
