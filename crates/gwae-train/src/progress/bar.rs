use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::losses_line::LossesLine;
use super::{
    PreparationBar, ProgressDisplay, RunOutline, StepProgress, ValidationProgress, duration_text,
    number_text, validation_text,
};
use gwae_datasets::open::Preparation;

const WITH_TOTAL: &str = "{bar:24} step {human_pos}/{human_len} {prefix}\n{msg}";
const WITHOUT_TOTAL: &str = "{spinner} step {human_pos} {prefix}\n{msg}";

/// Losses per line; two fit into the 80 columns of a narrow terminal.
const LOSSES_PER_LINE: usize = 2;

/// A few lines at the bottom of the terminal: steps, elapsed and remaining time, images per second,
/// and the losses. All other output scrolls above them.
#[derive(Debug)]
pub struct BarDisplay {
    target: Option<ProgressDrawTarget>,
    preparation: PreparationBar,
    bar: ProgressBar,
    /// What the last line about a validation had.
    validations: LossesLine,
}

impl BarDisplay {
    /// Draws on standard error.
    pub fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        Self {
            target: Some(target),
            preparation: PreparationBar::new(),
            bar: ProgressBar::hidden(),
            validations: LossesLine::default(),
        }
    }
}

/// Elapsed and remaining time, and the speed.
fn pace(elapsed: Duration, progress: &StepProgress<'_>) -> String {
    // The loop's own estimate. The bar's estimate would include the time before a resume.
    let remaining = progress.remaining.map_or(String::new(), |remaining| {
        format!(", {} left", duration_text(remaining))
    });
    format!(
        "in {}{remaining}, {:.0} images/s",
        duration_text(elapsed),
        progress.images_per_second
    )
}

/// Names and values in columns.
fn losses_table(losses: &[(&str, f64)]) -> String {
    let cell = |(name, value): &(&str, f64)| format!("{name:>22}  {:<9}", number_text(*value));
    let line = |losses: &[(&str, f64)]| {
        let cells: Vec<_> = losses.iter().map(cell).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let lines: Vec<_> = losses.chunks(LOSSES_PER_LINE).map(line).collect();
    lines.join("\n")
}

impl Default for BarDisplay {
    fn default() -> Self {
        Self::new()
    }
}

impl ProgressDisplay for BarDisplay {
    fn preparation(&mut self, preparation: &Preparation) {
        self.preparation.update(preparation);
    }

    fn start(&mut self, outline: &RunOutline) {
        let template = match outline.total_steps {
            Some(_) => WITH_TOTAL,
            None => WITHOUT_TOTAL,
        };
        let style = ProgressStyle::with_template(template)
            .expect("the template is a constant that the tests draw")
            .progress_chars("=> ");
        let target = self.target.take();
        self.bar = ProgressBar::with_draw_target(
            outline.total_steps,
            target.unwrap_or_else(ProgressDrawTarget::stderr),
        )
        .with_style(style)
        .with_position(outline.first_step);
        self.bar.tick();
    }

    fn step(&mut self, progress: &StepProgress<'_>) {
        self.bar.set_prefix(pace(self.bar.elapsed(), progress));
        self.bar.set_message(losses_table(progress.losses));
        self.bar.set_position(progress.step);
    }

    fn validation(&mut self, progress: &ValidationProgress<'_>) {
        let text = validation_text(progress, &mut self.validations);
        self.bar.println(text);
    }

    fn message(&mut self, text: &str) {
        self.bar.println(text);
    }

    fn finish(&mut self, text: &str) {
        self.bar.println(text);
        // Leaves the final state of the bar on the screen.
        self.bar.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// Keeps everything that is written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            200
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn step(remaining: Option<Duration>) -> StepProgress<'static> {
        StepProgress {
            step: 1_500,
            epoch: 1,
            losses: &[("gw", 1.25), ("total", 33.5)],
            images_per_second: 812.4,
            remaining,
        }
    }

    fn run(total_steps: Option<u64>) -> String {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let mut display = BarDisplay::on(target);
        display.start(&RunOutline {
            first_step: 1_000,
            total_steps,
            steps_per_epoch: 5,
        });
        display.step(&step(total_steps.map(|_| Duration::from_secs(83))));
        display.validation(&ValidationProgress {
            step: 1_500,
            epoch: 1,
            losses: &[("total", 30.0)],
            improved: false,
        });
        display.message("saved");
        display.finish("stopped");
        let text = paper.0.lock().unwrap();
        text.clone()
    }

    #[test]
    fn losses_stand_in_columns_of_a_narrow_terminal() {
        let table = losses_table(&[
            ("potential_prior", -0.51284),
            ("distance_coefficient", 1.9067),
            ("gradient_penalty", -1.234e-14),
        ]);
        assert_eq!(
            table,
            "       potential_prior  -0.513       distance_coefficient  1.907\n      \
             gradient_penalty  -1.23e-14"
        );
        assert!(table.lines().all(|line| line.len() <= 80));
    }

    #[test]
    fn the_pace_is_time_gone_and_left_and_speed() {
        let elapsed = Duration::from_secs(3_725);
        let left = step(Some(Duration::from_secs(83)));
        assert_eq!(pace(elapsed, &left), "in 1:02:05, 1:23 left, 812 images/s");
        assert_eq!(pace(elapsed, &step(None)), "in 1:02:05, 812 images/s");
    }

    #[test]
    fn everything_is_drawn() {
        let text = run(Some(2_000));
        for part in [
            "1,000/2,000",
            // The duration of the test depends on the machine.
            "step 1,500/2,000 in ",
            ", 1:23 left, 812 images/s",
            "gw  1.250",
            "total  33.50",
            "validation after step 1500 (epoch 1): total 30.00",
            "saved",
            "stopped",
        ] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
        assert!(!text.contains("best so far"));
    }

    #[test]
    fn an_open_end_has_no_bar() {
        let text = run(None);
        assert!(text.contains("step 1,500 in "), "{text}");
        assert!(text.contains(", 812 images/s"), "{text}");
        assert!(!text.contains(" left"), "{text}");
        assert!(!text.contains('/') || text.contains("images/s"), "{text}");
        assert!(!text.contains("2,000"), "{text}");
    }
}
