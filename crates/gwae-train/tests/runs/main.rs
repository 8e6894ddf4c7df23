//! Whole runs on the embedded digits, tiny ones: resuming, interrupting, breaking, refusing.

mod devices;
mod failing;
mod resuming;
mod watching;

use std::path::Path;

use burn::tensor::Device;
use gwae_core::random::{SeededGenerator, uniform_tensor};
use gwae_models::official::OfficialState;
use gwae_models::{CriticActivation, DagmmConfig, GwaeConfig, VaeConfig};
use gwae_priors::{Form, PriorConfig};
use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::interrupt::StopFlag;
use gwae_train::metrics_log::{MetricsLog, MetricsRecord, Phase};
use gwae_train::model_file::{AVERAGED_FILE, MODEL_FILE, load_model, model_for_use};
use gwae_train::progress::{
    ProgressDisplay, RunOutline, SilentDisplay, StepProgress, ValidationProgress,
};
use gwae_train::run_directory::RunDirectory;
use gwae_train::session::{
    Changes, Probe, RunSummary, SessionOptions, StopReason, TrainError, start,
};
use gwae_train::{DeviceList, Precision, RunConfig, session};

/// The model's configuration, which is that of a GWAE here.
fn gwae(config: &mut RunConfig) -> &mut GwaeConfig {
    config.model.gwae_mut().expect("the default model")
}

/// Every kind of state that a checkpoint has to hold: batch statistics of encoder, decoder and
/// prior, spectral vectors, two optimisers, a warm-up, and epochs of three steps.
fn config() -> RunConfig {
    let mut config = RunConfig::default();
    gwae(&mut config).image_size = 32;
    gwae(&mut config).channels = 1;
    gwae(&mut config).latent_dim = 4;
    gwae(&mut config).width = 0.1;
    gwae(&mut config).batchnorm = true;
    gwae(&mut config).prior = PriorConfig::GaussianMixture {
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
        devices: DeviceList::default(),
        display,
        stop: StopFlag::new(),
        command_line: vec!["test".into()],
        probe: None,
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

/// Goes on from the last checkpoint.
fn resume(
    path: &Path,
    changes: &Changes,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    session::resume(path, Which::Last, changes, options)
}

fn steps(steps: u64) -> Changes {
    Changes {
        steps: Some(steps),
        ..Changes::default()
    }
}

fn stopping_after(after: u64) -> SessionOptions {
    options(Box::new(StopAfter { after, done: 0 }))
}

fn state(path: &Path, which: Which) -> OfficialState {
    let directory = RunDirectory::open(path).unwrap();
    let checkpoints = CheckpointStore::open(directory.checkpoints()).unwrap();
    let (files, _) = checkpoints.verified(which).unwrap();
    let model = &directory.config().model;
    let model = load_model(model, &files.join(MODEL_FILE), &Device::flex()).unwrap();
    model.gwae().expect("the default model").official_state()
}

/// What the model for use makes of fixed images: their codes and reconstructions.
fn outputs(path: &Path) -> Vec<f32> {
    let directory = RunDirectory::open(path).unwrap();
    let checkpoints = CheckpointStore::open(directory.checkpoints()).unwrap();
    let (files, _) = checkpoints.verified(Which::Last).unwrap();
    let (model, device) = (&directory.config().model, Device::flex());
    let model = load_model(model, &model_for_use(&files), &device).unwrap();
    let images = uniform_tensor(&mut SeededGenerator::new(3, 0), [4, 1, 32, 32], &device);
    let codes = model.autoencoder().code(images);
    let images = model.autoencoder().decode(codes.clone());
    let codes = codes.into_data();
    codes
        .iter::<f32>()
        .chain(images.into_data().iter::<f32>())
        .collect()
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

/// What a checkpoint says of where the run stands, without the seconds.
fn training_state(path: &Path) -> serde_json::Value {
    let checkpoints = CheckpointStore::open(path.join("checkpoints")).unwrap();
    let (files, _) = checkpoints.verified(Which::Last).unwrap();
    let text = std::fs::read(files.join("state.json")).unwrap();
    let mut state: serde_json::Value = serde_json::from_slice(&text).unwrap();
    state["seconds"].take();
    state
}

#[test]
fn an_average_differs_from_the_model_and_is_what_is_used() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    config.training.average_decay = 0.9;
    start(&config, &path, silent()).unwrap();
    let directory = RunDirectory::open(&path).unwrap();
    let checkpoints = CheckpointStore::open(directory.checkpoints()).unwrap();
    let (files, _) = checkpoints.verified(Which::Last).unwrap();
    assert_eq!(model_for_use(&files), files.join(AVERAGED_FILE));
    let load = |name: &str| {
        let model = &directory.config().model;
        let model = load_model(model, &files.join(name), &Device::flex()).unwrap();
        model.gwae().unwrap().official_state()
    };
    assert_ne!(load(AVERAGED_FILE), load(MODEL_FILE));
}

#[test]
fn a_training_without_critic_or_validation_runs() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    gwae(&mut config).merged_condition = false;
    gwae(&mut config).batchnorm = false;
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
