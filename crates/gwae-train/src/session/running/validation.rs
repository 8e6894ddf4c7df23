//! Validations and what they lead to: the best checkpoint, pictures, the caller's look, final numbers.

use gwae_core::noise::NoiseSource;
use gwae_models::Autoencoder;

use super::Session;
use crate::algorithm::TrainingAlgorithm;
use crate::checkpoint::{KeepAs, Which};
use crate::evaluation::{reconstruction_psnr, validation_losses};
use crate::health::check_finite;
use crate::metrics_log::Phase;
use crate::named_losses::NamedLosses;
use crate::pictures::{Traversal, draw_reconstructions, draw_samples, draw_traversal};
use crate::progress::ValidationProgress;
use crate::session::error::TrainError;
use crate::session::{Probed, Stream, generator};

/// Images in the picture of reconstructions, and prior draws in that of samples.
const PICTURED: usize = 64;

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
        let best = best.and_then(|entry| entry.validation_loss);
        let validation_loss = *validation.total();
        match best {
            Some(best) if validation_loss >= best => KeepAs::Last,
            _ => KeepAs::LastAndBest { validation_loss },
        }
    }

    /// The validation losses of the last step. Where the run does not end on a validation, one is
    /// made for the record, but the patience does not count it: a run that is extended later
    /// stops where a longer one would have stopped.
    pub(super) fn final_validation(&mut self) -> Result<Option<NamedLosses<f64>>, TrainError> {
        let validation = match self.validated.take() {
            Some((step, losses)) if step == self.step => Some(losses),
            _ => {
                let model = self.model_for_use();
                let losses = match self.opened.split.validation.len() {
                    0 => None,
                    _ => self.validation_losses(&model)?,
                };
                if !self.is_saved()
                    && let Some(losses) = &losses
                {
                    let keep = self.keep_as(losses);
                    self.record_validation(losses, matches!(keep, KeepAs::LastAndBest { .. }))?;
                    self.save(keep)?;
                }
                self.show(&model, true)?;
                losses
            }
        };
        if !self.is_saved() {
            self.save(KeepAs::Last)?;
        }
        Ok(validation)
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
        let noise: &mut dyn NoiseSource = &mut noise;
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
