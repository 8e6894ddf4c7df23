//! Validations and what they lead to: the best checkpoint, pictures, the caller's look, final numbers.

use gwae_core::random::RandomSource;
use gwae_models::Autoencoder;

use super::Session;
use crate::algorithm::TrainingAlgorithm;
use crate::checkpoint::{KeepAs, Which};
use crate::evaluation::{reconstruction_psnr, validation_losses};
use crate::health::check_finite;
use crate::metrics_log::{MetricsLog, Phase};
use crate::named_losses::NamedLosses;
use crate::pictures::{Traversal, draw_reconstructions, draw_samples, draw_traversal};
use crate::progress::ValidationProgress;
use crate::session::error::TrainError;
use crate::session::{Probed, Stream, generator};

/// Images in the picture of reconstructions, and prior draws in that of samples.
const PICTURED: usize = 64;

/// What came of the last look at a model that was trained to its end.
pub(super) enum LastLook {
    /// It was validated, where there are images for it, and drawn.
    Done(Option<NamedLosses<f64>>),
    /// The user asked to stop before. Whoever does so does not want to wait for pictures; resuming
    /// the run makes up for it.
    Stopped,
}

impl<T: TrainingAlgorithm> Session<T> {
    /// Validates, draws the pictures and saves. Where an interruption is asked for meanwhile, the
    /// validation stays pending.
    pub(super) fn validate(&mut self) -> Result<(), TrainError> {
        if self.opened.split.validation.is_empty() {
            self.validation_pending = false;
            return self.save(KeepAs::Last);
        }
        let model = self.model_for_use();
        let Some(losses) = self.validation_losses(&model)? else {
            return Ok(());
        };
        self.validation_pending = false;
        let improved = self.early_stopping.update(self.step, *losses.total());
        self.record_validation(&losses, improved)?;
        let keep = self.keep_as(&losses);
        self.save(keep)?;
        let last = self.total_steps() == Some(self.step) || self.early_stopping.is_used_up();
        self.show(&model, last)?;
        self.validated = Some((self.step, losses));
        Ok(())
    }

    fn record_validation(
        &mut self,
        losses: &NamedLosses<f64>,
        improved: bool,
    ) -> Result<(), TrainError> {
        self.record(Phase::Validation, None, losses.named())?;
        let epoch = self.epoch();
        self.display.validation(&ValidationProgress {
            step: self.step,
            epoch,
            losses: losses.named(),
            improved,
        });
        Ok(())
    }

    /// `None` where the run was asked to stop before the end.
    fn validation_losses(&self, model: &T::Model) -> Result<Option<NamedLosses<f64>>, TrainError> {
        let device = self.plain_device();
        let trainer = self.trainer();
        let losses = validation_losses(
            trainer,
            model,
            &self.opened.data,
            &self.opened.split.validation,
            self.training().batch_size,
            generator(&self.opened.config, Stream::Validation),
            &device,
            &|| self.stop_requested(),
        )?;
        if let Some(losses) = &losses {
            check_finite(self.step, Phase::Validation, losses)?;
        }
        Ok(losses)
    }

    /// The best checkpoint is the one with the lowest validation loss of all that were saved.
    fn keep_as(&self, validation: &NamedLosses<f64>) -> KeepAs {
        let best = self.opened.checkpoints.entry(Which::Best);
        // An index that was lost and made anew does not know its loss.
        let known = self
            .early_stopping
            .best()
            .filter(|best| best.step != self.step);
        let known = known.map(|best| best.value);
        let best = best.and_then(|entry| entry.validation_loss.or(known));
        let validation_loss = *validation.total();
        match best {
            Some(best) if validation_loss >= best => KeepAs::Last,
            _ => KeepAs::LastAndBest { validation_loss },
        }
    }

    /// The validation losses of the last step, and the pictures. Where the run does not end on a
    /// validation, one is made for the record, but the patience does not count it: a run that is
    /// extended later stops where a longer one would have stopped.
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
        let losses = if self.opened.split.validation.is_empty() {
            None
        } else {
            let Some(losses) = self.validation_losses(&model)? else {
                return Ok(LastLook::Stopped);
            };
            if !self.is_recorded()? {
                let keep = self.keep_as(&losses);
                let improved = keep != KeepAs::Last;
                // Before the record: what is recorded is not made up for.
                if improved || !self.is_saved() {
                    self.save(keep)?;
                }
                self.record_validation(&losses, improved)?;
                self.log.sync()?;
            }
            Some(losses)
        };
        if !self.is_saved() {
            self.save(KeepAs::Last)?;
        }
        self.show(&model, true)?;
        Ok(LastLook::Done(losses))
    }

    /// Whether the log has a validation of this step, perhaps by a session before this one.
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
            &self.opened.split.test,
            &device,
        )?)
    }

    /// Draws the pictures and lets the probe look.
    fn show(&mut self, model: &T::Model, last: bool) -> Result<(), TrainError> {
        self.draw_pictures(model)?;
        self.let_the_probe_look(model, last)
    }

    pub(super) fn let_the_probe_look(
        &mut self,
        model: &T::Model,
        last: bool,
    ) -> Result<(), TrainError> {
        let Some(mut probe) = self.probe.take() else {
            return Ok(());
        };
        let step = self.step;
        let result = probe(&Probed {
            step,
            seconds: self.seconds(),
            model,
            last,
            data: &self.opened.data,
            split: &self.opened.split,
            device: &self.plain_device(),
        });
        self.probe = Some(probe);
        result.map_err(|error| TrainError::Probe { step, error })
    }

    /// Reconstructions, samples and a traversal with the present parameters; the noise and the
    /// images are the same every time, so pictures of different steps compare.
    fn draw_pictures(&self, model: &T::Model) -> Result<(), TrainError> {
        let device = self.plain_device();
        let split = &self.opened.split;
        let held_out = match split.held_out() {
            [] => &split.train,
            held_out => held_out,
        };
        let indices = &held_out[..held_out.len().min(PICTURED)];
        let images = self.opened.data.images(indices, &device)?;
        let mut noise = generator(&self.opened.config, Stream::Pictures);
        let noise: &mut dyn RandomSource = &mut noise;
        let directory = &self.opened.directory;
        draw_reconstructions(model, images.clone(), &directory.reconstructions())?;
        draw_samples(model, PICTURED, noise, &directory.samples())?;
        let traversal = Traversal::default();
        let start = model.code(images.narrow(0, 0, 1));
        draw_traversal(model, start, &traversal, noise, &directory.traversal())?;
        Ok(())
    }

    /// Whether this session begins at a step whose validation the last one made.
    pub(super) fn goes_on_from_a_validation(&self) -> bool {
        self.step > 0 && self.validates_now() && !self.opened.split.validation.is_empty()
    }
}
