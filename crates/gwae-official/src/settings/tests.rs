use super::*;
use serde_json::json;

/// The released CelebA settings.
const CELEBA: &str = "\
model_name: gwae
hyperparameters:
  lr: 1e-4
  z_dim: 64
  coef_w: 1
  coef_d: 1
  coef_qentropy: 0.03
  sampler_type: neural
  merged_condition: true
  lr_disc: 1e-4
  coef_gp: 10
  times_d_training: 5
  batchnorm: false
  resblock: false
  distance_coef_initial: 2.5
dataset: celeba
logger_path: runs/celeba_gwae
batch_size: 64
cuda_sync: false
very_verbose: true
until_convergence: true
patience: 10
";

fn parse(text: &str) -> Result<RunConfig, SettingsError> {
    super::parse(text, Form::Corrected, Some(DatasetName::Digits))
}

fn error(text: &str) -> SettingsError {
    let error = parse(text).unwrap_err();
    assert!(!error.problem.contains('\n'), "{error}");
    error
}

#[test]
fn celeba_settings_are_our_defaults() {
    let settings = parse(CELEBA).unwrap();
    assert_eq!(settings, RunConfig::default());
    settings.validate().unwrap();
}

#[test]
fn quoted_numbers_mean_the_same() {
    let text = CELEBA
        .replace("lr: 1e-4", "lr: \"1e-4\"")
        .replace("z_dim: 64", "z_dim: '64'")
        .replace("merged_condition: true", "merged_condition: yes")
        .replace("batchnorm: false", "batchnorm: off")
        .replace("patience: 10", "patience: \"10\"");
    assert_eq!(parse(&text).unwrap(), parse(CELEBA).unwrap());
}

/// Python's `bool("False")` is true, so the authors' program turns the switch on.
#[test]
fn quoted_switches_are_refused() {
    for quoted in ["'True'", "\"false\"", "\"\""] {
        let text = CELEBA.replace("batchnorm: false", &format!("batchnorm: {quoted}"));
        let found = error(&text);
        assert!(found.problem.contains("batchnorm: "), "{found}");
        assert!(found.problem.contains("without quotes"), "{found}");
    }
}

#[test]
fn numbers_are_those_of_yaml_1_1() {
    for (written, expected) in [
        ("020", 16),
        ("0x20", 32),
        ("1_6", 16),
        ("1:30", 90),
        ("089", 89),
    ] {
        let text = CELEBA.replace("batch_size: 64", &format!("batch_size: {written}"));
        assert_eq!(
            parse(&text).unwrap().training.batch_size,
            expected,
            "{written}"
        );
    }
    // `int("0o20")` of Python is an error.
    let found = error(&CELEBA.replace("batch_size: 64", "batch_size: 0o20"));
    assert!(
        found
            .problem
            .contains("batch_size: \"0o20\" is not a number"),
        "{found}"
    );
    // An alias stands for the scalar at its anchor.
    let text = CELEBA
        .replace("z_dim: 64", "z_dim: &size 0100")
        .replace("batch_size: 64", "batch_size: *size");
    let found = parse(&text).unwrap();
    assert_eq!(found.training.batch_size, 64);
}

#[test]
fn the_last_of_equal_keys_counts_and_two_documents_are_refused() {
    let text = format!("{CELEBA}batch_size: 32\n");
    assert_eq!(parse(&text).unwrap().training.batch_size, 32);
    let found = error(&format!("{CELEBA}---\nother: 1\n"));
    assert!(
        found.problem.contains("more than one YAML document"),
        "{found}"
    );
}

#[test]
fn hyperparameters_may_be_yaml_inside_a_string() {
    let (head, rest) = CELEBA.split_once("hyperparameters:\n").unwrap();
    let (hyperparameters, tail) = rest.split_once("dataset:").unwrap();
    let text = format!("{head}hyperparameters: |\n{hyperparameters}dataset:{tail}");
    assert_eq!(parse(&text).unwrap(), parse(CELEBA).unwrap());
    let (model, training) = from_hyperparameters_yaml(hyperparameters, Form::Official).unwrap();
    assert_eq!(model, GwaeConfig::default());
    assert_eq!(training, TrainingConfig::default());
}

#[test]
fn every_sampler_is_known() {
    let with = |sampler: &str, more: Value| {
        let mut hyperparameters = json!({
            "lr": 2e-4, "z_dim": 16, "coef_w": 1, "coef_d": 0.5, "coef_qentropy": "0.03",
            "sampler_type": sampler, "merged_condition": false,
        });
        hyperparameters
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        from_hyperparameters(&hyperparameters, Form::Official)
    };
    let form = Form::Official;
    for (sampler, more, expected) in [
        ("neural", json!({}), PriorConfig::Neural),
        (
            "factorized_neural",
            json!({}),
            PriorConfig::FactorizedNeural,
        ),
        (
            "gm",
            json!({"num_components": 7}),
            PriorConfig::GaussianMixture(gwae_priors::GaussianMixtureConfig {
                components: 7,
                form,
            }),
        ),
        (
            "factorized_normal",
            json!({}),
            PriorConfig::FactorizedNormal,
        ),
        (
            "factorized_uniform",
            json!({}),
            PriorConfig::FactorizedUniform,
        ),
        ("spherical", json!({}), PriorConfig::Spherical),
        (
            "vq",
            json!({"num_embeddings": 32}),
            PriorConfig::VectorQuantized(gwae_priors::VectorQuantizedConfig { embeddings: 32 }),
        ),
        (
            "causal",
            json!({}),
            PriorConfig::Causal(gwae_priors::CausalConfig { form }),
        ),
    ] {
        let (model, training) = with(sampler, more).unwrap();
        assert_eq!(model.prior, expected);
        assert_eq!(model.backbone.latent_dim, 16);
        assert!(!model.merged_condition);
        // The authors' default when the key is absent.
        assert_eq!(model.initial_distance_coefficient, 1.0);
        assert_eq!(training.learning_rate, 2e-4);
        assert_eq!(training.merged_weight, 0.5);
    }
    let message = with("neurl", json!({})).unwrap_err().to_string();
    assert!(message.contains("sampler_type: `neurl`"), "{message}");
    assert!(message.contains("factorized_uniform"), "{message}");
    let message = with("gm", json!({})).unwrap_err().to_string();
    assert!(message.contains("num_components: missing"), "{message}");
}

#[test]
fn switches_reach_the_model() {
    let text = CELEBA.replace(
        "  batchnorm: false\n  resblock: false\n",
        "  batchnorm: true\n  resblock: true\n  latent_bn: true\n  learned_similarity: true\n  \
         mixed_potential: true\n",
    );
    let model = parse(&text).unwrap().model;
    let model = model.gwae().unwrap();
    assert!(model.backbone.batchnorm && model.backbone.resblock && model.backbone.latent_bn);
    assert!(model.learned_similarity && model.mixed_potential);
    let numbers = CELEBA.replace("batchnorm: false", "batchnorm: 1\n  latent_bn:");
    let model = parse(&numbers.replace("resblock: false", "resblock: 0"))
        .unwrap()
        .model;
    let model = model.gwae().unwrap();
    assert!(model.backbone.batchnorm && !model.backbone.resblock && !model.backbone.latent_bn);
}

#[test]
fn what_does_nothing_in_the_authors_program_is_no_error() {
    let hyperparameters = json!({
        "lr": 1e-4, "z_dim": 4, "coef_w": 1, "coef_d": 1, "coef_qentropy": 0.03,
        "sampler_type": "neural", "merged_condition": false, "mixed_potential": true, "note": 3,
    });
    let (model, _) = from_hyperparameters(&hyperparameters, Form::Official).unwrap();
    assert!(!model.mixed_potential);
    assert_eq!(unknown_hyperparameters(&hyperparameters), ["note"]);
}

#[test]
fn mistakes_are_located() {
    let unknown = error(&CELEBA.replace("  coef_gp", "  coef_pg"));
    assert_eq!(unknown.location.map(|(line, _)| line), Some(11));
    assert!(
        unknown
            .problem
            .starts_with("hyperparameters.coef_pg: unknown key; did you mean `coef_gp`?")
    );
    let unknown = error(&CELEBA.replace("batch_size", "batchsize"));
    assert_eq!(unknown.location.map(|(line, _)| line), Some(18));
    assert!(unknown.problem.contains("`batch_size`"));
    let wrong = error(&CELEBA.replace("z_dim: 64", "z_dim: many"));
    assert_eq!(wrong.location, Some((4, 10)));
    assert!(wrong.problem.contains("\"many\" is not a number"));
    assert!(
        error(&CELEBA.replace("z_dim: 64", "z_dim: 6.5"))
            .problem
            .contains("whole number")
    );
    assert!(
        error(&CELEBA.replace("z_dim: 64", "z_dim:"))
            .problem
            .contains("no value")
    );
    assert!(
        error(&CELEBA.replace("resblock: false", "resblock: maybe"))
            .problem
            .contains("true or false")
    );
    let missing = error(&CELEBA.replace("  lr_disc: 1e-4\n", ""));
    assert!(
        missing
            .problem
            .starts_with("hyperparameters.lr_disc: missing")
    );
    let broken = error("model_name: [gwae\n");
    assert!(broken.location.is_some(), "{broken}");
}

#[test]
fn other_models_and_datasets_are_named() {
    let other = error(&CELEBA.replace("model_name: gwae", "model_name: factorvae"));
    assert!(other.problem.contains("`factorvae` is not supported"));
    let vae = error(&CELEBA.replace("model_name: gwae", "model_name: vae"));
    assert!(vae.problem.contains("kind = \"vae\""), "{vae}");
    let unknown = CELEBA.replace("dataset: celeba", "dataset: imagenet");
    let error = super::parse(&unknown, Form::Corrected, None).unwrap_err();
    assert_eq!(error.location.map(|(line, _)| line), Some(16));
    assert!(error.problem.contains("digits, mnist"), "{error}");
    let config = super::parse(CELEBA, Form::Corrected, None).unwrap();
    assert_eq!(config.data.dataset, DatasetName::Celeba);
}

#[test]
fn limits_follow_until_convergence() {
    let text = CELEBA.replace(
        "until_convergence: true",
        "until_convergence: false\nepochs: 3",
    );
    let training = parse(&text).unwrap().training;
    assert_eq!((training.epochs, training.patience), (Some(3), None));
    // The authors' program then ignores a number of epochs.
    let text = CELEBA.replace("patience: 10", "epochs: 200");
    let training = parse(&text).unwrap().training;
    assert_eq!((training.epochs, training.patience), (None, Some(10)));
    let problem = error(&CELEBA.replace("until_convergence: true\n", "")).problem;
    assert!(problem.starts_with("epochs: missing"), "{problem}");
    assert!(
        error(&CELEBA.replace("patience: 10", "patience: 0"))
            .problem
            .contains("at least 1")
    );
}
