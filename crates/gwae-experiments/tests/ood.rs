//! Tiny out-of-distribution experiments.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gwae_experiments::ood::{Experiment, ExperimentOptions, ExperimentOutcome};
use gwae_models::{BackboneConfig, DagmmConfig, GwaeConfig, VaeConfig};
use gwae_train::interrupt::StopFlag;
use gwae_train::progress::{
    ProgressDisplay, RunOutline, SilentDisplay, StepProgress, ValidationProgress,
};
use gwae_train::{DeviceList, ModelConfig, RunConfig};

fn backbone() -> BackboneConfig {
    BackboneConfig {
        image_size: 32,
        channels: 1,
        latent_dim: 3,
        width: 0.1,
        ..BackboneConfig::default()
    }
}

fn config(model: ModelConfig) -> RunConfig {
    let mut config = RunConfig {
        model,
        ..RunConfig::default()
    };
    config.training.batch_size = 8;
    config.training.critic_steps = 1;
    config.training.average_decay = 0.9;
    config.training.steps = Some(3);
    config.training.validate_every = Some(2);
    config.data.validation_fraction = 0.002;
    config
}

fn mixture() -> RunConfig {
    config(
        GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 3,
                width: 0.1,
                ..BackboneConfig::default()
            },
            prior: "gaussian_mixture".parse().unwrap(),
            ..GwaeConfig::default()
        }
        .into(),
    )
}

fn experiment(directory: &Path) -> Experiment {
    let dagmm = DagmmConfig {
        backbone: backbone(),
        components: 2,
        ..DagmmConfig::default()
    };
    Experiment {
        directory: directory.to_owned(),
        devices: DeviceList::default(),
        models: vec![
            ("GWAE".into(), mixture()),
            ("DAGMM".into(), config(dagmm.into())),
        ],
        sets: ["letters", "digits+shuffled", "letters"]
            .map(|name| name.parse().unwrap())
            .to_vec(),
        images: 20,
        seeds: vec![1, 2],
        drawn: |_, _| true,
        command_line: vec!["test".into()],
    }
}

fn run(experiment: &Experiment, stop: StopFlag) -> Result<ExperimentOutcome, String> {
    let outcome = experiment.run(&mut ExperimentOptions {
        display: &mut |_| Box::new(SilentDisplay) as Box<dyn ProgressDisplay>,
        preparation: &mut |_| {},
        message: &mut |_| {},
        stop,
    });
    outcome.map_err(|error| error.to_string())
}

#[test]
fn every_model_is_trained_with_every_seed_and_reported() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("ood");
    let outcome = run(&experiment(&directory), StopFlag::new()).unwrap();
    assert!(!outcome.interrupted);
    let models: Vec<_> = outcome
        .models
        .iter()
        .map(|m| (m.seed, m.model.as_str()))
        .collect();
    assert_eq!(
        models,
        [(1, "GWAE"), (1, "DAGMM"), (2, "GWAE"), (2, "DAGMM")]
    );
    for model in &outcome.models {
        // Both models have mixtures.
        assert!(model.clusters.is_some());
        // Two sets with the same name stay two sets.
        let sets: std::collections::BTreeSet<_> = model
            .comparisons
            .iter()
            .map(|row| row.set.as_str())
            .collect();
        assert_eq!(sets.len(), 3, "{sets:?}");
        assert!(
            model
                .comparisons
                .iter()
                .all(|row| row.report.count_in == 20)
        );
    }
    let clusters = outcome.models[0].clusters.as_ref().unwrap();
    let clusters = clusters.components.as_ref().unwrap();
    let clusters = clusters.labelled.as_ref().unwrap();
    let assigned: u64 = clusters.labels_of_images.iter().flatten().sum();
    assert_eq!(assigned, 20);
    let sampled: Vec<u64> = clusters
        .labels_of_samples
        .iter()
        .map(|c| c.iter().sum())
        .collect();
    assert_eq!(sampled, [64; 10]);
    assert!((0.2..=1.0).contains(&clusters.samples_of_two_labels()));
    for file in [
        "seeds.md",
        "seed-1/table.md",
        "seed-2/table.csv",
        "seed-1/roc_letters__2_.png",
        "seed-1/auc_over_steps_gwae.png",
        "seed-2/histograms_dagmm.png",
        "seed-2/gwae/embedding.png",
        "seed-2/gwae/cluster_samples/component_9.png",
    ] {
        assert!(directory.join(file).exists(), "{file}");
    }
    // The brightness has one curve and one row per set, and belongs to no model.
    let curves = std::fs::read_to_string(directory.join("seed-1/roc_letters.csv")).unwrap();
    let starts = |owner: &str| {
        let start = format!("{owner},mean_brightness,0,0");
        curves.lines().filter(|line| *line == start).count()
    };
    assert_eq!(["no model", "GWAE", "DAGMM"].map(starts), [1, 0, 0]);
    let table = std::fs::read_to_string(directory.join("seed-2/table.csv")).unwrap();
    let rows = |owner: &str| {
        let start = format!("{owner},mean_brightness,letters (2),");
        table
            .lines()
            .filter(|line| line.starts_with(&start))
            .count()
    };
    assert_eq!(["no model", "GWAE", "DAGMM"].map(rows), [1, 0, 0]);
    let seeds = std::fs::read_to_string(directory.join("seeds.md")).unwrap();
    assert!(
        seeds.contains("| no model | mean_brightness | letters (2) | 2 |"),
        "{seeds}"
    );
    // Steps 2 and 3 were validated, and the trace has every score of every set.
    let trace = std::fs::read_to_string(directory.join("seed-1/auc_over_steps.csv")).unwrap();
    let steps: std::collections::BTreeSet<_> = trace
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(3).unwrap())
        .collect();
    assert_eq!(steps, ["2", "3"].into());

    // It is not overwritten.
    let again = run(&experiment(&directory), StopFlag::new()).unwrap_err();
    assert!(again.contains("is not empty"), "{again}");
}

#[test]
fn an_interrupted_experiment_says_so() {
    let root = tempfile::tempdir().unwrap();
    let stop = StopFlag::new();
    stop.request();
    let outcome = run(&experiment(&root.path().join("ood")), stop).unwrap();
    assert!(outcome.interrupted && outcome.models.is_empty());
}

#[test]
fn models_that_cannot_be_compared_are_refused_before_any_training() {
    let root = tempfile::tempdir().unwrap();
    let mut other_size = experiment(root.path());
    let larger = BackboneConfig {
        image_size: 64,
        ..backbone()
    };
    let larger = VaeConfig {
        backbone: larger,
        ..VaeConfig::default()
    };
    other_size
        .models
        .push(("VAE".into(), config(larger.into())));
    let mut same_name = experiment(root.path());
    same_name.models.push(("GWAE".into(), mixture()));
    for (experiment, name) in [(other_size, "VAE"), (same_name, "GWAE")] {
        let error = run(&experiment, StopFlag::new()).unwrap_err();
        assert!(error.starts_with(&format!("model {name}:")), "{error}");
    }
}

#[test]
fn seeds_that_cannot_be_used_are_refused_before_any_training() {
    let root = tempfile::tempdir().unwrap();
    for (seeds, problem) in [
        (vec![1, 2, 1], "seed 1 is given twice"),
        (vec![1, u64::MAX], "training.seed"),
    ] {
        let experiment = Experiment {
            seeds,
            ..experiment(root.path())
        };
        let error = run(&experiment, StopFlag::new()).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    assert!(fs::read_dir(root.path()).unwrap().next().is_none());
}

/// When the user stops an experiment.
#[derive(Clone, Copy, PartialEq)]
enum Moment {
    /// After this training step, before any validation.
    Step(u64),
    /// After the validation of this step.
    Validation(u64),
    /// After the training.
    End,
}

/// Requests a stop at a moment of a training.
struct StopAt(Moment, StopFlag);

impl StopAt {
    fn reached(&self, moment: Moment) {
        if self.0 == moment {
            self.1.request();
        }
    }
}

impl ProgressDisplay for StopAt {
    fn start(&mut self, _: &RunOutline) {}
    fn step(&mut self, progress: &StepProgress<'_>) {
        self.reached(Moment::Step(progress.step));
    }
    fn validation(&mut self, progress: &ValidationProgress<'_>) {
        self.reached(Moment::Validation(progress.step));
    }
    fn message(&mut self, _: &str) {}
    fn finish(&mut self, _: &str) {
        self.reached(Moment::End);
    }
}

/// Continues the experiment, or begins it. Stops at a moment of the training with the given number,
/// counted over the trainings of this session. Also returns which models were trained.
fn session(
    directory: &Path,
    resumes: bool,
    stop: Option<(usize, Moment)>,
) -> (ExperimentOutcome, Vec<String>) {
    let experiment = match resumes {
        false => experiment(directory),
        true => {
            let (devices, command_line) = (DeviceList::default(), vec!["again".into()]);
            Experiment::stored(directory, devices, |_, _| true, command_line).unwrap()
        }
    };
    let flag = StopFlag::new();
    let mut trained = Vec::new();
    let mut options = ExperimentOptions {
        display: &mut |model| {
            trained.push(model.to_owned());
            match stop {
                Some((number, moment)) if number + 1 == trained.len() => {
                    Box::new(StopAt(moment, flag.clone()))
                }
                _ => Box::new(SilentDisplay),
            }
        },
        preparation: &mut |_| {},
        message: &mut |_| {},
        stop: flag.clone(),
    };
    let outcome = match resumes {
        false => experiment.run(&mut options),
        true => experiment.resume(&mut options),
    };
    let outcome = outcome.unwrap();
    assert_eq!(outcome.interrupted, stop.is_some());
    (outcome, trained)
}

/// Every result in a directory, by its path. Leaves out times, the record of the sessions, and the
/// logs and checkpoints of the trainings, which have other tests.
fn results(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let contents = match name {
                "checkpoints" => continue,
                _ if path.is_dir() => {
                    directories.push(path);
                    continue;
                }
                // They have times.
                "run.json" | "experiment.json" | "ood.json" | "metrics.jsonl" | "report.html" => {
                    Vec::new()
                }
                "auc_over_steps.csv" => {
                    let text = fs::read_to_string(&path).unwrap();
                    let lines = text.lines().map(|line| {
                        let mut fields: Vec<_> = line.split(',').collect();
                        fields.remove(4);
                        fields.join(",")
                    });
                    lines.collect::<Vec<_>>().join("\n").into_bytes()
                }
                _ => fs::read(&path).unwrap(),
            };
            found.insert(path.strip_prefix(directory).unwrap().to_owned(), contents);
        }
    }
    found
}

fn without_seconds(mut outcome: ExperimentOutcome) -> String {
    for model in &mut outcome.models {
        model.seconds = 0.0;
    }
    format!("{outcome:?}")
}

#[test]
fn a_resumed_experiment_equals_the_uninterrupted_one() {
    let root = tempfile::tempdir().unwrap();
    let (whole, stopped) = (root.path().join("whole"), root.path().join("stopped"));
    // As after a crash at the very beginning.
    fs::create_dir(&whole).unwrap();
    for file in ["run.lock", ".experiment.json.4711-0.tmp"] {
        fs::write(whole.join(file), "").unwrap();
    }
    let (expected, trained) = session(&whole, false, None);
    assert_eq!(trained, ["GWAE", "DAGMM", "GWAE", "DAGMM"]);

    // During a training, before its first checkpoint and its first validation.
    let (outcome, _) = session(&stopped, false, Some((0, Moment::Step(1))));
    assert!(outcome.models.is_empty());
    // Between two trainings.
    let (outcome, trained) = session(&stopped, true, Some((0, Moment::End)));
    assert_eq!((outcome.models.len(), trained.len()), (1, 1));
    // While a validation is due.
    let (_, trained) = session(&stopped, true, Some((0, Moment::Step(2))));
    assert_eq!(trained, ["DAGMM"]);
    // In the last step.
    let (_, trained) = session(&stopped, true, Some((0, Moment::Step(3))));
    assert_eq!(trained, ["DAGMM"]);
    // After a validation, in the second training of this session.
    let (_, trained) = session(&stopped, true, Some((1, Moment::Validation(2))));
    assert_eq!(trained, ["DAGMM", "GWAE"]);
    // As after a crash while the run directory was created, before its record was written.
    fs::create_dir(stopped.join("seed-2/dagmm")).unwrap();
    for file in [
        "config.toml",
        "split.json",
        "run.lock",
        ".run.json.4711-0.tmp",
    ] {
        fs::write(stopped.join("seed-2/dagmm").join(file), "{").unwrap();
    }
    // As after a crash between a checkpoint and its validation's callbacks.
    let (_, trained) = session(&stopped, true, Some((1, Moment::Validation(2))));
    assert_eq!(trained, ["GWAE", "DAGMM"]);
    fs::remove_file(stopped.join("seed-2/dagmm/ood.json")).unwrap();
    let (outcome, trained) = session(&stopped, true, None);
    assert_eq!(trained, ["DAGMM"]);
    assert_eq!(without_seconds(outcome), without_seconds(expected.clone()));
    let (expected_files, found) = (results(&whole), results(&stopped));
    assert!(expected_files.keys().eq(found.keys()));
    for (path, contents) in &expected_files {
        assert!(*contents == found[path], "{}", path.display());
    }

    // A finished experiment only writes its reports again.
    fs::remove_file(stopped.join("seed-2/table.md")).unwrap();
    let (outcome, trained) = session(&stopped, true, None);
    assert!(trained.is_empty());
    assert_eq!(without_seconds(outcome), without_seconds(expected));
    assert!(results(&stopped) == expected_files);
}

#[test]
fn what_cannot_be_resumed_is_refused_with_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("ood");
    let small = |directory: &Path| Experiment {
        models: vec![("DAGMM".into(), experiment(directory).models.remove(1).1)],
        seeds: vec![1],
        ..experiment(directory)
    };
    let go_on = |experiment: &Experiment| {
        let outcome = experiment.resume(&mut ExperimentOptions {
            display: &mut |_| Box::new(SilentDisplay) as Box<dyn ProgressDisplay>,
            preparation: &mut |_| {},
            message: &mut |_| {},
            stop: StopFlag::new(),
        });
        let message = outcome.map_err(|error| error.to_string());
        if let Err(message) = &message {
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        message
    };
    let nothing = go_on(&small(&directory)).unwrap_err();
    assert!(nothing.contains("holds no experiment"), "{nothing}");
    assert!(!directory.exists());

    // If nothing could be trained, no files remain.
    let mut broken = small(&directory);
    broken.models[0].1.training.batch_size = 16_000;
    run(&broken, StopFlag::new()).unwrap_err();
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);

    let stop = Moment::Step(2);
    let flag = StopFlag::new();
    let stopped = small(&directory).run(&mut ExperimentOptions {
        display: &mut |_| Box::new(StopAt(stop, flag.clone())) as Box<dyn ProgressDisplay>,
        preparation: &mut |_| {},
        message: &mut |_| {},
        stop: flag.clone(),
    });
    assert!(stopped.unwrap().interrupted);
    for (experiment, what) in [
        (
            Experiment {
                images: 21,
                ..small(&directory)
            },
            "other numbers of images",
        ),
        (
            Experiment {
                seeds: vec![2],
                ..small(&directory)
            },
            "other seeds",
        ),
        (
            Experiment {
                sets: vec!["letters".parse().unwrap()],
                ..small(&directory)
            },
            "other sets",
        ),
        (
            Experiment {
                models: experiment(&directory).models,
                ..small(&directory)
            },
            "other models",
        ),
    ] {
        let message = go_on(&experiment).unwrap_err();
        assert!(message.contains(what), "{message}");
    }

    // Files are changed, damaged and restored.
    let record = directory.join("experiment.json");
    let of_run = |name: &str| directory.join("dagmm").join(name);
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let other_images = {
        let stored: serde_json::Value = serde_json::from_str(&text(&record)).unwrap();
        let fingerprint = stored["fingerprints"][0].as_str().unwrap();
        text(&record).replace(fingerprint, &"0".repeat(64))
    };
    let changed_run = text(&of_run("config.toml")).replace("steps = 3", "steps = 4");
    for (path, contents, words) in [
        (&record, &"{".to_owned(), "experiment.json is damaged"),
        (
            &record,
            &other_images,
            "the images of letters are not those",
        ),
        (
            &of_run("config.toml"),
            &changed_run,
            "is not as the experiment began it",
        ),
    ] {
        let before = text(path);
        assert_ne!(before, *contents);
        fs::write(path, contents).unwrap();
        let message = go_on(&small(&directory)).unwrap_err();
        assert!(message.contains(words), "{message}");
        fs::write(path, before).unwrap();
    }
    fs::write(of_run("ood.json"), "{\"trace\":").unwrap();
    let message = go_on(&small(&directory)).unwrap_err();
    assert!(message.contains("ood.json is damaged"), "{message}");
    assert!(message.contains("or delete "), "{message}");
    // The advice in the message works.
    fs::remove_dir_all(directory.join("dagmm")).unwrap();
    assert_eq!(go_on(&small(&directory)).unwrap().models.len(), 1);

    let scores = of_run("scores/out/letters/energy.npy");
    fs::write(&scores, "").unwrap();
    let message = go_on(&small(&directory)).unwrap_err();
    assert!(
        message.contains("energy.npy") && message.contains("or delete "),
        "{message}"
    );
}
