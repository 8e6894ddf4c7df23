//! Reading a [`RunConfig`] from TOML or from the authors' YAML settings.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::atomic::FileError;
use crate::config::{ConfigError, LoadOptions, RunConfig};
use crate::official_settings;
use crate::suggestion::closest;

/// Bytes of the largest file that can be a configuration: a thousand times those that are.
const MOST_BYTES: u64 = 1 << 20;

pub(crate) fn load(path: &Path, options: &LoadOptions) -> Result<RunConfig, ConfigError> {
    let text = read(path)?;
    let mut config = if is_official(path, &text) {
        official_settings::parse(&text, options.prior_form, options.dataset).map_err(|error| {
            ConfigError::Content {
                place: place(path, error.location),
                problem: error.problem,
            }
        })?
    } else {
        parse_toml(path, &text)?
    };
    if let Some(dataset) = options.dataset {
        config.data.dataset = dataset;
    }
    Ok(config)
}

/// The text of a file, of which no more is read than a configuration has: a device has no end.
fn read(path: &Path) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(FileError::on("read", path))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(ConfigError::Content {
            place: place(path, None),
            problem: "is larger than 1 MiB, so it is no configuration: name a TOML file or the \
                      authors' YAML settings"
                .into(),
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "it is no text (UTF-8): name a TOML file or the authors' YAML settings",
        )
    });
    Ok(text.map_err(FileError::on("read", path))?)
}

/// By content first: no TOML line begins with one of these keys and a colon.
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

fn place(path: &Path, location: Option<(u64, u64)>) -> String {
    match location {
        Some((line, column)) => format!("{}, line {line}, column {column}", path.display()),
        None => path.display().to_string(),
    }
}

pub(crate) fn parse_toml(path: &Path, text: &str) -> Result<RunConfig, ConfigError> {
    let content = |offset: Option<usize>, problem| ConfigError::Content {
        place: place(path, offset.map(|offset| line_and_column(text, offset))),
        problem,
    };
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map(|span| span.start);
        content(offset, with_suggestion(error.message()))
    })
}

/// 1-based line and column, in characters, of a byte offset.
fn line_and_column(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() as u64 + 1)
}

/// In one line, with the nearest known name where a name is unknown.
fn with_suggestion(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return message;
    }
    // Serde's wording: unknown field `a`, expected one of `b`, `c`.
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().unwrap_or_default();
    match closest(unknown, names) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DatasetName;
    use gwae_priors::PriorConfig;
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

    const YAML: &str = "model_name: gwae\nhyperparameters:\n  lr: 1e-4\n  z_dim: 8\n  coef_w: 1\n  \
        coef_d: 1\n  coef_qentropy: 0.03\n  sampler_type: neural\n  merged_condition: false\n\
        dataset: mnist\nbatch_size: 64\nuntil_convergence: true\npatience: 10\n";

    #[test]
    fn toml_overrides_defaults() {
        let text = "[model]\nlatent_dim = 16\n[model.prior]\nfamily = \"gaussian_mixture\"\n\
                    [training]\nreconstruction_weight = 2\npatience = 0\nsteps = 10\n";
        let (_directory, path) = file("run.toml", text);
        let config = RunConfig::load(&path).unwrap();
        assert_eq!(config.model.backbone().latent_dim, 16);
        assert!(matches!(
            config.model.gwae().unwrap().prior,
            PriorConfig::GaussianMixture { components: 10, .. }
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
        let expected = "line 2, column 9: invalid type: string \"neural\", expected a table such as \
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
            PriorConfig::VectorQuantized { embeddings: 5 }
        );
        let message = error(
            "c.toml",
            "[model.prior]\nfamily = \"causal\"\nembeddings = 5\n",
        );
        assert!(message.contains("embeddings"), "{message}");
    }

    #[test]
    fn official_settings_are_recognised_by_name_and_content() {
        for name in ["gwae.yaml", "gwae.yml", "gwae.settings"] {
            let (_directory, path) = file(name, YAML);
            let config = RunConfig::load(&path).unwrap();
            assert_eq!(config.model.backbone().latent_dim, 8);
            assert_eq!(config.data.dataset, DatasetName::Mnist);
        }
        let (_directory, path) = file("celeba.yaml", &YAML.replace("mnist", "celeba"));
        let data = RunConfig::load(&path).unwrap().data;
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
        let config = RunConfig::load_with(&path, &options).unwrap();
        assert_eq!(config.data.dataset, DatasetName::Digits);
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
        assert!(message.contains("larger than 1 MiB"), "{message}");
        #[cfg(unix)]
        {
            let message = RunConfig::load(Path::new("/dev/zero")).unwrap_err();
            assert!(message.to_string().starts_with("/dev/zero: is larger"));
        }
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("a\nλ = x", 7), (2, 5));
        assert_eq!(line_and_column("", 0), (1, 1));
        assert_eq!(line_and_column("a\n", 2), (2, 1));
    }
}
