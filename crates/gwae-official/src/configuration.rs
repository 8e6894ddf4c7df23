//! Reading a configuration from TOML or from the authors' YAML settings.

use std::path::Path;

use gwae_datasets::config::DatasetName;
use gwae_priors::Form;
use gwae_train::config_file::read_text;
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
}

/// Reads a TOML file, or one of the authors' YAML settings files (`model_name: gwae`,
/// `hyperparameters:` …). Content and name decide which. [`RunConfig::validate`] checks the ranges,
/// so that a caller can change fields first.
///
/// # Errors
///
/// One line that names the file and, if known, line and column.
pub fn load_config(path: &Path, options: &LoadOptions) -> Result<RunConfig, ConfigError> {
    let text = read_text(path)?;
    let mut config = if is_official(path, &text) {
        settings::parse(&text, options.prior_form, options.dataset)
            .map_err(|error| ConfigError::in_file(path, error.location, error.problem))?
    } else {
        RunConfig::parse_toml(path, &text)?
    };
    if let Some(dataset) = options.dataset {
        config.data.dataset = dataset;
    }
    Ok(config)
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
        load_config(path, &LoadOptions::default())
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
        let config = load_config(&path, &options).unwrap();
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
        let config = load_config(&path, &options).unwrap();
        assert_eq!(config.data.dataset, DatasetName::Digits);
        let message = error("a.toml", "[training]\nlerning_rate = 1e-3\n");
        assert!(message.contains("a.toml, line 2, column 1"), "{message}");
    }
}
