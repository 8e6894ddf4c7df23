//! Whole runs on the embedded digits, tiny ones: resuming, interrupting, breaking, refusing.

use std::path::Path;

use burn::tensor::Device;
use gwae_core::noise::{HostGenerator, uniform_tensor};
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
    let images = uniform_tensor(&mut HostGenerator::new(3, 0), [4, 1, 32, 32], &device);
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
    // Whoever interrupts does not wait for pictures.
    assert!(summary.training.is_some() && !parts.join("samples.png").exists());
    let summary = resume(&parts, &Changes::default(), stopping_after(6)).unwrap();
    assert_eq!(summary.step, 6);
    let summary = resume(&parts, &Changes::default(), silent()).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Finished, 7));

    assert_eq!(state(&whole, Which::Last), state(&parts, Which::Last));
    assert_eq!(state(&whole, Which::Best), state(&parts, Which::Best));
    assert_eq!(log(&whole), log(&parts));
    assert_complete(&parts, &summary);
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
    resume(&crashed, &Changes::default(), silent()).unwrap();
    assert_eq!(log(&whole), log(&crashed));
}

#[test]
fn an_extended_run_equals_a_longer_one() {
    let root = tempfile::tempdir().unwrap();
    let (whole, extended) = (root.path().join("whole"), root.path().join("extended"));
    start(&config(), &whole, silent()).unwrap();
    let mut shorter = config();
    // Ends between two validations: the one at its end must not count for the patience.
    shorter.training.steps = Some(5);
    start(&shorter, &extended, silent()).unwrap();
    let summary = resume(&extended, &steps(7), silent()).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Finished, 7));
    assert_eq!(state(&whole, Which::Last), state(&extended, Which::Last));
    assert_eq!(training_state(&whole), training_state(&extended));
    let without_last_validation: Vec<Line> = log(&extended)
        .into_iter()
        .filter(|(step, phase, _)| (*step, *phase) != (5, Phase::Validation))
        .collect();
    assert_eq!(log(&whole), without_last_validation);

    // The new limit is kept: nothing is left to do, and nothing is trained.
    let summary = resume(&extended, &Changes::default(), silent()).unwrap();
    assert_eq!((summary.step, summary.training), (7, None));
    let record = RunDirectory::open(&extended).unwrap().record().clone();
    let begun: Vec<u64> = record
        .resumed
        .iter()
        .map(|resumed| resumed.from_step)
        .collect();
    assert_eq!(begun, [5, 7]);
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
fn every_kind_of_model_resumes_bit_for_bit() {
    type Change = fn(&mut RunConfig);
    let kinds: [(&str, Change); 5] = [
        ("bf16", |c| c.training.precision = Precision::Bf16),
        ("without critic", |c| gwae(c).merged_condition = false),
        ("standardised codes", |c| {
            gwae(c).latent_bn = true;
            gwae(c).prior = PriorConfig::Causal {
                form: Form::Corrected,
            };
        }),
        ("everything on", |c| {
            gwae(c).resblock = true;
            gwae(c).learned_similarity = true;
            gwae(c).mixed_potential = true;
            gwae(c).critic_activation = CriticActivation::Absolute;
            gwae(c).prior = PriorConfig::VectorQuantized { embeddings: 5 };
        }),
        ("log now and then", |c| {
            c.training.log_every = 2;
            gwae(c).prior = PriorConfig::FactorizedNeural;
        }),
    ];
    for (name, change) in kinds {
        let root = tempfile::tempdir().unwrap();
        let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
        let mut config = config();
        config.training.steps = Some(4);
        change(&mut config);
        start(&config, &whole, silent()).unwrap();
        let mut shorter = config.clone();
        shorter.training.steps = Some(1);
        start(&shorter, &parts, silent()).unwrap();
        resume(&parts, &steps(4), silent()).unwrap();
        assert_eq!(
            state(&whole, Which::Last),
            state(&parts, Which::Last),
            "{name}"
        );
        assert_eq!(training_state(&whole), training_state(&parts), "{name}");
    }
}

#[test]
fn baselines_and_averages_resume_bit_for_bit() {
    type Change = fn(&mut RunConfig);
    let kinds: [(&str, Change); 4] = [
        ("averaged", |c| c.training.average_decay = 0.7),
        ("vae", |c| {
            let backbone = c.model.backbone();
            c.model = VaeConfig {
                backbone,
                ..VaeConfig::default()
            }
            .into();
        }),
        ("dagmm", |c| {
            let backbone = c.model.backbone();
            c.model = DagmmConfig {
                backbone,
                components: 3,
                ..DagmmConfig::default()
            }
            .into();
        }),
        ("averaged vae", |c| {
            let backbone = c.model.backbone();
            c.training.average_decay = 0.7;
            c.model = VaeConfig {
                backbone,
                ..VaeConfig::default()
            }
            .into();
        }),
    ];
    for (name, change) in kinds {
        let root = tempfile::tempdir().unwrap();
        let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
        let mut config = config();
        config.training.steps = Some(6);
        change(&mut config);
        let summary = start(&config, &whole, silent()).unwrap();
        assert_complete(&whole, &summary);
        let mut shorter = config.clone();
        shorter.training.steps = Some(2);
        start(&shorter, &parts, silent()).unwrap();
        resume(&parts, &steps(6), silent()).unwrap();
        assert_eq!(outputs(&whole), outputs(&parts), "{name}");
        assert_eq!(training_state(&whole), training_state(&parts), "{name}");
        // The shorter run validated once more, at its own end.
        let mut of_parts = log(&parts);
        of_parts.retain(|(step, phase, _)| (*step, phase) != (2, &Phase::Validation));
        assert_eq!(log(&whole), of_parts, "{name}");
    }
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
fn a_probe_sees_the_model_after_every_validation_and_at_the_end() {
    let root = tempfile::tempdir().unwrap();
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let record = seen.clone();
    let probe: Probe = Box::new(move |probed| {
        let images = probed.data.images(&probed.split.test[..2], probed.device)?;
        record
            .borrow_mut()
            .push((probed.step, probed.model.code(images).dims()));
        Ok(())
    });
    let options = SessionOptions {
        probe: Some(probe),
        ..silent()
    };
    start(&config(), &root.path().join("run"), options).unwrap();
    assert_eq!(*seen.borrow(), [(3, [2, 4]), (6, [2, 4]), (7, [2, 4])]);

    let failing: Probe = Box::new(|_| Err("no room for the picture".into()));
    let options = SessionOptions {
        probe: Some(failing),
        ..silent()
    };
    let path = root.path().join("failing");
    let error = start(&config(), &path, options).unwrap_err();
    assert_eq!(error.to_string(), "step 3: no room for the picture");
    // What was trained is saved.
    resume(&path, &steps(4), silent()).unwrap();
}

#[test]
fn an_interrupted_validation_is_made_up_for() {
    let root = tempfile::tempdir().unwrap();
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    start(&config(), &whole, silent()).unwrap();
    // The flag is set as soon as step 3, which validates, is done.
    let stop = StopFlag::new();
    struct Setting(StopFlag);
    impl ProgressDisplay for Setting {
        fn start(&mut self, _: &RunOutline) {}
        fn step(&mut self, progress: &StepProgress<'_>) {
            if progress.step == 3 {
                self.0.request();
            }
        }
        fn validation(&mut self, progress: &ValidationProgress<'_>) {
            panic!("validated after step {}", progress.step);
        }
        fn message(&mut self, _: &str) {}
        fn finish(&mut self, _: &str) {}
    }
    let options = SessionOptions {
        stop: stop.clone(),
        ..options(Box::new(Setting(stop)))
    };
    let summary = start(&config(), &parts, options).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Interrupted, 3));
    resume(&parts, &Changes::default(), silent()).unwrap();
    assert_eq!(state(&whole, Which::Last), state(&parts, Which::Last));
    assert_eq!(state(&whole, Which::Best), state(&parts, Which::Best));
    assert_eq!(log(&whole), log(&parts));
}

#[test]
fn a_run_without_a_checkpoint_begins_anew() {
    let root = tempfile::tempdir().unwrap();
    let (whole, killed) = (root.path().join("whole"), root.path().join("killed"));
    start(&config(), &whole, silent()).unwrap();
    start(&config(), &killed, stopping_after(1)).unwrap();
    // As a process that is killed before its first checkpoint leaves it.
    std::fs::remove_dir_all(killed.join("checkpoints")).unwrap();
    resume(&killed, &Changes::default(), silent()).unwrap();
    assert_eq!(state(&whole, Which::Last), state(&killed, Which::Last));
    assert_eq!(log(&whole), log(&killed));
}

#[test]
fn a_converged_run_stays_as_it_is_until_it_gets_more_patience() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    config.training.patience = Some(1);
    config.training.validate_every = Some(1);
    // No step makes anything better, or worse.
    config.training.learning_rate = 1e-30;
    config.training.critic_learning_rate = 1e-30;
    gwae(&mut config).batchnorm = false;
    gwae(&mut config).prior = PriorConfig::FactorizedNormal;
    config.training.steps = Some(50);
    let summary = start(&config, &path, silent()).unwrap();
    assert_eq!(summary.reason, StopReason::Converged);
    let step = summary.step;
    let summary = resume(&path, &Changes::default(), silent()).unwrap();
    assert_eq!(
        (summary.reason, summary.step),
        (StopReason::Converged, step)
    );
    let more = Changes {
        patience: Some(3),
        ..Changes::default()
    };
    let summary = resume(&path, &more, silent()).unwrap();
    assert_eq!(summary.reason, StopReason::Converged);
    assert_eq!(summary.step, step + 2);
}

#[test]
fn the_best_checkpoint_can_be_gone_on_from() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    start(&config(), &path, silent()).unwrap();
    let best = CheckpointStore::open(path.join("checkpoints")).unwrap();
    let best = best.entry(Which::Best).unwrap().step;
    let more = Changes {
        learning_rate: Some(2e-5),
        steps: Some(8),
        ..Changes::default()
    };
    let summary = session::resume(&path, Which::Best, &more, silent()).unwrap();
    assert_eq!(summary.step, 8);
    let directory = RunDirectory::open(&path).unwrap();
    assert_eq!(directory.config().training.learning_rate, 2e-5);
    assert_eq!(directory.record().resumed[0].from_step, best);
    let trained: Vec<u64> = log(&path)
        .iter()
        .filter(|(_, phase, _)| *phase == Phase::Train)
        .map(|(step, ..)| *step)
        .collect();
    assert_eq!(trained, (1..=8).collect::<Vec<_>>());
}

/// Trains well until a checkpoint is there, then with a learning rate that breaks everything.
#[test]
fn a_broken_loss_stops_the_run_and_keeps_the_last_good_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut config = config();
    gwae(&mut config).batchnorm = false;
    config.training.warmup_steps = 0;
    config.training.steps = Some(2);
    // The step that breaks is named although it is not one that is logged.
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
    let finite = |state: &OfficialState| {
        state
            .iter()
            .all(|(_, tensor)| tensor.values.iter().all(|value| value.is_finite()))
    };
    let kept = state(&path, Which::Last);
    assert!(finite(&kept));
    let saved = CheckpointStore::open(path.join("checkpoints")).unwrap();
    if saved.entry(Which::Last).unwrap().step == 2 {
        assert_eq!(kept, good);
    }
}

/// On these devices.
fn on(devices: &str) -> SessionOptions {
    SessionOptions {
        devices: devices.parse().unwrap(),
        ..silent()
    }
}

#[test]
fn several_devices_resume_bit_for_bit_and_one_is_as_without_a_list() {
    let root = tempfile::tempdir().unwrap();
    let path = |name| root.path().join(name);
    let mut config = config();
    config.training.steps = Some(4);
    let mut shorter = config.clone();
    shorter.training.steps = Some(2);
    start(&config, &path("whole"), on("cpu,cpu")).unwrap();
    start(&shorter, &path("parts"), on("cpu,cpu")).unwrap();
    resume(&path("parts"), &steps(4), on("cpu,cpu")).unwrap();
    let result = |name| {
        let path = path(name);
        (state(&path, Which::Last), training_state(&path))
    };
    assert_eq!(result("whole"), result("parts"));

    start(&config, &path("single"), silent()).unwrap();
    start(&config, &path("list of one"), on("cpu:0")).unwrap();
    assert_eq!(result("single"), result("list of one"));
    assert_eq!(log(&path("single")), log(&path("list of one")));
    assert_ne!(result("single").0, result("whole").0);
}

#[test]
fn a_run_goes_on_with_another_number_of_devices() {
    let root = tempfile::tempdir().unwrap();
    let mut config = config();
    config.training.steps = Some(1);
    for (before, after) in [("cpu", "cpu,cpu"), ("cpu,cpu,cpu,cpu", "cpu")] {
        let path = root.path().join(before);
        start(&config, &path, on(before)).unwrap();
        let summary = resume(&path, &steps(2), on(after)).unwrap();
        assert_eq!(summary.step, 2);
        let record = std::fs::read_to_string(path.join("run.json")).unwrap();
        let written = |devices| record.contains(&format!("\"device\": \"{devices}\""));
        assert!(written(before) && written(after), "{record}");
    }
}

#[test]
fn a_batch_that_the_devices_cannot_share_is_refused_before_anything_is_made() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    for (batch_size, devices, message) in [
        (
            9,
            "cpu,cpu",
            "batch_size = 9 cannot be divided evenly among 2",
        ),
        (2, "cpu,cpu", "batch_size = 2 is one image for each of 2"),
    ] {
        let mut config = config();
        config.training.batch_size = batch_size;
        let error = start(&config, &path, on(devices)).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(!path.exists());
    }
    let mut config = config();
    config.training.steps = Some(1);
    start(&config, &path, silent()).unwrap();
    let before = std::fs::read(path.join("run.json")).unwrap();
    let error = resume(&path, &steps(2), on("cpu,cpu,cpu")).unwrap_err();
    assert!(error.to_string().contains("among 3 devices"), "{error}");
    assert_eq!(std::fs::read(path.join("run.json")).unwrap(), before);
}

/// What is read more rarely is the same, and the steps that end in a validation, a checkpoint or the
/// run are read whatever the interval.
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
    refused(|c| gwae(c).latent_dim = 0, "model.latent_dim");
    refused(|c| c.data.validation_fraction = 1e-4, "single image");
    refused(
        |c| {
            gwae(c).latent_dim = 4096;
            gwae(c).prior = PriorConfig::GaussianMixture {
                components: 4096,
                form: Form::Corrected,
            };
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
    let checkpoints = CheckpointStore::open(path.join("checkpoints")).unwrap();
    let (files, _) = checkpoints.verified(Which::Last).unwrap();
    let model = files.join(MODEL_FILE);
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
