use super::*;
use gwae_priors::{GaussianMixtureConfig, PriorConfig, VectorQuantizedConfig};
use std::fs;
use std::path::PathBuf;

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn error(name: &str, text: &str) -> String {
    let (_directory, path) = file(name, text);
    let message = RunConfig::load(&path).unwrap_err().to_string();
    assert!(message.contains(name), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn toml_overrides_defaults() {
    let text = "[model]\nlatent_dim = 16\n[model.prior]\nfamily = \"gaussian_mixture\"\n\
                [training]\nreconstruction_weight = 2\npatience = 0\nsteps = 10\n";
    let (_directory, path) = file("run.toml", text);
    let config = RunConfig::load(&path).unwrap();
    assert_eq!(config.model.backbone().unwrap().latent_dim, 16);
    assert!(matches!(
        config.model.gwae().unwrap().prior,
        PriorConfig::GaussianMixture(GaussianMixtureConfig { components: 10, .. })
    ));
    assert_eq!(config.training.reconstruction_weight, 2.0);
    assert_eq!(
        (config.training.patience, config.training.steps),
        (None, Some(10))
    );
    assert_eq!(config.training.batch_size, 64);
}

#[test]
fn errors_have_line_column_and_a_suggestion() {
    let message = error("a.toml", "[training]\nseed = 1\nlerning_rate = 1e-3\n");
    assert!(message.contains("a.toml, line 3, column 1"), "{message}");
    assert!(
        message.ends_with("did you mean `learning_rate`?"),
        "{message}"
    );
    let message = error("b.toml", "[trainin]\n");
    assert!(message.ends_with("did you mean `training`?"), "{message}");
    let message = error("c.toml", "[data]\ndataset = \"mnits\"\n");
    assert!(message.ends_with("did you mean `mnist`?"), "{message}");
    let message = error("d.toml", "[training]\nbatch_size = -3\n");
    assert!(message.contains("line 2, column 14"), "{message}");
    let message = error("e.toml", "[training\n");
    assert!(message.contains("line 1"), "{message}");
    assert!(error("f.toml", "[training]\nseed = 1\nseed = 2\n").contains("line 3"));
}

#[test]
fn what_should_be_a_table_is_told_so() {
    for table in ["model", "training", "data"] {
        let message = error("a.toml", &format!("{table} = 1\n"));
        let expected = format!("expected a table: [{table}], with its fields");
        assert!(message.contains(&expected), "{message}");
    }
    let message = error("b.toml", "[model]\nprior = \"neural\"\n");
    let expected = "line 2, column 9: invalid type: text \"neural\", expected a table such as \
                    prior = { family = \"neural\" }";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn superfluous_hyper_parameters_of_a_prior_are_errors() {
    let message = error(
        "a.toml",
        "[model.prior]\nfamily = \"neural\"\ncomponents = 5\n",
    );
    assert!(
        message.contains("prior.components does nothing for this family"),
        "{message}"
    );
    let (_directory, path) = file(
        "b.toml",
        "[model]\nprior = { family = \"vector_quantized\", embeddings = 5 }\n",
    );
    let config = RunConfig::load(&path).unwrap();
    assert_eq!(
        config.model.gwae().unwrap().prior,
        PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 5 })
    );
    let message = error(
        "c.toml",
        "[model.prior]\nfamily = \"causal\"\nembeddings = 5\n",
    );
    assert!(message.contains("embeddings"), "{message}");
}

#[test]
fn unreadable_files_are_named() {
    let message = RunConfig::load(Path::new("/no/such.toml"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "cannot read /no/such.toml: there is no such file or directory"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("binary.toml");
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let message = RunConfig::load(&path).unwrap_err().to_string();
    assert!(message.contains("binary.toml"), "{message}");
}

#[test]
fn what_is_too_large_for_a_configuration_is_not_read() {
    let comment = |bytes: u64| "#".repeat(bytes as usize);
    let (_directory, path) = file("largest.toml", &comment(MOST_BYTES));
    RunConfig::load(&path).unwrap();
    let message = error("larger.toml", &comment(MOST_BYTES + 1));
    assert!(message.contains("longer than 1 MiB"), "{message}");
    #[cfg(unix)]
    {
        let message = RunConfig::load(Path::new("/dev/zero")).unwrap_err();
        let message = message.to_string();
        assert!(message.contains("/dev/zero: it is a device"), "{message}");
    }
}

#[test]
fn columns_count_characters() {
    assert_eq!(line_and_column("a\nλ = x", 7), (2, 5));
    assert_eq!(line_and_column("", 0), (1, 1));
    assert_eq!(line_and_column("a\n", 2), (2, 1));
}
