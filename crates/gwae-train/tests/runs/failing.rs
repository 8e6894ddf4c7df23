//! Runs that fail or are refused.

use super::*;

/// Trains well until the first checkpoint, then with a learning rate that makes the training fail.
#[test]
fn a_broken_loss_stops_the_run_and_keeps_the_last_good_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    gwae(&mut config).backbone.batchnorm = false;
    config.training.warmup_steps = 0;
    config.training.steps = Some(2);
    // The error names the failing step, although that step is not logged.
    config.training.log_every = 25;
    start(&config, &path, silent()).unwrap();
    let good = state(&path, Which::Last);
    let breaking = Changes {
        steps: Some(50),
        learning_rate: Some(1.0),
        critic_learning_rate: Some(1.0),
        ..Changes::default()
    };
    let error = resume(&path, &breaking, silent()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("learning_rate"), "{message}");
    let step = match error {
        TrainError::Broken(loss) => loss.step,
        TrainError::BrokenParameters { step } => step,
        other => panic!("{other}"),
    };
    assert!((3..=50).contains(&step) && step % 25 != 0, "{message}");
    let finite = |state: &[Vec<f32>]| state.iter().flatten().all(|value| value.is_finite());
    let kept = state(&path, Which::Last);
    assert!(finite(&kept));
    let saved = CheckpointStore::open(path.join("checkpoints")).unwrap();
    if saved.entry(Which::Last).unwrap().step == 2 {
        assert_eq!(kept, good);
    }
}

#[test]
fn nothing_is_made_where_nothing_can_be_trained() {
    let root = tempfile::tempdir().unwrap();
    let refused = |change: fn(&mut RunConfig), expected: &str| {
        let path = root.path().join("refused");
        let mut config = config();
        change(&mut config);
        let message = start(&config, &path, silent()).unwrap_err().to_string();
        assert!(
            message.contains(expected) && !message.contains('\n'),
            "{message}"
        );
        assert!(!path.exists(), "{message}");
    };
    refused(|c| c.training.batch_size = 0, "training.batch_size");
    refused(|c| c.training.batch_size = 9000, "9000");
    refused(|c| gwae(c).backbone.latent_dim = 0, "model.latent_dim");
    refused(|c| c.data.validation_fraction = 1e-4, "single image");
    refused(
        |c| {
            gwae(c).backbone.latent_dim = 4096;
            gwae(c).prior = PriorConfig::GaussianMixture(gwae_priors::GaussianMixtureConfig {
                components: 4096,
                form: Form::Corrected,
            });
        },
        "gaussian_mixture prior would have",
    );
    refused(
        |c| c.training.entropy_weight = -1.0,
        "training.entropy_weight",
    );
    refused(
        |c| {
            gwae(c).merged_condition = false;
            gwae(c).learned_similarity = true;
        },
        "model.merged_condition",
    );

    let existing = root.path().join("existing");
    std::fs::create_dir(&existing).unwrap();
    std::fs::write(existing.join("notes.txt"), "mine").unwrap();
    let message = start(&config(), &existing, silent())
        .unwrap_err()
        .to_string();
    assert!(message.contains("not empty"), "{message}");
    assert_eq!(
        std::fs::read_to_string(existing.join("notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn damaged_checkpoints_are_named_with_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    start(&config(), &path, stopping_after(3)).unwrap();
    resume(&path, &Changes::default(), stopping_after(4)).unwrap();
    let files = checkpoint(&path, Which::Last);
    let model = files.directory().join(MODEL_FILE);
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let message = resume(&path, &Changes::default(), silent())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains(MODEL_FILE) && message.contains("best"),
        "{message}"
    );
}

#[test]
fn what_would_change_nothing_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    gwae(&mut config).merged_condition = false;
    config.training.steps = Some(1);
    config.data.validation_fraction = 0.0;
    config.training.patience = None;
    start(&config, &path, silent()).unwrap();
    let changes = Changes {
        critic_learning_rate: Some(1e-3),
        ..steps(2)
    };
    let message = resume(&path, &changes, silent()).unwrap_err().to_string();
    assert!(message.contains("no critic"), "{message}");
    // Without a validation there is no best checkpoint.
    let best = session::resume(&path, Which::Best, &steps(2), silent());
    let message = best.unwrap_err().to_string();
    assert!(message.contains("use the last"), "{message}");
}

/// After the validation of step 3, the directory is changed; the next checkpoint is due at step 6.
#[test]
fn a_run_directory_that_is_removed_renamed_or_replaced_ends_the_run() {
    struct Change(fn(&Path), std::path::PathBuf);
    impl ProgressDisplay for Change {
        fn start(&mut self, _: &RunOutline) {}
        fn step(&mut self, progress: &StepProgress<'_>) {
            if progress.step == 4 {
                (self.0)(&self.1);
            }
        }
        fn validation(&mut self, _: &ValidationProgress<'_>) {}
        fn message(&mut self, _: &str) {}
        fn finish(&mut self, _: &str) {}
    }
    fn rename(run: &Path) {
        std::fs::rename(run, run.with_file_name("renamed")).unwrap();
    }
    let changes: [fn(&Path); 3] = [
        |run| std::fs::remove_dir_all(run).unwrap(),
        rename,
        |run| {
            rename(run);
            std::fs::create_dir(run).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("run");
        let display = Change(change, path.clone());
        let error = start(&config(), &path, options(Box::new(display))).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("no longer holds this run"), "{message}");
        match number {
            2 => assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0),
            _ => assert!(!path.exists()),
        }
        if number > 0 {
            // What was saved before goes on.
            let renamed = root.path().join("renamed");
            let summary = resume(&renamed, &Changes::default(), silent()).unwrap();
            assert_eq!(summary.step, 7);
        }
    }
}
