//! Reading a configuration from TOML or from the authors' YAML settings.

use std::path::Path;

use gwae_datasets::config::DatasetName;
use gwae_priors::Form;
use gwae_train::config_file::{Setting, has_values, read_text, resolve_paths};
use gwae_train::{ConfigError, RunConfig};

use crate::settings;

/// Settings that a file may not contain, for [`load_config`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadOptions {
    /// Form of a prior whose official sampler has a slip; the default is the corrected form. Only
    /// the authors' settings files do not contain it.
    pub prior_form: Form,
    /// Replaces the file's dataset.
    pub dataset: Option<DatasetName>,
    /// Replace the file's values.
    pub settings: Vec<Setting>,
}

/// Reads a TOML file, or one of the authors' YAML settings files (`model_name: gwae`,
/// `hyperparameters:` …). Content and name decide which. [`RunConfig::validate`] checks the ranges,
/// so that a caller can change fields first. `tell` receives a line about a path that is not where
/// the file says.
///
/// # Errors
///
/// One line that names the file and, if known, line and column.
pub fn load_config(
    path: &Path,
    options: &LoadOptions,
    tell: &mut dyn FnMut(&str),
) -> Result<RunConfig, ConfigError> {
    parse_config(path, &read_text(path)?, Some(path), options, tell)
}

/// As [`load_config`], from a text; `name` stands for it in errors. Relative paths start at the
/// directory of `file`, or at the working directory.
///
/// # Errors
///
/// As [`load_config`].
pub fn parse_config(
    name: &Path,
    text: &str,
    file: Option<&Path>,
    options: &LoadOptions,
    tell: &mut dyn FnMut(&str),
) -> Result<RunConfig, ConfigError> {
    let settings = &options.settings;
    let mut config = if is_official(name, text) {
        settings::parse(text, options.prior_form, chosen_dataset(options))
            .map_err(|error| ConfigError::in_file(name, error.location, error.problem))?
    } else {
        let config = RunConfig::parse_toml(name, text)?;
        if settings.is_empty() && !has_values(text) {
            let problem = "is empty: [model] has to say image_size and channels, [training] steps or \
                           epochs, and [data] the dataset; `gwae init` writes a configuration";
            return Err(ConfigError::in_file(name, None, problem.into()));
        }
        config
    };
    resolve_paths(&mut config, file, tell);
    if let Some(dataset) = options.dataset {
        config.data.dataset = dataset;
    }
    config = config.with_settings(settings)?;
    // Those of a command line start at the working directory.
    resolve_paths(&mut config, None, tell);
    Ok(config)
}

/// The dataset that replaces the file's, which need not be known then.
fn chosen_dataset(options: &LoadOptions) -> Option<DatasetName> {
    let mut settings = options.settings.iter().rev();
    let of_settings = settings.find_map(|setting| setting.text_of("data.dataset")?.parse().ok());
    options.dataset.or(of_settings)
}

/// Content decides first: no TOML line begins with one of these keys and a colon.
fn is_official(path: &Path, text: &str) -> bool {
    let by_content = text.lines().any(|line| {
        let line = line.trim_start_matches([' ', '\t', '{', '"', '\'']);
        ["model_name", "hyperparameters"].iter().any(|key| {
            line.strip_prefix(key).is_some_and(|rest| {
                rest.trim_start_matches(['"', '\''])
                    .trim_start()
                    .starts_with(':')
            })
        })
    });
    let extension = path.extension().and_then(|extension| extension.to_str());
    by_content || matches!(extension, Some("yaml" | "yml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        (directory, path)
    }

    fn load(path: &Path) -> Result<RunConfig, ConfigError> {
        load_config(path, &LoadOptions::default(), &mut |_| {})
    }

    fn error(name: &str, text: &str) -> String {
        let (_directory, path) = file(name, text);
        let message = load(&path).unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
        assert!(!message.contains('\n'), "{message}");
        message
    }

    const YAML: &str = "model_name: gwae\nhyperparameters:\n  lr: 1e-4\n  z_dim: 8\n  coef_w: 1\n  \
        coef_d: 1\n  coef_qentropy: 0.03\n  sampler_type: neural\n  merged_condition: false\n\
        dataset: mnist\nbatch_size: 64\nuntil_convergence: true\npatience: 10\n";

    #[test]
    fn official_settings_are_recognised_by_name_and_content() {
        for name in ["gwae.yaml", "gwae.yml", "gwae.settings"] {
            let (_directory, path) = file(name, YAML);
            let config = load(&path).unwrap();
            assert_eq!(config.model.backbone().unwrap().latent_dim, 8);
            assert_eq!(config.data.dataset, DatasetName::Mnist);
        }
        let (_directory, path) = file("celeba.yaml", &YAML.replace("mnist", "celeba"));
        let data = load(&path).unwrap().data;
        assert_eq!(
            (data.dataset, data.crop_side()),
            (DatasetName::Celeba, Some(144))
        );
        let message = error("x.yaml", "[training]\nseed = 1\n");
        assert!(message.contains("line"), "{message}");
        let message = error("y.yaml", &YAML.replace("z_dim", "zdim"));
        assert!(message.contains("y.yaml, line 4"), "{message}");
        assert!(message.contains("`z_dim`"), "{message}");
    }

    #[test]
    fn a_dataset_that_is_not_known_can_be_replaced() {
        let text = YAML.replace("mnist", "imagenet");
        let message = error("a.yaml", &text);
        assert!(message.contains("line 10"), "{message}");
        assert!(message.contains("`imagenet`") && message.contains("digits, mnist"));
        let (_directory, path) = file("a.yaml", &text);
        let options = LoadOptions {
            dataset: Some(DatasetName::Digits),
            ..LoadOptions::default()
        };
        let config = load_config(&path, &options, &mut |_| {}).unwrap();
        assert_eq!(config.data.dataset, DatasetName::Digits);
    }

    #[test]
    fn toml_is_recognised_and_its_dataset_replaced() {
        let (_directory, path) = file("run.toml", "[data]\ndataset = \"mnist\"\n");
        assert_eq!(load(&path).unwrap().data.dataset, DatasetName::Mnist);
        let options = LoadOptions {
            dataset: Some(DatasetName::Digits),
            ..LoadOptions::default()
        };
        let config = load_config(&path, &options, &mut |_| {}).unwrap();
        assert_eq!(config.data.dataset, DatasetName::Digits);
        let message = error("a.toml", "[training]\nlerning_rate = 1e-3\n");
        assert!(message.contains("a.toml, line 2, column 1"), "{message}");
    }

    #[test]
    fn settings_replace_the_files_values() {
        let read = |name: &str, text: &str, settings: &[&str]| {
            let (_directory, path) = file(name, text);
            let settings = settings.iter().map(|setting| setting.parse().unwrap());
            let options = LoadOptions {
                settings: settings.collect(),
                ..LoadOptions::default()
            };
            load_config(&path, &options, &mut |_| {})
        };
        let set = ["training.seed=5", "data.dataset=digits"];
        for (name, text) in [
            ("a.toml", "[training]\nseed = 1\n".to_owned()),
            ("a.yaml", YAML.replace("mnist", "imagenet")),
            ("empty.toml", String::new()),
        ] {
            let config = read(name, &text, &set).unwrap();
            assert_eq!(config.training.seed, 5);
            assert_eq!(config.data.dataset, DatasetName::Digits);
        }
        let message = read("a.toml", "", &["training.sed=1"])
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("--set training.sed: "), "{message}");
    }

    #[test]
    fn an_empty_file_is_no_configuration() {
        for text in ["", "# nothing\n", "[model]\n[training]\n\n[data]\n"] {
            let message = error("a.toml", text);
            for part in ["is empty", "image_size", "steps", "dataset", "gwae init"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn paths_start_at_the_file() {
        let text = "[data]\ndataset = \"mnist\"\ndirectory = \"images\"\n";
        let (directory, path) = file("a.toml", text);
        let config = load(&path).unwrap();
        assert_eq!(config.data.directory, Some(directory.path().join("images")));
        let options = LoadOptions {
            settings: vec!["data.directory=images".parse().unwrap()],
            ..LoadOptions::default()
        };
        let config = load_config(&path, &options, &mut |_| {}).unwrap();
        assert_eq!(config.data.directory, Some("images".into()));
        let config = parse_config(
            Path::new("standard input"),
            text,
            None,
            &options,
            &mut |_| {},
        );
        assert_eq!(config.unwrap().data.directory, Some("images".into()));
    }
}
