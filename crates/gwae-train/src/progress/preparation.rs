use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::preparation_text;
use gwae_datasets::open::Preparation;

const TEMPLATE: &str = "{prefix} {bar:24} {human_pos}/{human_len} images, {per_sec}, {eta} left";

/// A line that shows the progress of the work on a dataset before its use, on a terminal only. Why an existing
/// copy is made again is said on any output.
#[derive(Debug, Default)]
pub struct PreparationBar {
    bar: Option<ProgressBar>,
}

impl PreparationBar {
    /// Shows nothing before the first update.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws on standard error.
    pub fn update(&mut self, preparation: &Preparation) {
        let bar = self.bar.get_or_insert_with(|| {
            if let Some(reason) = preparation.replaced {
                eprintln!("note: {}: {reason} and is made again", preparation.dataset);
            }
            let style = ProgressStyle::with_template(TEMPLATE)
                .expect("the template is a constant that the tests draw")
                .progress_chars("=> ");
            let target = ProgressDrawTarget::stderr();
            ProgressBar::with_draw_target(Some(preparation.total), target)
                .with_style(style)
                .with_prefix(preparation_text(preparation))
        });
        bar.set_position(preparation.done);
        if preparation.done >= preparation.total {
            bar.finish_and_clear();
            self.bar = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_datasets::config::DatasetName;
    use gwae_datasets::open::PreparationStage;

    #[test]
    fn a_bar_ends_with_its_copy() {
        let mut bar = PreparationBar::new();
        for done in 0..=3 {
            bar.update(&Preparation {
                dataset: DatasetName::Celeba,
                stage: PreparationStage::Copying,
                done,
                total: 3,
                replaced: None,
            });
            assert_eq!(bar.bar.is_some(), done < 3);
        }
    }
}
