//! How a run was made: `run.json`.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::timestamp::utc;

/// Version of Burn.
pub const BURN_VERSION: &str = "0.22.1";

/// The circumstances of a run, besides its configuration: `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this library.
    pub gwae_version: String,
    /// Version of Burn.
    pub burn_version: String,
    /// What its checkpoints carry, so that those of another run are noticed: a SHA-256 of settings,
    /// seed and data. Runs of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Seed of every random draw.
    pub seed: u64,
    /// Device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// The command line, program first.
    pub command_line: Vec<String>,
    /// Name of the dataset.
    pub dataset: String,
    /// Fingerprint of its images and factors; `None` for an imported model, whose training data are
    /// not available.
    #[serde(default)]
    pub dataset_fingerprint: Option<String>,
    /// The file that the model was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<String>,
    /// When the run was started, ISO 8601 in UTC.
    pub started: String,
    /// When the run went on with other data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_changes: Vec<DataChange>,
    /// The sessions after the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumption>,
}

impl RunRecord {
    /// The record of a run that begins now.
    pub(super) fn of(config: &RunConfig, device: String, command_line: Vec<String>) -> Self {
        Self {
            gwae_version: env!("CARGO_PKG_VERSION").into(),
            burn_version: BURN_VERSION.into(),
            identity: None,
            seed: config.training.seed,
            device,
            command_line,
            dataset: config.data.dataset.name().into(),
            dataset_fingerprint: None,
            imported_from: None,
            started: utc(SystemTime::now()),
            data_changes: Vec::new(),
            resumed: Vec::new(),
        }
    }
}

/// Other data that a run went on with, as the user wished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataChange {
    /// When, ISO 8601 in UTC.
    pub when: String,
    /// Main steps done with the data before.
    pub step: u64,
    /// Fingerprint of the data before.
    pub old_fingerprint: String,
    /// Fingerprint of the data after.
    pub new_fingerprint: String,
}

impl DataChange {
    /// A change that happens now.
    pub(super) fn now(step: u64, old_fingerprint: String, new_fingerprint: String) -> Self {
        Self {
            when: utc(SystemTime::now()),
            step,
            old_fingerprint,
            new_fingerprint,
        }
    }
}

impl fmt::Display for DataChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            old_fingerprint,
            new_fingerprint,
            ..
        } = self;
        write!(
            formatter,
            "from step {step} on the run has other data (fingerprint {new_fingerprint} instead of \
             {old_fingerprint})"
        )
    }
}

/// A session that continued a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// Main steps done before the session.
    pub from_step: u64,
    /// Device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// The command line, program first.
    pub command_line: Vec<String>,
    /// Start of the session, ISO 8601 in UTC.
    pub started: String,
}

impl Resumption {
    /// A session that begins now.
    pub(crate) fn now(from_step: u64, device: String, command_line: Vec<String>) -> Self {
        Self {
            from_step,
            device,
            command_line,
            started: utc(SystemTime::now()),
        }
    }
}

/// The command line of this process, program first; parts that are not Unicode are replaced.
pub fn command_line() -> Vec<String> {
    std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect()
}
