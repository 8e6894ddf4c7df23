use std::io::Write;

use super::losses_line::LossesLine;
use super::{
    ProgressDisplay, RunOutline, StepProgress, ValidationProgress, duration_text, line_of_losses,
    preparation_text, validation_text,
};
use gwae_datasets::open::{Preparation, PreparationStage};

/// Plain lines, for log files: the first step, then every `every`-th one; all other messages at
/// once. A line has the total loss and those others that changed, within 120 columns.
#[derive(Debug)]
pub struct PlainDisplay<W> {
    output: W,
    every: u64,
    total_steps: Option<u64>,
    started: bool,
    /// Work on the dataset that was reported, and its progress in tenths.
    prepared: Option<(PreparationStage, u64)>,
    /// What the last lines about a step and about a validation had.
    steps: LossesLine,
    validations: LossesLine,
}

impl<W: Write + Send> PlainDisplay<W> {
    /// Writes to `output`, one line for every `every`-th step.
    pub fn new(output: W, every: u64) -> Self {
        Self {
            output,
            every: every.max(1),
            total_steps: None,
            started: false,
            prepared: None,
            steps: LossesLine::default(),
            validations: LossesLine::default(),
        }
    }

    fn line(&mut self, text: &str) {
        // A closed pipe must not end the run.
        let _ = writeln!(self.output, "{text}").and_then(|()| self.output.flush());
    }
}

impl<W: Write + Send> ProgressDisplay for PlainDisplay<W> {
    fn preparation(&mut self, preparation: &Preparation) {
        let Preparation {
            dataset,
            stage,
            done,
            total,
            replaced,
        } = *preparation;
        let tenths = done * 10 / total.max(1);
        let begins = self.prepared.is_none_or(|(before, _)| before != stage);
        if let (true, Some(reason)) = (begins, replaced) {
            self.line(&format!("{dataset}: {reason} and is made again"));
        }
        if self.prepared != Some((stage, tenths)) {
            self.prepared = Some((stage, tenths));
            let work = preparation_text(preparation);
            self.line(&format!("{work}: {done} of {total} images"));
        }
    }

    fn start(&mut self, outline: &RunOutline) {
        self.total_steps = outline.total_steps;
        self.started = false;
    }

    fn step(&mut self, progress: &StepProgress<'_>) {
        let last = self.total_steps == Some(progress.step);
        if self.started && !last && !progress.step.is_multiple_of(self.every) {
            return;
        }
        self.started = true;
        let total = self.total_steps.map(|total| format!("/{total}"));
        let remaining = progress.remaining.map(duration_text);
        let start = format!(
            "step {}{} (epoch {}): ",
            progress.step,
            total.unwrap_or_default(),
            progress.epoch,
        );
        let end = format!(
            " | {:.0} images/s{}",
            progress.images_per_second,
            remaining.map_or(String::new(), |time| format!(" | {time} left"))
        );
        let text = line_of_losses(&start, progress.losses, &end, &mut self.steps);
        self.line(&text);
    }

    fn validation(&mut self, progress: &ValidationProgress<'_>) {
        let text = validation_text(progress, &mut self.validations);
        self.line(&text);
    }

    fn message(&mut self, text: &str) {
        self.line(text);
    }

    fn finish(&mut self, text: &str) {
        self.line(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(every: u64, total_steps: Option<u64>, steps: u64) -> String {
        let mut display = PlainDisplay::new(Vec::new(), every);
        display.start(&RunOutline {
            first_step: 0,
            total_steps,
            steps_per_epoch: 5,
        });
        for step in 1..=steps {
            display.step(&StepProgress {
                step,
                epoch: 1 + (step - 1) / 5,
                losses: &[("gw", 1.25), ("total", 33.5)],
                images_per_second: 812.4,
                remaining: total_steps.map(|total| Duration::from_secs(total - step)),
            });
        }
        display.validation(&ValidationProgress {
            step: steps,
            epoch: 2,
            losses: &[("total", 30.0)],
            improved: true,
        });
        display.message("saved");
        display.finish("done");
        String::from_utf8(display.output).unwrap()
    }

    #[test]
    fn some_steps_and_everything_else_become_lines() {
        assert_eq!(
            run(4, Some(9), 9),
            "step 1/9 (epoch 1): total 33.50  gw 1.250 | 812 images/s | 0:08 left\n\
             step 4/9 (epoch 1): total 33.50 | 812 images/s | 0:05 left\n\
             step 8/9 (epoch 2): total 33.50 | 812 images/s | 0:01 left\n\
             step 9/9 (epoch 2): total 33.50 | 812 images/s | 0:00 left\n\
             validation after step 9 (epoch 2): total 30.00  (best so far)\n\
             saved\n\
             done\n"
        );
    }

    #[test]
    fn an_open_end_is_not_made_up() {
        let text = run(100, None, 2);
        assert!(text.starts_with("step 1 (epoch 1): total 33.50  gw 1.250 | 812 images/s\nvalid"));
    }

    #[test]
    fn a_closed_pipe_does_not_matter() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        PlainDisplay::new(Closed, 0).message("lost");
    }

    #[test]
    fn a_copy_is_reported_in_tenths() {
        use gwae_formats::records::Replaced;
        let mut display = PlainDisplay::new(Vec::new(), 1);
        for done in (0..=1000).step_by(5) {
            display.preparation(&Preparation {
                dataset: gwae_datasets::config::DatasetName::Celeba,
                stage: PreparationStage::Copying,
                done,
                total: 1000,
                replaced: Some(Replaced::Earlier),
            });
        }
        let text = String::from_utf8(display.output).unwrap();
        assert_eq!(text.lines().count(), 12);
        let reason = "the copy is in the format of an earlier version";
        assert!(text.starts_with(&format!("celeba: {reason} and is made again\n")));
        assert!(text.ends_with("preparing celeba (once): 1000 of 1000 images\n"));
    }
}
