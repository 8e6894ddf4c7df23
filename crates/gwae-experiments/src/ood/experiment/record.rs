//! The settings of an experiment: `experiment.json`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gwae_datasets::config::DataConfig;
use gwae_formats::atomic::remove_temporaries;
use gwae_train::config::RunConfig;
use gwae_train::run_directory::{BURN_VERSION, read_json, write_json};
use gwae_train::timestamp::utc;
use serde::{Deserialize, Serialize};

use super::error::ExperimentError;
use crate::ood::comparison::TestSet;

const FILE: &str = "experiment.json";

/// Everything that decides the results of an experiment, and the sessions that worked on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExperimentRecord {
    /// The models by name.
    pub models: Vec<(String, RunConfig)>,
    /// The out-of-distribution images.
    pub sets: Vec<DataConfig>,
    /// Most images of each set, and of the test part.
    pub images: usize,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Fingerprints of the sets.
    pub fingerprints: Vec<String>,
    /// The sessions that worked on it, first one first.
    pub sessions: Vec<SessionRecord>,
}

/// A session that worked on an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionRecord {
    /// Version of this library.
    pub gwae_version: String,
    /// Version of Burn.
    pub burn_version: String,
    /// Devices, such as `cpu` or `cuda:0,cuda:1`.
    pub device: String,
    /// The command line, program first.
    pub command_line: Vec<String>,
    /// When it began, ISO 8601 in UTC.
    pub started: String,
}

impl SessionRecord {
    /// A session that begins now.
    pub fn now(device: String, command_line: Vec<String>) -> Self {
        Self {
            gwae_version: env!("CARGO_PKG_VERSION").into(),
            burn_version: BURN_VERSION.into(),
            device,
            command_line,
            started: utc(SystemTime::now()),
        }
    }

    /// The versions that may affect the numbers.
    pub fn versions(&self) -> String {
        format!("gwae {} and Burn {}", self.gwae_version, self.burn_version)
    }
}

impl ExperimentRecord {
    /// The record in `directory`.
    pub fn read(directory: &Path) -> Result<Self, ExperimentError> {
        let file = path(directory);
        if !file.is_file() {
            return Err(ExperimentError::NoExperiment {
                path: directory.to_owned(),
                file: FILE,
            });
        }
        let mut record: Self = read_json(&file)?;
        let of_models = record.models.iter_mut().map(|(_, config)| &mut config.data);
        of_models
            .chain(&mut record.sets)
            .for_each(DataConfig::restore_fit);
        Ok(record)
    }

    /// Writes it into `directory`, which must exist.
    pub fn write(&self, directory: &Path) -> Result<(), ExperimentError> {
        Ok(write_json(&path(directory), self)?)
    }

    /// Removes the record of an experiment.
    pub fn remove(directory: &Path) {
        // If this fails, the next experiment in this directory finds the file and reports it.
        let _ = std::fs::remove_file(path(directory));
    }

    /// Removes the temporary files of a record whose writing was cut short.
    pub fn remove_temporaries(directory: &Path) {
        remove_temporaries(&path(directory));
    }

    /// The settings that differ from those of another record.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let differs = [
            ("models", self.models != other.models),
            ("sets", self.sets != other.sets),
            ("numbers of images", self.images != other.images),
            ("seeds", self.seeds != other.seeds),
        ];
        let mut differs = differs.into_iter();
        differs.find(|(_, differs)| *differs).map(|(what, _)| what)
    }

    /// Refuses sets whose images differ from those at the start of the experiment.
    pub fn require_same_images(
        &self,
        directory: &Path,
        sets: &[TestSet],
    ) -> Result<(), ExperimentError> {
        for (set, expected) in sets.iter().zip(&self.fingerprints) {
            if !set.data.dataset().has_fingerprint(expected) {
                return Err(ExperimentError::OtherImages {
                    path: directory.to_owned(),
                    set: set.name.clone(),
                });
            }
        }
        Ok(())
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}
