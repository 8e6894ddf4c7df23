//! Displays of a run's progress.

#[cfg(feature = "progress")]
mod bar;
mod callback;
mod losses_line;
mod plain;
#[cfg(feature = "progress")]
mod preparation;
#[cfg(feature = "tui")]
mod tui;

#[cfg(feature = "progress")]
use std::io::IsTerminal;
use std::time::Duration;

use gwae_datasets::open::{Preparation, PreparationStage};

use losses_line::LossesLine;

#[cfg(feature = "progress")]
pub use bar::BarDisplay;
pub use callback::Progress;
pub use plain::PlainDisplay;
#[cfg(feature = "progress")]
pub use preparation::PreparationBar;
#[cfg(feature = "tui")]
pub use tui::{TuiDisplay, TuiError};

/// A run that is about to begin or continue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunOutline {
    /// Main steps already done, in a resumed run.
    pub first_step: u64,
    /// Main steps at the end, if known.
    pub total_steps: Option<u64>,
    /// Main steps per pass over the training data.
    pub steps_per_epoch: u64,
}

/// A main step that was just done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepProgress<'a> {
    /// Main steps done, from 1.
    pub step: u64,
    /// Pass over the training data, from 1.
    pub epoch: u64,
    /// Losses by name.
    pub losses: &'a [(&'a str, f64)],
    /// Images per second, including all the work of a step.
    pub images_per_second: f64,
    /// Time until the last step, if known.
    pub remaining: Option<Duration>,
}

/// A validation that was just done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValidationProgress<'a> {
    /// Number of main steps done.
    pub step: u64,
    /// Pass over the training data, from 1.
    pub epoch: u64,
    /// Losses by name.
    pub losses: &'a [(&'a str, f64)],
    /// Whether the validation loss is the lowest so far.
    pub improved: bool,
}

/// Shows what a training loop reports. No method fails: a run must not stop because it cannot be
/// displayed.
pub trait ProgressDisplay: Send {
    /// Called while the images are checked or a faster copy of them is made, before the first step.
    fn preparation(&mut self, _: &Preparation) {}
    /// Called once, before the first step.
    fn start(&mut self, outline: &RunOutline);
    /// Called after every main step.
    fn step(&mut self, progress: &StepProgress<'_>);
    /// Called after every validation.
    fn validation(&mut self, progress: &ValidationProgress<'_>);
    /// Called with any other message, such as a saved checkpoint.
    fn message(&mut self, text: &str);
    /// Called once, at the end, with the reason.
    fn finish(&mut self, text: &str);
    /// Whether the user asked, through this display, to finish the step, save and return.
    fn stop_requested(&self) -> bool {
        false
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilentDisplay;

impl ProgressDisplay for SilentDisplay {
    fn start(&mut self, _: &RunOutline) {}
    fn step(&mut self, _: &StepProgress<'_>) {}
    fn validation(&mut self, _: &ValidationProgress<'_>) {}
    fn message(&mut self, _: &str) {}
    fn finish(&mut self, _: &str) {}
}

#[cfg(feature = "progress")]
/// A progress bar if standard error is a terminal (with the feature `tui` the full-screen
/// dashboard, if it can be drawn), otherwise one line for every `every`-th step.
pub fn standard_display(every: u64) -> Box<dyn ProgressDisplay> {
    let errors = std::io::stderr();
    #[cfg(feature = "tui")]
    if errors.is_terminal()
        && let Ok(dashboard) = TuiDisplay::new()
    {
        return Box::new(dashboard);
    }
    if errors.is_terminal() {
        Box::new(BarDisplay::new())
    } else {
        Box::new(PlainDisplay::new(errors, every))
    }
}

/// The work and the dataset, such as `preparing celeba (once)`.
fn preparation_text(preparation: &Preparation) -> String {
    let work = match preparation.stage {
        PreparationStage::Checking => "checking",
        PreparationStage::Copying => "preparing",
    };
    format!("{work} {} (once)", preparation.dataset)
}

/// Formats a number with four significant digits, so that lines keep their width.
fn number_text(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !value.is_finite() {
        format!("{value}")
    } else if (1e-3..9_999.5).contains(&size) {
        let before_point = size.log10().floor().max(0.0) as usize + 1;
        format!("{value:.*}", 4_usize.saturating_sub(before_point))
    } else {
        format!("{value:.2e}")
    }
}

/// Formats a duration as `2:03:04`, or `3:04` below an hour.
fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Longest line about a step or a validation.
const COLUMNS: usize = 120;

/// `start`, the losses and `end` in a line of at most [`COLUMNS`] characters.
fn line_of_losses(start: &str, losses: &[(&str, f64)], end: &str, line: &mut LossesLine) -> String {
    let taken = start.chars().count() + end.chars().count();
    let losses = line.text(losses, COLUMNS.saturating_sub(taken));
    format!("{start}{losses}{end}")
}

fn validation_text(progress: &ValidationProgress<'_>, line: &mut LossesLine) -> String {
    let best = if progress.improved {
        "  (best so far)"
    } else {
        ""
    };
    let (step, epoch) = (progress.step, progress.epoch);
    let start = format!("validation after step {step} (epoch {epoch}): ");
    line_of_losses(&start, progress.losses, best, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.0312345, "0.031"),
            (1.23456, "1.235"),
            (-33.21234, "-33.21"),
            (999.96, "1000.0"),
            (1234.5, "1234"),
            (123_456.0, "1.23e5"),
            (0.000_123_4, "1.23e-4"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number_text(value), expected);
        }
    }

    #[test]
    fn durations_are_short() {
        for (seconds, expected) in [(0, "0:00"), (184, "3:04"), (7_384, "2:03:04")] {
            assert_eq!(duration_text(Duration::from_secs(seconds)), expected);
        }
    }
}
