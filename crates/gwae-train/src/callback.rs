//! Callbacks: they see what a run does while it trains, and can take part in it.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use burn::tensor::Device;
use gwae_core::NamedLosses;
use gwae_datasets::Split;
use gwae_models::Autoencoder;

use crate::config::RunConfig;
use crate::data::RunData;
use crate::run_directory::RunDirectory;
use crate::session::stop_reason::StopReason;
use gwae_datasets::open::Preparation;

/// An error in a callback. It stops the run, which is saved first.
pub type CallbackError = Box<dyn Error>;

/// Whether a run continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Train on.
    Continue,
    /// Validate, save and end, as if all steps were done. The run can be resumed.
    Stop,
}

/// Takes part in a run. Every method has a default that does nothing.
///
/// `M` is the model, or `dyn Autoencoder` for callbacks that work with any model.
pub trait Callback<M: ?Sized> {
    /// Called while the images are checked or a faster copy of them is made, before the first step.
    fn on_preparation(&mut self, _preparation: &Preparation) {}

    /// Called once, before the first step.
    fn on_start(&mut self, _start: &Start<'_>) -> Result<Flow, CallbackError> {
        Ok(Flow::Continue)
    }

    /// Called after every step.
    fn on_step(&mut self, _step: &Step<'_>) -> Result<Flow, CallbackError> {
        Ok(Flow::Continue)
    }

    /// Numbers that this callback measures at a validation, by name. They are logged and plotted
    /// like the losses, and `training.monitor` can name one of them.
    fn metrics(&mut self, _view: &View<'_, M>) -> Result<Vec<(String, f64)>, CallbackError> {
        Ok(Vec::new())
    }

    /// Called after every validation, and after the last step.
    fn on_validation(&mut self, _validation: &Validation<'_, M>) -> Result<Flow, CallbackError> {
        Ok(Flow::Continue)
    }

    /// Called after every saved checkpoint.
    fn on_checkpoint(&mut self, _checkpoint: &Saved<'_>) -> Result<Flow, CallbackError> {
        Ok(Flow::Continue)
    }

    /// Called once, at the end, for any reason.
    fn on_end(&mut self, _end: &End<'_>) -> Result<(), CallbackError> {
        Ok(())
    }

    /// Called with any other message.
    fn on_message(&mut self, _text: &str) {}

    /// Whether the user asked, through this callback, to finish the step, save and return. The loop
    /// asks after every step and during validations.
    fn stop_requested(&self) -> bool {
        false
    }
}

/// A run that is about to begin or continue.
pub struct Start<'a> {
    /// Main steps already done, in a resumed run.
    pub first_step: u64,
    /// Main steps at the end, if known.
    pub total_steps: Option<u64>,
    /// Main steps per pass over the training data.
    pub steps_per_epoch: u64,
    /// The run directory.
    pub directory: &'a Path,
    /// The resolved configuration.
    pub config: &'a RunConfig,
}

/// A main step that was just done.
pub struct Step<'a> {
    /// Main steps done, from 1.
    pub step: u64,
    /// Pass over the training data, from 1.
    pub epoch: u64,
    /// Its losses, if this step read them from the device; see `training.log_every`.
    pub losses: Option<&'a NamedLosses<f64>>,
    /// Images per second, including all the work of a step.
    pub images_per_second: f64,
    /// Time until the last step, if known.
    pub remaining: Option<Duration>,
}

/// The model during its training.
pub struct View<'a, M: ?Sized> {
    /// Main steps done.
    pub step: u64,
    /// Seconds of training so far, including callbacks, without interruptions.
    pub seconds: f64,
    /// The model to use, without autodiff, with averaged parameters if the run keeps them.
    pub model: &'a M,
    /// Whether the training has ended.
    pub last: bool,
    /// The images of the run.
    pub data: &'a RunData,
    /// The division of the images.
    pub split: &'a Split,
    /// The device of the model, without autodiff.
    pub device: &'a Device,
    /// The run directory.
    pub directory: &'a Path,
    /// The resolved configuration.
    pub config: &'a RunConfig,
    /// The run, to notice that its directory was moved.
    pub(crate) run: &'a RunDirectory,
}

/// A validation that was just done.
pub struct Validation<'a, M: ?Sized> {
    /// The model.
    pub view: View<'a, M>,
    /// Pass over the training data, from 1.
    pub epoch: u64,
    /// Losses and metrics of the validation images; `None` for a run without validation images.
    pub losses: Option<&'a NamedLosses<f64>>,
    /// Whether the monitored value is the best so far.
    pub improved: bool,
    /// Whether the session before this one already showed this step, perhaps without finishing it.
    pub repeated: bool,
}

/// A checkpoint that was just saved.
pub struct Saved<'a> {
    /// Main steps done.
    pub step: u64,
    /// Its directory.
    pub directory: &'a Path,
    /// Whether it is the best one.
    pub best: bool,
}

/// The end of a session.
pub struct End<'a> {
    /// Why it ended.
    pub reason: StopReason,
    /// Number of main steps done.
    pub step: u64,
    /// The run directory.
    pub directory: &'a Path,
}

impl<M: ?Sized> View<'_, M> {
    fn of<'b, N: ?Sized>(&'b self, model: &'b N) -> View<'b, N> {
        View {
            step: self.step,
            seconds: self.seconds,
            model,
            last: self.last,
            data: self.data,
            split: self.split,
            device: self.device,
            directory: self.directory,
            config: self.config,
            run: self.run,
        }
    }
}

/// Wraps a callback for any model, to use it with one model.
pub struct ForAnyModel(pub Box<dyn Callback<dyn Autoencoder>>);

impl<M: Autoencoder + 'static> Callback<M> for ForAnyModel {
    fn on_preparation(&mut self, preparation: &Preparation) {
        self.0.on_preparation(preparation);
    }

    fn on_start(&mut self, start: &Start<'_>) -> Result<Flow, CallbackError> {
        self.0.on_start(start)
    }

    fn on_step(&mut self, step: &Step<'_>) -> Result<Flow, CallbackError> {
        self.0.on_step(step)
    }

    fn metrics(&mut self, view: &View<'_, M>) -> Result<Vec<(String, f64)>, CallbackError> {
        let model: &dyn Autoencoder = view.model;
        self.0.metrics(&view.of(model))
    }

    fn on_validation(&mut self, validation: &Validation<'_, M>) -> Result<Flow, CallbackError> {
        let model: &dyn Autoencoder = validation.view.model;
        self.0.on_validation(&Validation {
            view: validation.view.of(model),
            epoch: validation.epoch,
            losses: validation.losses,
            improved: validation.improved,
            repeated: validation.repeated,
        })
    }

    fn on_checkpoint(&mut self, checkpoint: &Saved<'_>) -> Result<Flow, CallbackError> {
        self.0.on_checkpoint(checkpoint)
    }

    fn on_end(&mut self, end: &End<'_>) -> Result<(), CallbackError> {
        self.0.on_end(end)
    }

    fn on_message(&mut self, text: &str) {
        self.0.on_message(text);
    }

    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }
}
