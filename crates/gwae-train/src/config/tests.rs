use super::*;
use gwae_datasets::config::DatasetName;
use gwae_priors::Form;

fn message(change: impl FnOnce(&mut RunConfig)) -> String {
    let mut config = RunConfig::default();
    change(&mut config);
    let message = config.validate().unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn defaults_are_valid_and_official() {
    let config = RunConfig::default();
    config.validate().unwrap();
    let training = config.training;
    assert_eq!(training.learning_rate, 1e-4);
    assert_eq!(training.entropy_weight, 0.03);
    assert_eq!(training.gradient_penalty_weight, 10.0);
    assert_eq!((training.critic_steps, training.batch_size), (5, 64));
    assert_eq!(training.patience, Some(10));
    assert_eq!(
        config.model.gwae().unwrap().initial_distance_coefficient,
        2.5
    );
}

#[test]
fn every_range_is_checked() {
    type Change = fn(&mut RunConfig);
    let cases: [(&str, Change); 20] = [
        ("training.batch_size = 0", |c| c.training.batch_size = 0),
        ("training.batch_size = 1", |c| c.training.batch_size = 1),
        ("training.entropy_weight = -0.5", |c| {
            c.training.entropy_weight = -0.5;
        }),
        ("training.merged_weight = NaN", |c| {
            c.training.merged_weight = f64::NAN;
        }),
        ("training.reconstruction_weight = inf", |c| {
            c.training.reconstruction_weight = f64::INFINITY;
        }),
        ("training.gradient_penalty_weight = -1", |c| {
            c.training.gradient_penalty_weight = -1.0;
        }),
        ("training.learning_rate = 0", |c| {
            c.training.learning_rate = 0.0
        }),
        ("training.critic_learning_rate = NaN", |c| {
            c.training.critic_learning_rate = f64::NAN;
        }),
        ("training.critic_steps = 0", |c| c.training.critic_steps = 0),
        ("training.seed = 18446744073709551615", |c| {
            c.training.seed = u64::MAX;
        }),
        ("training.steps = 0", |c| c.training.steps = Some(0)),
        ("training.log_every = 0", |c| c.training.log_every = 0),
        ("data.validation_fraction = 1", |c| {
            c.data.validation_fraction = 1.0;
        }),
        ("data.directory: missing", |c| {
            c.data.dataset = DatasetName::Mnist;
        }),
        ("data.directory = /no/such", |c| {
            c.data.dataset = DatasetName::Mnist;
            c.data.directory = Some("/no/such".into());
        }),
        ("data.directory = /no/such", |c| {
            c.data.dataset = DatasetName::Folder;
            c.data.directory = Some("/no/such".into());
        }),
        ("data.limit = 1", |c| c.data.limit = Some(1)),
        ("data.crop = 100000", |c| c.data.crop = Some(100_000)),
        ("data.patch_shuffle = 1", |c| {
            c.data.patch_shuffle = Some(1);
        }),
        ("model.latent_dim = 0", |c| c.model.set_latent_dim(0)),
    ];
    for (start, change) in cases {
        let message = message(change);
        assert!(message.starts_with(start), "{message}");
    }
}

#[test]
fn conflicts_tell_the_way_out() {
    assert!(message(|c| c.training.patience = None).contains("training.epochs"));
    assert!(
        message(|c| c.data.validation_fraction = 0.0).contains("training.patience = 0"),
        "no validation data for the patience"
    );
    assert!(message(|c| c.data.directory = Some(".".into())).contains("has none: remove it"));
    let mut config = RunConfig::default();
    config.model.gwae_mut().unwrap().merged_condition = false;
    config.training.critic_steps = 0;
    config.validate().unwrap();
}

#[test]
fn toml_round_trip_is_exact() {
    let mut config = RunConfig::default();
    config.training.learning_rate = 0.1 + 0.2;
    config.training.patience = None;
    config.training.steps = Some(2_000);
    config.training.seed = i64::MAX as u64;
    config.model.gwae_mut().unwrap().prior =
        gwae_priors::PriorConfig::GaussianMixture(gwae_priors::GaussianMixtureConfig {
            components: 7,
            form: Form::Official,
        });
    config.data = DataConfig {
        directory: Some("/data/omniglot".into()),
        cache: Some("/fast".into()),
        limit: Some(100),
        crop: Some(0),
        polarity: Some(gwae_datasets::Polarity::Inverted),
        ..DataConfig::of(DatasetName::Omniglot, None)
    };
    for config in [RunConfig::default(), config] {
        let text = config.to_toml().unwrap();
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config);
    }
}
