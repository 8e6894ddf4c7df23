//! A progress display as a callback.

use super::{ProgressDisplay, RunOutline, StepProgress, ValidationProgress};
use crate::callback::{Callback, CallbackError, End, Flow, Start, Step, Validation};
use crate::session::stop_reason::StopReason;
use gwae_datasets::open::Preparation;

/// Shows a run on a [`ProgressDisplay`].
pub struct Progress(pub Box<dyn ProgressDisplay>);

impl<M: ?Sized> Callback<M> for Progress {
    fn on_preparation(&mut self, preparation: &Preparation) {
        self.0.preparation(preparation);
    }

    fn on_start(&mut self, start: &Start<'_>) -> Result<Flow, CallbackError> {
        self.0.start(&RunOutline {
            first_step: start.first_step,
            total_steps: start.total_steps,
            steps_per_epoch: start.steps_per_epoch,
        });
        Ok(Flow::Continue)
    }

    fn on_step(&mut self, step: &Step<'_>) -> Result<Flow, CallbackError> {
        if let Some(losses) = step.losses {
            let losses: Vec<_> = losses.named().map(|(name, value)| (name, *value)).collect();
            self.0.step(&StepProgress {
                step: step.step,
                epoch: step.epoch,
                losses: &losses,
                images_per_second: step.images_per_second,
                remaining: step.remaining,
            });
        }
        Ok(Flow::Continue)
    }

    fn on_validation(&mut self, validation: &Validation<'_, M>) -> Result<Flow, CallbackError> {
        if let (Some(losses), false) = (validation.losses, validation.repeated) {
            let losses: Vec<_> = losses.named().map(|(name, value)| (name, *value)).collect();
            self.0.validation(&ValidationProgress {
                step: validation.view.step,
                epoch: validation.epoch,
                losses: &losses,
                improved: validation.improved,
            });
        }
        Ok(Flow::Continue)
    }

    fn on_end(&mut self, end: &End<'_>) -> Result<(), CallbackError> {
        let step = end.step;
        self.0.finish(&match end.reason {
            StopReason::Finished => format!("finished after step {step}"),
            StopReason::Converged => {
                format!("converged: no better validation for a while, after step {step}")
            }
            StopReason::Stopped => format!("stopped by a callback after step {step}"),
            StopReason::Interrupted => format!("interrupted and saved after step {step}"),
        });
        Ok(())
    }

    fn on_message(&mut self, text: &str) {
        self.0.message(text);
    }

    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }
}
