//! The result of a run.

use std::fmt;
use std::path::PathBuf;

use gwae_core::NamedLosses;

use super::stop_reason::StopReason;

/// The result of a run.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The run directory.
    pub directory: PathBuf,
    /// Why it ended.
    pub reason: StopReason,
    /// Main steps done.
    pub step: u64,
    /// Seconds of training, without interruptions.
    pub seconds: f64,
    /// Reconstruction PSNR in dB on the held-out images: those of the test part or, in a dataset
    /// without one, of the validation part. `None` if there are no such images, and after an
    /// interruption, because it takes time.
    pub test_psnr: Option<f64>,
    /// Losses of the last step of this session; `None` if there was no step left to do.
    pub training: Option<NamedLosses<f64>>,
    /// Losses on the validation images with the final parameters; `None` without such images and
    /// after an interruption.
    pub validation: Option<NamedLosses<f64>>,
}

/// The files in a run directory that users look at.
const FILES: [(&str, &str); 11] = [
    ("report.html", "all of this on one page, for a browser"),
    (
        "reconstructions.png",
        "held-out images above their reconstructions",
    ),
    ("samples.png", "decoded draws from the prior"),
    ("traversal.png", "one latent dimension per row"),
    ("components.png", "one component of the prior per row"),
    ("samples_animated.png", "the samples over the steps"),
    ("losses.png", "every loss over the steps"),
    ("pictures/", "the pictures of earlier validations"),
    ("metrics.jsonl", "the same as numbers"),
    ("config.toml", "the resolved configuration"),
    ("checkpoints/", "the last and the best checkpoint"),
];

impl fmt::Display for RunSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            StopReason::Finished => "finished",
            StopReason::Converged => "converged",
            StopReason::Stopped => "stopped by a callback",
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
            // An interrupted run has no pictures yet.
            if self.directory.join(file).exists() {
                write!(formatter, "\n  {file:20} {what}")?;
            }
        }
        Ok(())
    }
}

impl RunSummary {
    /// Writes one line per loss, with a column for the last step and a column for the validation,
    /// if they exist.
    fn write_losses(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<(&str, &NamedLosses<f64>)> = [
            ("last step", &self.training),
            ("validation", &self.validation),
        ]
        .into_iter()
        .filter_map(|(title, losses)| Some((title, losses.as_ref()?)))
        .collect();
        // The validation may have metrics after the losses.
        let Some((_, longest)) = columns.last() else {
            return Ok(());
        };
        write!(formatter, "{:22}", "loss")?;
        for (title, _) in &columns {
            write!(formatter, " {title:>12}")?;
        }
        writeln!(formatter)?;
        for (name, _) in longest.named() {
            write!(formatter, "{name:22}")?;
            for (_, losses) in &columns {
                match losses.get(name) {
                    Some(value) => write!(formatter, " {value:>12.4}")?,
                    None => write!(formatter, " {:>12}", "-")?,
                }
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
