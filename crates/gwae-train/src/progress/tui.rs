use std::collections::{BTreeSet, VecDeque};
use std::io::IsTerminal;
use std::sync::Arc;

use burn_train::Interrupter;
use burn_train::logger::TrainingProgressLogger;
use burn_train::metric::{
    MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};

use super::{ProgressDisplay, RunOutline, StepProgress, ValidationProgress, number_text};

const IMAGES_PER_SECOND: &str = "images/s";
const MESSAGES_KEPT: usize = 20;

/// Standard output is not a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the dashboard needs a terminal as standard output: run without it, or not through a pipe")]
pub struct TuiError;

/// Burn's full-screen dashboard: one plot per loss, for training and validation together.
///
/// The terminal is in raw mode, so Ctrl-C does not reach a signal handler. Instead the dashboard's
/// key `q` offers to stop, which [`ProgressDisplay::stop_requested`] reports, or to end the process
/// at once.
pub struct TuiDisplay {
    renderer: TuiMetricsRendererWrapper,
    interrupter: Interrupter,
    registered: BTreeSet<String>,
    outline: Option<RunOutline>,
    epoch: u64,
    messages: VecDeque<String>,
}

impl TuiDisplay {
    /// Takes over the terminal until the value is dropped.
    ///
    /// # Errors
    ///
    /// When standard output is not a terminal.
    pub fn new() -> Result<Self, TuiError> {
        // Otherwise the renderer would panic on its own thread.
        if !std::io::stdout().is_terminal() {
            return Err(TuiError);
        }
        let interrupter = Interrupter::new();
        Ok(Self {
            renderer: TuiMetricsRendererWrapper::new(interrupter.clone(), None),
            interrupter,
            registered: BTreeSet::new(),
            outline: None,
            epoch: 0,
            messages: VecDeque::new(),
        })
    }

    /// The dashboard needs the definition of a metric before its first value.
    fn state(&mut self, name: &str, value: f64) -> MetricState {
        let id = MetricId::new(Arc::new(name.to_owned()));
        if self.registered.insert(name.to_owned()) {
            self.renderer.register_metric(MetricDefinition {
                metric_id: id.clone(),
                name: Arc::new(name.to_owned()),
                description: None,
                attributes: MetricAttributes::Numeric(NumericAttributes {
                    unit: None,
                    higher_is_better: name == IMAGES_PER_SECOND,
                }),
            });
        }
        let entry = SerializedEntry::new(number_text(value), value.to_string());
        // A plot cannot show NaN; its text can.
        let point = value.is_finite().then_some(NumericEntry::Value(value));
        MetricState::Numeric(MetricEntry::new(id, entry), point)
    }
}

impl ProgressDisplay for TuiDisplay {
    fn start(&mut self, outline: &RunOutline) {
        self.outline = Some(*outline);
        let per_epoch = outline.steps_per_epoch.max(1);
        let total = outline.total_steps.unwrap_or(0);
        self.epoch = outline.first_step / per_epoch + 1;
        self.renderer.start(
            total.div_ceil(per_epoch) as usize,
            self.epoch as usize,
            Some(per_epoch as usize),
            Some("GWAE"),
        );
        self.renderer.start_split("train", per_epoch as usize);
    }

    fn step(&mut self, progress: &StepProgress<'_>) {
        let per_epoch = self
            .outline
            .map_or(1, |outline| outline.steps_per_epoch.max(1));
        if progress.epoch != self.epoch {
            self.renderer.end_split();
            // Burn counts finished epochs, from 0.
            self.renderer
                .update_epoch(progress.epoch.saturating_sub(1) as usize);
            self.renderer.start_split("train", per_epoch as usize);
            self.epoch = progress.epoch;
        }
        for (name, value) in progress.losses {
            let state = self.state(name, *value);
            self.renderer.update_train(state);
        }
        let state = self.state(IMAGES_PER_SECOND, progress.images_per_second);
        self.renderer.update_train(state);
        let in_epoch = progress.step.saturating_sub(1) % per_epoch + 1;
        self.renderer.update_split(in_epoch as usize);
    }

    fn validation(&mut self, progress: &ValidationProgress<'_>) {
        for (name, value) in progress.losses {
            let state = self.state(name, *value);
            self.renderer.update_valid(state);
        }
    }

    fn message(&mut self, text: &str) {
        // The dashboard cannot show lines of text, so they wait until it ends.
        if self.messages.len() == MESSAGES_KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(text.to_owned());
    }

    fn finish(&mut self, text: &str) {
        self.renderer.end_split();
        self.renderer.end();
        self.message(text);
    }

    fn stop_requested(&self) -> bool {
        self.interrupter.should_stop()
    }
}

impl Drop for TuiDisplay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // Restores the terminal; the messages below are visible there.
        self.interrupter.stop(None);
        self.renderer.manual_close();
        for text in &self.messages {
            eprintln!("{text}");
        }
    }
}
