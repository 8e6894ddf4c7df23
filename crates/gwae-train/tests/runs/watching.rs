//! What can be seen of a run in progress: callbacks and the log.

use std::cell::RefCell;
use std::rc::Rc;

use gwae_train::callback::{Callback, CallbackError, Flow, Validation};
use gwae_train::checkpoint::CheckpointError;
use gwae_train::run_directory::RunDirectoryError;
use gwae_train::trained_model::LoadError;

use super::*;

/// The test options with one more callback.
fn with(callback: impl Callback<dyn Autoencoder> + 'static) -> SessionOptions {
    let mut options = silent();
    options.callbacks.push(Box::new(callback));
    options
}

#[test]
fn a_callback_sees_the_model_after_every_validation_and_at_the_end() {
    type Seen = Rc<RefCell<Vec<(u64, [usize; 2])>>>;
    struct Encode(Seen);
    impl Callback<dyn Autoencoder> for Encode {
        fn on_validation(
            &mut self,
            validation: &Validation<'_, dyn Autoencoder>,
        ) -> Result<Flow, CallbackError> {
            let view = &validation.view;
            let images = view.data.images(&view.split.test[..2], view.device)?;
            let codes = view.model.encode(images);
            self.0.borrow_mut().push((view.step, codes.dims()));
            Ok(Flow::Continue)
        }
    }
    let root = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let options = with(Encode(seen.clone()));
    start(&config(), &root.path().join("run"), options).unwrap();
    assert_eq!(*seen.borrow(), [(3, [2, 4]), (6, [2, 4]), (7, [2, 4])]);

    struct Fail;
    impl Callback<dyn Autoencoder> for Fail {
        fn on_validation(
            &mut self,
            _: &Validation<'_, dyn Autoencoder>,
        ) -> Result<Flow, CallbackError> {
            Err("no room for the picture".into())
        }
    }
    let path = root.path().join("failing");
    let error = start(&config(), &path, with(Fail)).unwrap_err();
    assert_eq!(error.to_string(), "step 3: no room for the picture");
    // The trained steps are saved.
    resume(&path, &steps(4), silent()).unwrap();
}

/// Less frequent readings have the same values. Steps that end in a validation, a checkpoint or the
/// end of the run are read at any interval.
#[test]
fn losses_are_read_every_so_many_steps() {
    let root = tempfile::tempdir().unwrap();
    let mut config = config();
    config.training.steps = Some(11);
    config.training.validate_every = Some(5);
    config.training.checkpoint_every = Some(7);
    let mut runs = Vec::new();
    for every in [1, 3, 1000] {
        let path = root.path().join(every.to_string());
        config.training.log_every = every;
        let summary = start(&config, &path, silent()).unwrap();
        let (training, validation): (Vec<_>, Vec<_>) = log(&path)
            .into_iter()
            .partition(|(_, phase, _)| *phase == Phase::Train);
        let end = (
            state(&path, Which::Last),
            training_state(&path),
            summary.training,
        );
        runs.push((training, validation, end));
    }
    let (every, validations, end) = &runs[0];
    assert_eq!(every.len(), 11);
    for (rarely, expected) in [
        (&runs[1], vec![3, 5, 6, 7, 9, 10, 11]),
        (&runs[2], vec![5, 7, 10, 11]),
    ] {
        let logged: Vec<_> = rarely.0.iter().map(|line| line.0).collect();
        assert_eq!(logged, expected);
        assert!(rarely.0.iter().all(|line| every.contains(line)));
        assert_eq!((&rarely.1, &rarely.2), (validations, end));
    }
}

#[test]
fn the_interval_of_a_run_can_be_changed() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    config.training.validate_every = None;
    config.training.steps = Some(2);
    start(&config, &path, silent()).unwrap();
    let changes = Changes {
        log_every: Some(4),
        ..steps(9)
    };
    resume(&path, &changes, silent()).unwrap();
    let logged = log(&path).into_iter();
    let logged: Vec<_> = logged.filter(|line| line.1 == Phase::Train).collect();
    let steps: Vec<_> = logged.iter().map(|line| line.0).collect();
    assert!(
        steps.starts_with(&[1, 2, 4, 8]) && steps.ends_with(&[9]),
        "{steps:?}"
    );
    let kept = RunDirectory::open(&path).unwrap();
    assert_eq!(kept.config().training.log_every, 4);
}

#[test]
fn a_run_is_read_while_it_saves_after_every_step() {
    let root = tempfile::tempdir().unwrap();
    let path = &root.path().join("run");
    let mut config = config();
    config.training.steps = Some(12);
    config.training.checkpoint_every = Some(1);
    std::thread::scope(|scope| {
        let training = scope.spawn(|| start(&config, path, silent()).unwrap());
        let mut steps = Vec::new();
        while !training.is_finished() {
            match TrainedModel::load_checkpoint(path, Which::Last, &Device::flex()) {
                Ok(trained) => steps.push(trained.step),
                // Before the run directory is complete, and before the first checkpoint.
                Err(
                    LoadError::Run(RunDirectoryError::NoRun { .. })
                    | LoadError::Checkpoint(CheckpointError::Missing { .. }),
                ) if steps.is_empty() => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(steps.is_sorted() && steps.len() > 1, "{steps:?}");
    });
}
