//! Results of runs that were stopped, extended or begun again.

use super::*;

#[test]
fn a_resumed_run_equals_the_uninterrupted_one_bit_for_bit() {
    let root = tempfile::tempdir().unwrap();
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    let summary = start(&config(), &whole, silent()).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Finished, 7));
    assert_complete(&whole, &summary);

    // Stopped twice, once between validations and once at one.
    let summary = start(&config(), &parts, stopping_after(2)).unwrap();
    assert_eq!((summary.reason, summary.step), (StopReason::Interrupted, 2));
    // An interrupted run draws no pictures.
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

/// `sha256sum` compares runs.
#[test]
fn the_same_seed_gives_equal_checkpoint_files() {
    let root = tempfile::tempdir().unwrap();
    let files = |path: &Path| {
        let checkpoints = CheckpointStore::open(path.join("checkpoints")).unwrap();
        [Which::Best, Which::Last].map(|which| checkpoints.entry(which).unwrap().files.clone())
    };
    let mut config = config();
    config.training.average_decay = 0.9;
    let (a, b, parts) = ["a", "b", "parts"]
        .map(|name| root.path().join(name))
        .into();
    start(&config, &a, silent()).unwrap();
    start(&config, &b, silent()).unwrap();
    start(&config, &parts, stopping_after(2)).unwrap();
    resume(&parts, &Changes::default(), silent()).unwrap();
    assert_eq!(files(&a), files(&b));
    assert_eq!(files(&a), files(&parts));
    config.training.seed += 1;
    let other = root.path().join("other");
    start(&config, &other, silent()).unwrap();
    assert_ne!(files(&a), files(&other));
}

#[test]
fn steps_after_a_crash_are_done_again() {
    // A crash between two checkpoints: the log has more steps than the last checkpoint.
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
    // Ends between two validations: the validation at its end must not count for the patience.
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

    // The run keeps the new limit: no step is left, and none is trained.
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

#[test]
fn every_kind_of_model_resumes_bit_for_bit() {
    type Change = fn(&mut RunConfig);
    let kinds: [(&str, Change); 5] = [
        ("bf16", |c| c.training.precision = Precision::Bf16),
        ("without critic", |c| gwae(c).merged_condition = false),
        ("standardised codes", |c| {
            gwae(c).backbone.latent_bn = true;
            gwae(c).prior = PriorConfig::Causal(gwae_priors::CausalConfig {
                form: Form::Corrected,
            });
        }),
        ("everything on", |c| {
            gwae(c).backbone.resblock = true;
            gwae(c).learned_similarity = true;
            gwae(c).mixed_potential = true;
            gwae(c).critic_activation = CriticActivation::Absolute;
            gwae(c).prior =
                PriorConfig::VectorQuantized(gwae_priors::VectorQuantizedConfig { embeddings: 5 });
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
fn every_kind_in_the_registry_resumes_bit_for_bit() {
    for (kind, _) in ModelConfig::kinds() {
        resumes_bit_for_bit(kind, |c| c.model = of_kind(c, kind));
    }
}

#[test]
fn averages_resume_bit_for_bit() {
    for kind in ["gwae", "vae"] {
        resumes_bit_for_bit(&format!("averaged {kind}"), |c| {
            c.training.average_decay = 0.7;
            c.model = of_kind(c, kind);
        });
    }
}

/// The model of the configuration if it has this kind, else the default one with its networks.
fn of_kind(config: &mut RunConfig, kind: &str) -> ModelConfig {
    if config.model.kind() == kind {
        return config.model.clone();
    }
    let mut model = ModelConfig::of_kind(kind).unwrap();
    *model.backbone_mut().unwrap() = gwae(config).backbone.clone();
    model
}

fn resumes_bit_for_bit(name: &str, change: impl FnOnce(&mut RunConfig)) {
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
    // The shorter run did one more validation, at its own end.
    let mut of_parts = log(&parts);
    of_parts.retain(|(step, phase, _)| (*step, phase) != (2, &Phase::Validation));
    assert_eq!(log(&whole), of_parts, "{name}");
}

#[test]
fn an_interrupted_validation_is_made_up_for() {
    let root = tempfile::tempdir().unwrap();
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    start(&config(), &whole, silent()).unwrap();
    // The flag is set right after step 3, which validates.
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
    // As after a kill between the record of the validation and the checkpoint.
    let killed = root.path().join("killed");
    copy(&parts, &killed);
    let lines = std::fs::read_to_string(whole.join("metrics.jsonl")).unwrap();
    let lines: Vec<&str> = lines.split_inclusive('\n').take(4).collect();
    assert!(lines[3].contains("validation"), "{}", lines[3]);
    std::fs::write(killed.join("metrics.jsonl"), lines.concat()).unwrap();
    for resumed in [parts, killed] {
        resume(&resumed, &Changes::default(), silent()).unwrap();
        assert_eq!(state(&whole, Which::Last), state(&resumed, Which::Last));
        assert_eq!(state(&whole, Which::Best), state(&resumed, Which::Best));
        assert_eq!(log(&whole), log(&resumed));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A run that ends between two validations is validated at its end, even on a checkpoint step.
#[test]
fn the_end_is_validated_whatever_else_is_due() {
    let root = tempfile::tempdir().unwrap();
    let result = |checkpoint_every| {
        let path = root.path().join(format!("{checkpoint_every:?}"));
        let mut config = config();
        config.training.steps = Some(4);
        config.training.checkpoint_every = checkpoint_every;
        start(&config, &path, silent()).unwrap();
        // No step is left, and nothing to record.
        resume(&path, &Changes::default(), silent()).unwrap();
        (log(&path), state(&path, Which::Best))
    };
    let (log, best) = result(Some(2));
    assert_eq!((log.clone(), best), result(None));
    let validated = log.iter().filter(|line| line.1 == Phase::Validation);
    assert_eq!(validated.map(|line| line.0).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_stop_in_the_last_step_leaves_the_last_look_for_later() {
    for (steps, checkpoint_every) in [(6, None), (7, None), (7, Some(7))] {
        let root = tempfile::tempdir().unwrap();
        let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
        let mut config = config();
        config.training.steps = Some(steps);
        config.training.checkpoint_every = checkpoint_every;
        start(&config, &whole, silent()).unwrap();
        let summary = start(&config, &parts, stopping_after(steps)).unwrap();
        assert_eq!(
            (summary.reason, summary.step, summary.test_psnr),
            (StopReason::Interrupted, steps, None)
        );
        let summary = resume(&parts, &Changes::default(), silent()).unwrap();
        assert_eq!(
            (summary.reason, summary.step),
            (StopReason::Finished, steps)
        );
        assert_complete(&parts, &summary);
        assert_eq!(state(&whole, Which::Last), state(&parts, Which::Last));
        assert_eq!(state(&whole, Which::Best), state(&parts, Which::Best));
        assert_eq!(log(&whole), log(&parts));
    }
}

/// As after a kill between the first checkpoint and the index, or when a user loses the index
/// later.
#[test]
fn a_run_without_an_index_goes_on_and_keeps_its_best_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let mut config = config();
    config.training.validate_every = Some(2);
    // No step improves anything, so the first validation is the best.
    config.training.learning_rate = 1e-30;
    config.training.critic_learning_rate = 1e-30;
    gwae(&mut config).backbone.batchnorm = false;
    gwae(&mut config).prior = PriorConfig::FactorizedNormal;
    config.training.steps = Some(6);
    start(&config, &whole, silent()).unwrap();
    for stopped in [2, 3, 5] {
        let parts = root.path().join(stopped.to_string());
        start(&config, &parts, stopping_after(stopped)).unwrap();
        std::fs::remove_file(parts.join("checkpoints/index.json")).unwrap();
        resume(&parts, &Changes::default(), silent()).unwrap();
        let checkpoints = CheckpointStore::open(parts.join("checkpoints")).unwrap();
        assert_eq!(checkpoints.entry(Which::Best).unwrap().step, 2);
        assert_eq!(state(&whole, Which::Last), state(&parts, Which::Last));
        assert_eq!(state(&whole, Which::Best), state(&parts, Which::Best));
        assert_eq!(log(&whole), log(&parts));
    }
}

#[test]
fn a_run_without_a_checkpoint_begins_anew() {
    let root = tempfile::tempdir().unwrap();
    let (whole, killed) = (root.path().join("whole"), root.path().join("killed"));
    start(&config(), &whole, silent()).unwrap();
    start(&config(), &killed, stopping_after(1)).unwrap();
    // As after a kill before the first checkpoint.
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
    // No step changes anything, for better or worse.
    config.training.learning_rate = 1e-30;
    config.training.critic_learning_rate = 1e-30;
    gwae(&mut config).backbone.batchnorm = false;
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

/// Copies the files of `from/checkpoints` to `to/checkpoints`, as a user would.
fn copy_checkpoints(from: &Path, to: &Path) {
    let (from, to) = (from.join("checkpoints"), to.join("checkpoints"));
    std::fs::remove_dir_all(&to).unwrap();
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap() {
        let (entry, name) = {
            let entry = entry.unwrap();
            (entry.path(), entry.file_name())
        };
        if entry.is_file() {
            std::fs::copy(&entry, to.join(name)).unwrap();
            continue;
        }
        std::fs::create_dir(to.join(&name)).unwrap();
        for file in std::fs::read_dir(&entry).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(&name).join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn checkpoints_of_another_run_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let run = |name: &str, seed| {
        let path = root.path().join(name);
        let mut config = config();
        config.training.seed = seed;
        config.training.steps = Some(2);
        start(&config, &path, silent()).unwrap();
        path
    };
    let (own, equal, other) = (run("own", 1), run("equal", 1), run("other", 2));
    // Those of a run that computes the same are the same.
    copy_checkpoints(&equal, &own);
    resume(&own, &steps(3), silent()).unwrap();
    copy_checkpoints(&other, &own);
    let expected = "step-00000002 is a checkpoint of another run";
    let message = resume(&own, &steps(4), silent()).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
    let loaded = TrainedModel::load(&own, &Device::flex());
    let message = loaded.err().unwrap().to_string();
    assert!(message.contains(expected), "{message}");

    // As from an earlier version, which gave runs and checkpoints no identity.
    for (run, is_taken) in [(&own, false), (&other, true)] {
        let record = run.join("run.json");
        let text = std::fs::read_to_string(&record).unwrap();
        let mut record_of: serde_json::Value = serde_json::from_str(&text).unwrap();
        record_of
            .as_object_mut()
            .unwrap()
            .remove("identity")
            .unwrap();
        std::fs::write(&record, record_of.to_string()).unwrap();
        if is_taken {
            let checkpoints = run.join("checkpoints");
            std::fs::remove_file(checkpoints.join("index.json")).unwrap();
            std::fs::remove_file(checkpoints.join("step-00000002/run.txt")).unwrap();
            resume(run, &steps(3), silent()).unwrap();
        } else {
            assert!(TrainedModel::load(run, &Device::flex()).is_err());
        }
    }
}
