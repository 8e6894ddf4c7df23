//! Reading a [`RunConfig`] from TOML.

use std::path::Path;

use gwae_formats::atomic::FileError;
use gwae_formats::bounded_file::read_bytes;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use crate::config::{ConfigError, RunConfig, TrainingConfig};
use crate::model_config::{KindOfModel, ModelConfig, ReadWithModel};
use gwae_datasets::config::DataConfig;

/// Largest size of a configuration file in bytes; real ones are a thousand times smaller.
const MOST_BYTES: u64 = 1 << 20;

impl RunConfig {
    /// Reads a TOML file. [`Self::validate`] checks the ranges, so that a caller can change fields
    /// first.
    ///
    /// # Errors
    ///
    /// One line that names the file and, if known, line and column.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse_toml(path, &read_text(path)?)
    }

    /// Reads a TOML text; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// One line that names `name`, line and column.
    pub fn parse_toml(name: &Path, text: &str) -> Result<Self, ConfigError> {
        let failed = |kind: &str, error: toml::de::Error| {
            let location = error.span().map(|span| line_and_column(text, span.start));
            let problem = ModelConfig::misplaced_field(kind, error.message());
            let problem = problem.unwrap_or_else(|| with_suggestion(error.message()));
            ConfigError::in_file(name, location, problem)
        };
        let kind: KindOfModel = toml::from_str(text).map_err(|error| failed("", error))?;
        let config = ModelConfig::read(kind.name(), ReadRun(text));
        let config = config.expect("the kind was checked when it was read");
        config.map_err(|error| failed(kind.name(), error))
    }

    /// Writes the TOML that [`Self::load`] reads back to an equal configuration.
    ///
    /// # Errors
    ///
    /// When `data.directory` is not Unicode text, because TOML cannot hold it.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Content {
            place: "data.directory".into(),
            problem: format!("{error}: give the directory a name in Unicode"),
        })
    }
}

/// Reads records in formats other than TOML, such as JSON. Errors do not name a place in the file;
/// use [`RunConfig::load`] for files that people write.
impl<'de> Deserialize<'de> for RunConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(from)?;
        remove_nulls(&mut value);
        let text = toml::to_string(&value).map_err(D::Error::custom)?;
        Self::parse_toml(Path::new("the configuration"), &text).map_err(D::Error::custom)
    }
}

/// TOML leaves out fields without a value.
fn remove_nulls(value: &mut serde_json::Value) {
    if let serde_json::Value::Object(fields) = value {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(remove_nulls);
    }
}

/// Reads a whole configuration whose table `[model]` has the settings of one kind of model.
struct ReadRun<'a>(&'a str);

impl ReadWithModel for ReadRun<'_> {
    type Output = Result<RunConfig, toml::de::Error>;

    fn read<S: DeserializeOwned + Into<ModelConfig>>(self) -> Self::Output {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File<S> {
            model: Option<S>,
            #[serde(default)]
            training: TrainingConfig,
            #[serde(default)]
            data: DataConfig,
        }
        let file: File<S> = toml::from_str(self.0)?;
        Ok(RunConfig {
            model: file.model.map_or_else(ModelConfig::default, S::into),
            training: file.training,
            data: file.data,
        })
    }
}

impl ConfigError {
    /// An error in a configuration file, with line and column if known.
    pub fn in_file(path: &Path, location: Option<(u64, u64)>, problem: String) -> Self {
        let place = match location {
            Some((line, column)) => format!("{}, line {line}, column {column}", path.display()),
            None => path.display().to_string(),
        };
        Self::Content { place, problem }
    }
}

/// Reads the text of a configuration file.
///
/// # Errors
///
/// A file that cannot be read, is no regular file, is longer than 1 MiB or is not text.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = read_bytes(path, MOST_BYTES).map_err(FileError::on("read", path))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "it is no text (UTF-8): name a TOML file or the authors' YAML settings",
        )
    });
    Ok(text.map_err(FileError::on("read", path))?)
}

/// Line and column of a byte offset, in characters, counted from 1.
fn line_and_column(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() as u64 + 1)
}

/// Puts the message in one line, and adds the most similar known name if a name is unknown.
fn with_suggestion(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return message;
    }
    // Serde writes: unknown field `a`, expected one of `b`, `c`.
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().unwrap_or_default();
    match names.min_by_key(|name| strsim::osa_distance(unknown, name)) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
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
}
