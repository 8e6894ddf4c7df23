//! Complete, tiny runs on the embedded digits: resuming, interrupting, failing, refusing.

mod devices;
mod failing;
mod resuming;
mod watching;

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use gwae_core::random::{SeededGenerator, uniform_tensor};
use gwae_models::{Autoencoder, CriticActivation, Gwae, GwaeConfig};
use gwae_priors::{Form, GaussianMixtureConfig, PriorConfig};
use gwae_train::algorithm::GwaeAlgorithm;
use gwae_train::checkpoint::{Checkpoint, CheckpointFile, CheckpointStore, Which};
use gwae_train::interrupt::StopFlag;
use gwae_train::metrics_log::{MetricsLog, MetricsRecord, Phase};
use gwae_train::model_file::{AVERAGED_FILE, MODEL_FILE, load_model_of};
use gwae_train::pictures::Pictures;
use gwae_train::progress::{
    Progress, ProgressDisplay, RunOutline, SilentDisplay, StepProgress, ValidationProgress,
};
use gwae_train::run_directory::RunDirectory;
use gwae_train::session::{Changes, RunSummary, SessionOptions, StopReason, TrainError, start};
use gwae_train::{DeviceList, ModelConfig, Precision, RunConfig, TrainedModel, session};

/// The configuration of the model, which must be a GWAE.
fn gwae(config: &mut RunConfig) -> &mut GwaeConfig {
    config.model.gwae_mut().expect("the default model")
}

/// Needs every kind of state that a checkpoint holds: batch statistics of encoder, decoder and
/// prior, spectral vectors, two optimisers, a warm-up, and epochs of three steps.
fn config() -> RunConfig {
    let mut config = RunConfig::default();
    gwae(&mut config).backbone.image_size = 32;
    gwae(&mut config).backbone.channels = 1;
    gwae(&mut config).backbone.latent_dim = 4;
    gwae(&mut config).backbone.width = 0.1;
    gwae(&mut config).backbone.batchnorm = true;
    gwae(&mut config).prior = PriorConfig::GaussianMixture(GaussianMixtureConfig {
        components: 3,
        form: Form::Corrected,
    });
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
        command_line: vec!["test".into()],
        callbacks: vec![Box::new(Progress(display)), Box::new(Pictures)],
        ..SessionOptions::new(DeviceList::default())
    }
}

/// Asks the run to stop after step `after`, like Ctrl-C.
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

/// Continues from the last checkpoint.
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

/// Every parameter and buffer, in module order.
fn parameters(model: &Gwae) -> Vec<Vec<f32>> {
    struct Read(Vec<Vec<f32>>);
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().into_data().iter::<f32>().collect());
        }
    }
    let mut read = Read(Vec::new());
    model.visit(&mut read);
    read.0
}

fn checkpoint(path: &Path, which: Which) -> Checkpoint {
    let checkpoints = CheckpointStore::open(path.join("checkpoints"));
    checkpoints.unwrap().read(which).unwrap()
}

fn saved(path: &Path, which: Which) -> Gwae {
    load_gwae(path, checkpoint(path, which).take(MODEL_FILE).unwrap())
}

fn load_gwae(path: &Path, file: CheckpointFile) -> Gwae {
    let directory = RunDirectory::open(path).unwrap();
    let model = directory.config().model.gwae().expect("the default model");
    load_model_of(&GwaeAlgorithm::new(model.clone()), file, &Device::flex()).unwrap()
}

fn state(path: &Path, which: Which) -> Vec<Vec<f32>> {
    parameters(&saved(path, which))
}

/// Codes and reconstructions of fixed images by the model to use.
fn outputs(path: &Path) -> Vec<f32> {
    let trained = TrainedModel::load_checkpoint(path, Which::Last, &Device::flex()).unwrap();
    outputs_of(trained.autoencoder())
}

fn outputs_of(model: &dyn Autoencoder) -> Vec<f32> {
    let random = &mut SeededGenerator::new(3, 0);
    let images = uniform_tensor(random, [4, 1, 32, 32], &Device::flex());
    let codes = model.encode(images);
    let images = model.decode(codes.clone());
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

/// The training state in a checkpoint, without the seconds.
fn training_state(path: &Path) -> serde_json::Value {
    let text = checkpoint(path, Which::Last)
        .take("state.json")
        .unwrap()
        .bytes;
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
    let mut files = checkpoint(&path, Which::Last);
    let mut load = |name| load_gwae(&path, files.take(name).unwrap());
    let (averaged, last) = (load(AVERAGED_FILE), load(MODEL_FILE));
    assert_ne!(parameters(&averaged), parameters(&last));
    assert_eq!(outputs(&path), outputs_of(&averaged));
    assert_ne!(outputs(&path), outputs_of(&last));
}

#[test]
fn a_training_without_critic_or_validation_runs() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    gwae(&mut config).merged_condition = false;
    gwae(&mut config).backbone.batchnorm = false;
    config.data.validation_fraction = 0.0;
    config.training.patience = None;
    config.training.steps = Some(4);
    let summary = start(&config, &path, silent()).unwrap();
    assert!(summary.validation.is_none() && summary.training.is_some());
    assert!(saved(&path, Which::Last).critic.is_none());
}
