//! Runs whose log cannot be written for a moment.

use std::path::Path;

use gwae_datasets::config::DataConfig;
use gwae_models::{BackboneConfig, VaeConfig};

use super::{Changes, SessionOptions, resume, start};
use crate::checkpoint::{CheckpointStore, Which};
use crate::config::{RunConfig, TrainingConfig};
use crate::device::DeviceList;
use crate::metrics_log::{MetricsLog, Phase, failing};

fn config() -> RunConfig {
    RunConfig {
        model: VaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 2,
                width: 0.1,
                ..BackboneConfig::default()
            },
            ..VaeConfig::default()
        }
        .into(),
        training: TrainingConfig {
            batch_size: 8,
            steps: Some(4),
            validate_every: Some(2),
            ..TrainingConfig::default()
        },
        data: DataConfig {
            validation_fraction: 0.002,
            ..DataConfig::default()
        },
    }
}

fn options() -> SessionOptions {
    SessionOptions::new(DeviceList::default())
}

/// The log without its times, and the steps of the best and the last checkpoint.
#[allow(clippy::type_complexity)] // Only compared.
fn result(run: &Path) -> (Vec<(u64, Phase, Vec<(String, f64)>)>, [u64; 2]) {
    let records = MetricsLog::read(&run.join("metrics.jsonl")).unwrap();
    let lines = records.into_iter().map(|r| (r.step, r.phase, r.losses));
    let store = CheckpointStore::open(run.join("checkpoints")).unwrap();
    let step = |which| store.entry(which).unwrap().step;
    (lines.collect(), [step(Which::Best), step(Which::Last)])
}

#[test]
fn a_record_that_fails_once_is_made_up_for() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    start(&config(), &whole, options()).unwrap();
    let whole = result(&whole);
    for (number, (step, phase)) in [
        (1, Phase::Train),
        (2, Phase::Train),
        (2, Phase::Validation),
        (4, Phase::Train),
        (4, Phase::Validation),
    ]
    .into_iter()
    .enumerate()
    {
        let parts = root.path().join(number.to_string());
        failing::fail_once(step, phase);
        let message = start(&config(), &parts, options()).unwrap_err().to_string();
        assert!(
            message.contains("metrics.jsonl: the disk is full"),
            "{message}"
        );
        resume(&parts, Which::Last, &Changes::default(), options()).unwrap();
        assert_eq!(result(&parts), whole, "step {step}, {phase:?}");
    }
}
