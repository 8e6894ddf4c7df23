//! Out-of-distribution experiments, tiny ones.

use std::path::Path;

use gwae_models::{BackboneConfig, DagmmConfig, GwaeConfig, ModelConfig, VaeConfig};
use gwae_train::interrupt::StopFlag;
use gwae_train::ood::{Experiment, ExperimentOutcome, Outlook};
use gwae_train::progress::{ProgressDisplay, SilentDisplay};
use gwae_train::{DeviceList, RunConfig};

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
            image_size: 32,
            channels: 1,
            latent_dim: 3,
            width: 0.1,
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
    let outcome = experiment.run(&mut Outlook {
        display: &mut |_| Box::new(SilentDisplay) as Box<dyn ProgressDisplay>,
        preparation: &mut |_| {},
        say: &mut |_| {},
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
        assert_eq!(model.clusters.is_some(), model.model == "GWAE");
        // Two sets of one name are two sets.
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
    let assigned: u64 = clusters.labels_of_components.iter().flatten().sum();
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
    // Steps 2 and 3 were looked at, and every score of every set is in the trace.
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
