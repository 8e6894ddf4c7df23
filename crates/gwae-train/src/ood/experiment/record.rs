//! What an experiment was begun with: `experiment.json`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::ExperimentError;
use crate::atomic::remove_temporaries;
use crate::config::{DataConfig, RunConfig};
use crate::ood::TestSet;
use crate::run_directory::{BURN_VERSION, read_json, write_json};
use crate::timestamp::utc;

const FILE: &str = "experiment.json";

/// Everything that decides what an experiment computes, and who computed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExperimentRecord {
    /// The models by name.
    pub models: Vec<(String, RunConfig)>,
    /// The out-of-distribution images.
    pub sets: Vec<DataConfig>,
    /// Images of each set, and of the test part, at most.
    pub images: usize,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Fingerprints of the sets.
    pub fingerprints: Vec<String>,
    /// The program runs that worked on it, the first one first.
    pub sessions: Vec<SessionRecord>,
}

/// A program run that worked on an experiment.
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
    /// One that begins now.
    pub fn now(device: String, command_line: Vec<String>) -> Self {
        Self {
            gwae_version: env!("CARGO_PKG_VERSION").into(),
            burn_version: BURN_VERSION.into(),
            device,
            command_line,
            started: utc(SystemTime::now()),
        }
    }

    /// The versions that numbers may depend on.
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
        Ok(read_json(&file)?)
    }

    /// Writes it into `directory`, which exists.
    pub fn write(&self, directory: &Path) -> Result<(), ExperimentError> {
        Ok(write_json(&path(directory), self)?)
    }

    /// Takes the record of an experiment away.
    pub fn remove(directory: &Path) {
        // What cannot be removed is found, and named, by whoever begins an experiment there next.
        let _ = std::fs::remove_file(path(directory));
    }

    /// Takes away what is left of a record that was not written to its end.
    pub fn remove_temporaries(directory: &Path) {
        remove_temporaries(&path(directory));
    }

    /// Which of the settings differ from those of another record.
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

    /// Checks that the sets have the images that the experiment was begun with.
    pub fn check_images(&self, directory: &Path, sets: &[TestSet]) -> Result<(), ExperimentError> {
        for (set, expected) in sets.iter().zip(&self.fingerprints) {
            if set.data.dataset().fingerprint() != *expected {
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
