//! A loss term of one's own, which is logged, plotted and shown by its name, and a callback that
//! writes a file and can stop the run.
//!
//! ```text
//! cargo run --release --example own_loss -- --out runs/own_loss --steps 1000
//! ```

use std::{error::Error, fs::File, io::Write, path::PathBuf, sync::Arc};

use clap::Parser;
use gwae::prelude::*;

/// Train a small GWAE with a loss term and a callback of its own.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example own_loss -- --out runs/own_loss --steps 1000")]
struct Arguments {
    /// Training steps in all.
    #[arg(long, default_value_t = 1_000)]
    steps: u64,
    /// Directory of the run; it must be new or empty.
    #[arg(long, default_value = "runs/own_loss")]
    out: PathBuf,
}

/// A step with a lower reconstruction loss than this is the last one.
const ENOUGH: f64 = 5.0;

/// Mean absolute difference of neighbouring pixels of the reconstructions.
struct Smoothness;

impl<M> LossTerm<M> for Smoothness {
    fn name(&self) -> &str {
        "smoothness"
    }

    fn loss(&self, forward: &Forward<'_, M>) -> Tensor<1> {
        let images = forward.reconstructed.clone();
        let width = images.dims()[3] - 1;
        let left = images.clone().narrow(3, 0, width);
        (images.narrow(3, 1, width) - left).abs().mean()
    }
}

/// Writes a line for every event into `journal.csv`, and stops the run when it is good enough.
struct Journal(Option<File>);

impl Journal {
    fn write(&mut self, line: String) -> Result<Flow, CallbackError> {
        writeln!(self.0.as_mut().ok_or("not started")?, "{line}")?;
        Ok(Flow::Continue)
    }
}

impl<M: Autoencoder> Callback<M> for Journal {
    fn on_start(&mut self, start: &Start<'_>) -> Result<Flow, CallbackError> {
        self.0 = Some(File::create(start.directory.join("journal.csv"))?);
        self.write("event,step,value".into())
    }

    fn on_step(&mut self, step: &Step<'_>) -> Result<Flow, CallbackError> {
        let loss = |name| step.losses.and_then(|losses| losses.get(name).copied());
        self.write(format!("smoothness,{},{:?}", step.step, loss("smoothness")))?;
        match loss("reconstruction") {
            Some(value) if value < ENOUGH => Ok(Flow::Stop),
            _ => Ok(Flow::Continue),
        }
    }

    /// A number that the log has beside the losses, and that `training.monitor` can name.
    fn metrics(&mut self, view: &View<'_, M>) -> Result<Vec<(String, f64)>, CallbackError> {
        let some = &view.split.validation[..16];
        let codes = view.model.encode(view.data.images(some, view.device)?);
        let variance = codes.var(0).mean().into_scalar::<f32>();
        Ok(vec![("code_variance".into(), variance.into())])
    }

    fn on_validation(&mut self, validation: &Validation<'_, M>) -> Result<Flow, CallbackError> {
        let step = validation.view.step;
        self.write(format!("improved,{step},{}", validation.improved))
    }

    fn on_checkpoint(&mut self, saved: &Saved<'_>) -> Result<Flow, CallbackError> {
        self.write(format!("saved,{},{}", saved.step, saved.best))
    }

    fn on_end(&mut self, end: &End<'_>) -> Result<(), CallbackError> {
        self.write(format!("end,{},{:?}", end.step, end.reason))?;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { steps, out } = Arguments::parse();
    compute_on_this_thread(None);
    let algorithm = GwaeAlgorithm::new(GwaeConfig::new(32, 1, 8));
    let trainer = Trainer::new(algorithm, Arc::new(embedded_digits()?))
        .steps(steps)
        .loss_term(0.5, Smoothness)
        .callback(Journal(None));
    println!("{}", trainer.progress().pictures().start(out)?);
    Ok(())
}
