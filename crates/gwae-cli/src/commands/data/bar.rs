//! The progress of a download or a check.

use gwae_datasets::{DataEvent, DataStage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::note;

const TEMPLATE: &str = "{prefix} {bar:24} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";

/// A line for the current file if standard error is a terminal. Problems on the way are printed as
/// notes, on any output.
#[derive(Default)]
pub(super) struct DataBar {
    shown: Option<(String, DataStage, ProgressBar)>,
}

impl DataBar {
    pub(super) fn update(&mut self, event: &DataEvent<'_>) {
        match event {
            DataEvent::Bytes {
                file,
                stage,
                done,
                total,
            } => self.bytes(file, *stage, *done, *total),
            DataEvent::Retry {
                file,
                failures,
                attempts,
                wait,
                reason,
            } => self.note(&format!(
                "{file}: {reason}; trying again in {:.0} s ({failures} of {attempts})",
                wait.as_secs_f64()
            )),
            DataEvent::StartOver { file, reason } => {
                self.note(&format!("{file}: {reason}; starting over"));
            }
            DataEvent::NextAddress { file, reason } => {
                self.note(&format!("{file}: {reason}; trying the next address"));
            }
            DataEvent::Kept { path, bytes } => {
                self.note(&format!(
                    "{}: {bytes} bytes are kept; run the command again to go on from there",
                    path.display()
                ));
            }
            _ => {}
        }
    }

    fn bytes(&mut self, file: &str, stage: DataStage, done: u64, total: Option<u64>) {
        let is_shown = |(name, shown, _): &(String, DataStage, _)| name == file && *shown == stage;
        if !self.shown.as_ref().is_some_and(is_shown) {
            self.clear();
            let what = match stage {
                DataStage::Downloading => "downloading",
                DataStage::Verifying => "verifying",
            };
            let style = ProgressStyle::with_template(TEMPLATE)
                .expect("a constant that the tests draw")
                .progress_chars("=> ");
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
                .with_style(style)
                .with_prefix(format!("{what} {file}"))
                .with_position(done);
            // Bytes from an earlier attempt must not count in the rate.
            bar.reset_eta();
            self.shown = Some((file.to_owned(), stage, bar));
        }
        if let Some((_, _, bar)) = &self.shown {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
    }

    fn note(&mut self, text: &str) {
        self.clear();
        note(text);
    }

    fn clear(&mut self) {
        if let Some((_, _, bar)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for DataBar {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_and_stage_has_its_own_line() {
        let mut bar = DataBar::default();
        let mut send = |file, stage, done| {
            bar.update(&DataEvent::Bytes {
                file,
                stage,
                done,
                total: Some(10),
            });
            bar.shown.as_ref().unwrap().2.position()
        };
        assert_eq!(send("a", DataStage::Downloading, 3), 3);
        assert_eq!(send("a", DataStage::Downloading, 10), 10);
        assert_eq!(send("a", DataStage::Verifying, 0), 0);
        assert_eq!(send("b", DataStage::Verifying, 5), 5);
        bar.update(&DataEvent::StartOver {
            file: "b",
            reason: "a test",
        });
        assert!(bar.shown.is_none());
    }
}
