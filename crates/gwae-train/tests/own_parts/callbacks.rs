//! Loss terms and callbacks.

use std::cell::RefCell;
use std::rc::Rc;

use burn::tensor::Tensor;
use gwae_models::{Forward, LossTerm};
use gwae_train::callback::{
    Callback, CallbackError, End, Flow, Saved, Start, Step, Validation, View,
};
use gwae_train::checkpoint::Which;
use gwae_train::monitor::{Goal, MonitorConfig};
use gwae_train::session::StopReason;
use gwae_train::{TrainedModel, TrainingConfig};

use super::{Model, algorithm, log, losses, trainer, training};

/// The mean square of the codes.
struct Size;

impl LossTerm<Model> for Size {
    fn name(&self) -> &str {
        "size"
    }

    fn loss(&self, forward: &Forward<'_, Model>) -> Tensor<1> {
        forward.codes.clone().square().mean()
    }
}

/// Notes every event, and measures the step.
#[derive(Clone, Default)]
struct Notes {
    events: Rc<RefCell<Vec<String>>>,
    stop_after: Option<u64>,
    fail_at: Option<u64>,
}

impl Notes {
    fn note(&self, event: String) -> Result<Flow, CallbackError> {
        self.events.borrow_mut().push(event);
        Ok(Flow::Continue)
    }
}

impl Callback<Model> for Notes {
    fn on_start(&mut self, start: &Start<'_>) -> Result<Flow, CallbackError> {
        self.note(format!(
            "start {} {:?}",
            start.first_step, start.total_steps
        ))
    }

    fn on_step(&mut self, step: &Step<'_>) -> Result<Flow, CallbackError> {
        self.note(format!("step {} {}", step.step, step.losses.is_some()))?;
        if self.fail_at == Some(step.step) {
            return Err("the disk of the callback is full".into());
        }
        match self.stop_after == Some(step.step) {
            true => Ok(Flow::Stop),
            false => Ok(Flow::Continue),
        }
    }

    fn metrics(&mut self, view: &View<'_, Model>) -> Result<Vec<(String, f64)>, CallbackError> {
        Ok(vec![("age".into(), view.step as f64)])
    }

    fn on_validation(&mut self, event: &Validation<'_, Model>) -> Result<Flow, CallbackError> {
        let view = &event.view;
        self.note(format!(
            "validation {} {} {}",
            view.step, event.improved, view.last
        ))
    }

    fn on_checkpoint(&mut self, saved: &Saved<'_>) -> Result<Flow, CallbackError> {
        assert!(saved.directory.join("model.bpk").exists());
        self.note(format!("saved {} {}", saved.step, saved.best))
    }

    fn on_end(&mut self, end: &End<'_>) -> Result<(), CallbackError> {
        self.note(format!("end {} {:?}", end.step, end.reason))?;
        Ok(())
    }
}

#[test]
fn a_loss_term_is_weighted_logged_and_trained() {
    let directory = tempfile::tempdir().unwrap();
    let (with, without) = (
        directory.path().join("with"),
        directory.path().join("without"),
    );
    trainer(training())
        .loss_term(3.0, Size)
        .start(&with)
        .unwrap();
    trainer(training()).start(&without).unwrap();
    let (with, without) = (losses(&with), losses(&without));
    let value = |losses: &[(String, f64)], name: &str| {
        losses
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    };
    for (_, losses) in &with {
        assert!(value(losses, "size").unwrap() > 0.0);
    }
    // Before the first update both models are the same, so the totals differ by the term alone.
    let (first, plain) = (&with[0].1, &without[0].1);
    let expected = value(plain, "total").unwrap() + 3.0 * value(first, "size").unwrap();
    let total = value(first, "total").unwrap();
    assert!((total / expected - 1.0).abs() < 1e-6, "{total} {expected}");
    // The term moved the encoder, which shows in the next reconstruction.
    assert_ne!(
        value(&with[1].1, "reconstruction"),
        value(&without[1].1, "reconstruction")
    );
}

#[test]
fn callbacks_see_every_event_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    let notes = Notes::default();
    let training = TrainingConfig {
        steps: Some(4),
        log_every: 2,
        ..training()
    };
    trainer(training)
        .callback(notes.clone())
        .start(&run)
        .unwrap();
    let expected = [
        "start 0 Some(4)",
        "step 1 false",
        "step 2 true",
        "step 3 true",
        "saved 3 true",
        "validation 3 true false",
        "step 4 true",
    ];
    let events = notes.events.borrow();
    assert_eq!(events[..expected.len()], expected);
    assert_eq!(events.last().unwrap(), "end 4 Finished");
    let ages: Vec<f64> = log(&run)
        .iter()
        .filter_map(|record| Some(record.losses.iter().find(|(name, _)| name == "age")?.1))
        .collect();
    assert_eq!(ages, [3.0, 4.0]);
}

#[test]
fn a_callback_can_stop_a_run_that_is_resumed_later() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    let stopping = Notes {
        stop_after: Some(2),
        ..Notes::default()
    };
    let summary = trainer(training()).callback(stopping).start(&run).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Stopped, 2));
    let summary = trainer(training()).resume(&run).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Finished, 7));
}

#[test]
fn a_callback_that_fails_stops_the_run_which_is_saved() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    let failing = Notes {
        fail_at: Some(5),
        ..Notes::default()
    };
    let error = trainer(training())
        .callback(failing)
        .start(&run)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "step 5: the disk of the callback is full"
    );
    let summary = trainer(training()).resume(&run).unwrap();
    assert_eq!(summary.step, 7);
    assert!(losses(&run).iter().any(|(step, _)| *step == 5));
}

#[test]
fn a_metric_of_a_callback_decides_which_checkpoint_is_best() {
    let directory = tempfile::tempdir().unwrap();
    let best = |goal, name: &str| {
        let run = directory.path().join(format!("{goal:?}"));
        let monitor = MonitorConfig {
            name: name.to_owned(),
            goal,
        };
        let training = TrainingConfig {
            monitor,
            ..training()
        };
        trainer(training).callback(Notes::default()).start(&run)?;
        let device = gwae_train::DeviceSpec::default().open().unwrap();
        let trained = TrainedModel::load_own(&algorithm("wide"), &run, &device).unwrap();
        assert_eq!(trained.which, Which::Best);
        Ok::<_, gwae_train::session::TrainError>(trained.step)
    };
    assert_eq!(best(Goal::Lowest, "age").unwrap(), 3);
    assert_eq!(best(Goal::Highest, "age").unwrap(), 7);
    let directory = tempfile::tempdir().unwrap();
    let training = TrainingConfig {
        monitor: MonitorConfig {
            name: "agee".into(),
            goal: Goal::Lowest,
        },
        ..training()
    };
    let run = trainer(training).callback(Notes::default());
    let error = run
        .start(directory.path().join("run"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean `age`?"), "{error}");
}
