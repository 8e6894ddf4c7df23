//! Options of the optimisation in whole runs.

use gwae_train::TrainingConfig;
use gwae_train::optimizer::OptimizerConfig;
use gwae_train::optimizer::adam_w::AdamW;
use gwae_train::optimizer::clipping::GradientClipping;
use gwae_train::optimizer::sgd::Sgd;
use gwae_train::schedule::ScheduleConfig;

use super::{losses, trainer, training};

/// None of them is the default.
fn options() -> TrainingConfig {
    TrainingConfig {
        optimizer: OptimizerConfig::AdamW(AdamW::default()),
        critic_optimizer: OptimizerConfig::Sgd(Sgd {
            momentum: 0.5,
            ..Sgd::default()
        }),
        schedule: ScheduleConfig::Cosine {
            steps: 20,
            end: 0.1,
        },
        gradient_clipping: Some(GradientClipping::Norm(1.0)),
        average_decay: 0.9,
        warmup_steps: 3,
        learning_rate: 1e-3,
        ..training()
    }
}

#[test]
fn every_option_resumes_exactly() {
    let directory = tempfile::tempdir().unwrap();
    let (whole, parts) = (
        directory.path().join("whole"),
        directory.path().join("parts"),
    );
    trainer(options()).start(&whole).unwrap();
    let first = TrainingConfig {
        steps: Some(3),
        ..options()
    };
    trainer(first).start(&parts).unwrap();
    trainer(options()).steps(7).resume(&parts).unwrap();
    assert_eq!(losses(&whole), losses(&parts));
    let changed: Vec<TrainingConfig> = vec![
        TrainingConfig {
            schedule: ScheduleConfig::Constant,
            ..options()
        },
        TrainingConfig {
            gradient_clipping: None,
            ..options()
        },
        TrainingConfig {
            optimizer: OptimizerConfig::Official,
            ..options()
        },
        TrainingConfig {
            critic_optimizer: OptimizerConfig::Official,
            ..options()
        },
    ];
    for (index, changed) in changed.into_iter().enumerate() {
        let run = directory.path().join(index.to_string());
        trainer(changed).start(&run).unwrap();
        assert_ne!(losses(&whole), losses(&run), "option {index} does nothing");
    }
}

#[test]
fn the_newest_checkpoints_are_kept_beside_the_best() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    let training = TrainingConfig {
        checkpoint_every: Some(1),
        keep_checkpoints: 3,
        ..training()
    };
    trainer(training).start(&run).unwrap();
    let entries = std::fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with("step-"))
        .collect();
    names.sort();
    for kept in ["step-00000005", "step-00000006", "step-00000007"] {
        assert!(names.iter().any(|name| name.starts_with(kept)), "{names:?}");
    }
    assert!(names.len() <= 4, "{names:?}");
}

#[test]
fn a_warm_start_begins_with_the_other_model() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (
        directory.path().join("first"),
        directory.path().join("second"),
    );
    trainer(training()).start(&first).unwrap();
    let warm = TrainingConfig {
        warm_start: Some(first.clone()),
        learning_rate: 1e-12,
        critic_learning_rate: 1e-12,
        seed: 5,
        ..training()
    };
    trainer(warm).start(&second).unwrap();
    let total = |run, place: usize| losses(run)[place].1[0].1;
    let end = losses(&first).len() - 1;
    // Another seed draws other batches and noise, but a random model is far worse.
    let (cold, trained, warm) = (total(&first, 0), total(&first, end), total(&second, 0));
    assert!(
        (warm - trained).abs() < 0.5 * (cold - trained),
        "{cold} {trained} {warm}"
    );
}
