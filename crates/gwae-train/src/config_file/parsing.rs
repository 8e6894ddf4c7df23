//! A whole configuration from TOML text.

use gwae_datasets::config::DataConfig;
use gwae_formats::one_line::shortened;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::wording::plain;
use crate::config::{RunConfig, TrainingConfig};
use crate::model_config::{KindOfModel, ModelConfig, ReadWithModel};

/// Why a text holds no configuration.
pub(super) struct ParseError {
    /// The problem in one line, in plain words.
    pub problem: String,
    /// Where it is in the text, in bytes, if known.
    pub start: Option<usize>,
}

/// Reads a configuration; ranges are not checked.
pub(super) fn parse(text: &str) -> Result<RunConfig, ParseError> {
    let failed = |kind: &str, error: toml::de::Error| ParseError {
        // The message may quote a value of any length.
        problem: ModelConfig::misplaced_field(kind, error.message())
            .unwrap_or_else(|| shortened(plain(error.message()))),
        start: error.span().map(|span| span.start),
    };
    let kind: KindOfModel = toml::from_str(text).map_err(|error| failed("", error))?;
    let config = ModelConfig::read(kind.name(), ReadRun(text));
    let config = config.expect("the kind was checked when it was read");
    config.map_err(|error| failed(kind.name(), error))
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
