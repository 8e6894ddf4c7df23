//! Whole runs on the embedded digits, tiny ones: resuming, interrupting, breaking, refusing.

use std::path::Path;

use burn::tensor::Device;
use gwae_models::official::OfficialState;
use gwae_priors::{Form, PriorConfig};
use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::interrupt::StopFlag;
use gwae_train::metrics_log::{MetricsLog, MetricsRecord, Phase};
use gwae_train::model_file::{MODEL_FILE, load_model};
use gwae_train::progress::{
    ProgressDisplay, RunOutline, SilentDisplay, StepProgress, ValidationProgress,
};
use gwae_train::run_directory::RunDirectory;
use gwae_train::session::{
    NewLimits, RunSummary, SessionOptions, StopReason, TrainError, resume, start,
};
use gwae_train::{DeviceSpec, RunConfig};

/// Every kind of state that a checkpoint has to hold: batch statistics of encoder, decoder and
/// prior, spectral vectors, two optimisers, a warm-up, and epochs of three steps.
fn config() -> RunConfig {
    let mut config = RunConfig::default();
    config.model.image_size = 32;
    config.model.channels = 1;
    config.model.latent_dim = 4;
    config.model.width = 0.1;
    config.model.batchnorm = true;
    config.model.prior = PriorConfig::GaussianMixture {
        components: 3,
        form: Form::Corrected,
    };
    config.training.batch_size = 8;
    config.training.critic_steps = 2;
    config.training.warmup_steps = 4;
    config.training.steps = Some(7);
    config.training.validate_every = Some(3);
    config.training.checkpoint_every = None;
    config.data.validation_fraction = 0.002;
    config
}

fn options(display: Box<dyn ProgressDisplay>) -> SessionOptions {
    SessionOptions {
        device: DeviceSpec::default(),
        display,
        stop: StopFlag::new(),
        command_line: vec!["test".into()],
    }
}

/// Asks the run to stop once it has done `after` steps, as Ctrl-C does.
struct StopAfter {
    after: u64,
    done: u64,
}

impl ProgressDisplay for StopAfter {
    fn start(&mut self, _: &RunOutline) {}
    fn step(&mut self, progress: &StepProgress<'_>) {
        self.done = progress.step;
    }
    fn validation(&mut self, _: &ValidationProgress<'_>) {}
    fn message(&mut self, _: &str) {}
    fn finish(&mut self, _: &str) {}
    fn stop_requested(&self) -> bool {
        self.done >= self.after
    }
}

fn silent() -> SessionOptions {
    options(Box::new(SilentDisplay))
}

fn stopping_after(after: u64) -> SessionOptions {
    options(Box::new(StopAfter { after, done: 0 }))
}

fn state(path: &Path, which: Which) -> OfficialState {
    let directory = RunDirectory::open(path).unwrap();
    let checkpoints = CheckpointStore::open(directory.checkpoints()).unwrap();
    let (files, _) = checkpoints.verified(which).unwrap();
    let model = &directory.config().model;
    load_model(model, &files.join(MODEL_FILE), &Device::flex())
        .unwrap()
        .official_state()
}

/// A line of the log without its times: step, phase, losses by name.
type Line = (u64, Phase, Vec<(String, f64)>);

fn log(path: &Path) -> Vec<Line> {
    let records = MetricsLog::read(&path.join("metrics.jsonl")).unwrap();
    let without_time = |r: MetricsRecord| (r.step, r.phase, r.losses);
    records.into_iter().map(without_time).collect()
}

fn assert_complete(path: &Path, summary: &RunSummary) {
    for file in [
        "config.toml",
        "run.json",
        "split.json",
        "metrics.jsonl",
        "reconstructions.png",
        "samples.png",
        "traversal.png",
        "losses.png",
        "checkpoints/index.json",
    ] {
        assert!(path.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    assert!(summary.test_psnr.unwrap().is_finite());
    assert!(summary.validation.is_some());
}

#[test]
fn a_resumed_run_equals_the_uninterrupted_one_bit_for_bit() {
    let root = tempfile::tempdir().unwrap();
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    let summary = start(&config(), &whole, silent()).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Finished, 7));
    assert_complete(&whole, &summary);

    // Stopped twice, off and on a validation step.
    let summary = start(&config(), &parts, stopping_after(2)).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Interrupted, 2));
    assert_complete(&parts, &summary);
    let summary = resume(&parts, NewLimits::default(), stopping_after(6)).unwrap();
    assert_eq!(summary.step, 6);
    let summary = resume(&parts, NewLimits::default(), silent()).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Finished, 7));

    assert_eq!(state(&whole, Which::Last), state(&parts, Which::Last));
    assert_eq!(state(&whole, Which::Best), state(&parts, Which::Best));
    assert_eq!(log(&whole), log(&parts));
}

#[test]
fn the_same_seed_repeats_a_run_and_another_does_not() {
    let root = tempfile::tempdir().unwrap();
    let run = |name: &str, seed| {
        let path = root.path().join(name);
        let mut config = config();
        config.training.seed = seed;
        config.training.steps = Some(2);
        start(&config, &path, silent()).unwrap();
        log(&path)
    };
    assert_eq!(run("a", 1), run("b", 1));
    assert_ne!(run("c", 1), run("d", 2));
}

#[test]
fn steps_after_a_crash_are_done_again() {
    // A crash between two checkpoints: the log is ahead of the last checkpoint.
    let root = tempfile::tempdir().unwrap();
    let (whole, crashed) = (root.path().join("whole"), root.path().join("crashed"));
    start(&config(), &whole, silent()).unwrap();
    start(&config(), &crashed, stopping_after(4)).unwrap();
    let log_file = crashed.join("metrics.jsonl");
    let ahead = std::fs::read_to_string(whole.join("metrics.jsonl")).unwrap();
    let cut = ahead.len() - 20;
    std::fs::write(&log_file, &ahead[..cut]).unwrap();
    resume(&crashed, NewLimits::default(), silent()).unwrap();
    assert_eq!(log(&whole), log(&crashed));
}

#[test]
fn a_run_can_be_extended() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    config.training.steps = Some(1);
    start(&config, &path, silent()).unwrap();
    let limits = NewLimits {
        steps: Some(2),
        epochs: None,
    };
    assert_eq!(resume(&path, limits, silent()).unwrap().step, 2);
    // Nothing is left to do: the pictures are drawn again, nothing is trained.
    assert_eq!(resume(&path, limits, silent()).unwrap().training, None);
}

#[test]
fn a_broken_loss_stops_the_run_and_keeps_the_last_good_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    config.model.batchnorm = false;
    config.training.validate_every = Some(1);
    config.training.warmup_steps = 0;
    config.training.steps = Some(50);
    config.training.learning_rate = 1.0;
    config.training.critic_learning_rate = 1.0;
    let error = start(&config, &path, silent()).unwrap_err();
    let message = error.to_string();
    assert!(
        matches!(
            error,
            TrainError::Broken(_) | TrainError::BrokenParameters { .. }
        ),
        "{message}"
    );
    assert!(
        message.starts_with("step ") && message.contains("learning_rate"),
        "{message}"
    );
    if path.join("checkpoints/index.json").exists() {
        let finite = |state: OfficialState| {
            state
                .iter()
                .all(|(_, tensor)| tensor.values.iter().all(|value| value.is_finite()))
        };
        assert!(finite(state(&path, Which::Last)));
    }
}

#[test]
fn a_training_without_critic_or_validation_runs() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    config.model.merged_condition = false;
    config.model.batchnorm = false;
    config.data.validation_fraction = 0.0;
    config.training.patience = None;
    config.training.steps = Some(4);
    let summary = start(&config, &path, silent()).unwrap();
    assert!(summary.validation.is_none() && summary.training.is_some());
    assert!(
        state(&path, Which::Last)
            .iter()
            .all(|(name, _)| !name.starts_with("disc_block"))
    );
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
    refused(|c| c.model.latent_dim = 0, "model.latent_dim");
    refused(
        |c| c.training.entropy_weight = -1.0,
        "training.entropy_weight",
    );
    refused(
        |c| {
            c.model.merged_condition = false;
            c.model.learned_similarity = true;
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
    resume(&path, NewLimits::default(), stopping_after(4)).unwrap();
    let checkpoints = CheckpointStore::open(path.join("checkpoints")).unwrap();
    let (files, _) = checkpoints.verified(Which::Last).unwrap();
    let model = files.join(MODEL_FILE);
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let message = resume(&path, NewLimits::default(), silent())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains(MODEL_FILE) && message.contains("best"),
        "{message}"
    );
}
