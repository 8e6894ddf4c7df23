//! The results so far of one model with one seed: `ood.json` in its run directory.

use std::path::{Path, PathBuf};

use gwae_formats::atomic::FileError;
use gwae_train::run_directory::{RunDirectoryError, read_json, write_json};
use serde::{Deserialize, Serialize};

use super::error::ExperimentError;
use crate::ood::clusters::ClusterAnalysis;
use crate::ood::report::ModelScores;
use crate::ood::trace::Trace;

const FILE: &str = "ood.json";

/// Directory of the scores of single images, as arrays.
const SCORES: &str = "scores";

/// The results of a model during or after its training.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelRecord {
    /// Its scores during the training, up to now.
    pub trace: Trace,
    /// Its result, once the training has ended.
    pub result: Option<ModelResult>,
}

/// The result of a model after its training.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelResult {
    /// Seconds of training.
    pub seconds: f64,
    /// Peak signal-to-noise ratio in dB of reconstructed test images.
    pub psnr: Option<f64>,
    /// Names of the scores; their values are in arrays.
    pub scores: Vec<String>,
    /// Names of the out-of-distribution sets.
    pub sets: Vec<String>,
    /// Its clusters, if its latent distribution is a mixture.
    pub clusters: Option<ClusterAnalysis>,
}

impl ModelRecord {
    /// Reads the record in a run directory; an empty record if there is none yet.
    pub fn read(run: &Path) -> Result<Self, ExperimentError> {
        let path = path(run);
        if !path.is_file() {
            return Ok(Self::default());
        }
        read_json(&path).map_err(|error| match error {
            RunDirectoryError::Damaged { path, problem } => ExperimentError::Damaged {
                problem: format!("{} is damaged ({problem})", path.display()),
                run: run.to_owned(),
            },
            other => other.into(),
        })
    }

    /// Writes the record into the run directory.
    pub fn write(&self, run: &Path) -> Result<(), FileError> {
        write_json(&path(run), self)
    }
}

impl ModelResult {
    /// Stores the scores in the run directory. They must be stored before the result.
    pub fn write_scores(scores: &ModelScores, run: &Path) -> Result<(), ExperimentError> {
        Ok(scores.write_arrays(&run.join(SCORES))?)
    }

    /// The scores that were stored with the result.
    pub fn read_scores(&self, model: &str, run: &Path) -> Result<ModelScores, ExperimentError> {
        let scores = ModelScores::read_arrays(model, &self.scores, &self.sets, &run.join(SCORES));
        scores.map_err(|error| ExperimentError::Damaged {
            problem: error.to_string(),
            run: run.to_owned(),
        })
    }
}

fn path(run: &Path) -> PathBuf {
    run.join(FILE)
}
