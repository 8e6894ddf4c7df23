//! What a run came to.

use std::fmt;
use std::path::PathBuf;

use crate::named_losses::NamedLosses;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// All steps are done.
    Finished,
    /// The validation loss no longer fell.
    Converged,
    /// The user asked for it.
    Interrupted,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The run directory.
    pub directory: PathBuf,
    /// Why it ended.
    pub reason: StopReason,
    /// Main steps done.
    pub step: u64,
    /// Seconds of training, interruptions left out.
    pub seconds: f64,
    /// Reconstruction PSNR in dB on the held-out test images; `None` where the dataset has none,
    /// and after an interruption, which does not wait for it.
    pub test_psnr: Option<f64>,
    /// Losses of the last step of this session; `None` where no step was left to do.
    pub training: Option<NamedLosses<f64>>,
    /// Losses on the validation images with the final parameters; `None` without such images and
    /// after an interruption.
    pub validation: Option<NamedLosses<f64>>,
}

/// Everything in a run directory that a user looks at.
const FILES: [(&str, &str); 7] = [
    (
        "reconstructions.png",
        "held-out images above their reconstructions",
    ),
    ("samples.png", "decoded draws from the prior"),
    ("traversal.png", "one latent dimension per row"),
    ("losses.png", "every loss over the steps"),
    ("metrics.jsonl", "the same as numbers"),
    ("config.toml", "the resolved configuration"),
    ("checkpoints/", "the last and the best checkpoint"),
];

impl fmt::Display for RunSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            StopReason::Finished => "finished",
            StopReason::Converged => "converged",
            StopReason::Interrupted => "interrupted and saved",
        };
        writeln!(
            formatter,
            "{reason} after {} steps in {:.0} s",
            self.step, self.seconds
        )?;
        if let Some(psnr) = self.test_psnr {
            writeln!(
                formatter,
                "reconstruction of held-out images: PSNR {psnr:.2} dB"
            )?;
        }
        self.write_losses(formatter)?;
        write!(formatter, "everything is in {}:", self.directory.display())?;
        for (file, what) in FILES {
            // An interruption does not wait for the pictures.
            if self.directory.join(file).exists() {
                write!(formatter, "\n  {file:20} {what}")?;
            }
        }
        Ok(())
    }
}

impl RunSummary {
    /// A line per loss, with a column for each of the last step and the validation that is there.
    fn write_losses(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<(&str, &NamedLosses<f64>)> = [
            ("last step", &self.training),
            ("validation", &self.validation),
        ]
        .into_iter()
        .filter_map(|(title, losses)| Some((title, losses.as_ref()?)))
        .collect();
        let Some((_, first)) = columns.first() else {
            return Ok(());
        };
        write!(formatter, "{:22}", "loss")?;
        for (title, _) in &columns {
            write!(formatter, " {title:>12}")?;
        }
        writeln!(formatter)?;
        for (index, (name, _)) in first.named().iter().enumerate() {
            write!(formatter, "{name:22}")?;
            for (_, losses) in &columns {
                write!(formatter, " {:>12.4}", losses.named()[index].1)?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(value: f64) -> NamedLosses<f64> {
        NamedLosses::new(vec![("total", value), ("gw", value)])
    }

    fn summary() -> RunSummary {
        RunSummary {
            directory: "nowhere".into(),
            reason: StopReason::Finished,
            step: 7,
            seconds: 3.2,
            test_psnr: Some(20.0),
            training: Some(losses(1.0)),
            validation: Some(losses(2.0)),
        }
    }

    #[test]
    fn what_is_known_is_in_columns() {
        let text = summary().to_string();
        assert!(
            text.starts_with("finished after 7 steps in 3 s\n"),
            "{text}"
        );
        assert!(text.contains("PSNR 20.00 dB"), "{text}");
        assert!(
            text.contains("gw                           1.0000       2.0000\n"),
            "{text}"
        );
    }

    #[test]
    fn without_validation_the_training_losses_are_shown() {
        let summary = RunSummary {
            validation: None,
            test_psnr: None,
            ..summary()
        };
        let text = summary.to_string();
        assert!(
            !text.contains("validation") && !text.contains("PSNR"),
            "{text}"
        );
        assert!(
            text.contains("gw                           1.0000\n"),
            "{text}"
        );
    }
}
