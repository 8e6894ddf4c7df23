//! What is known so far of one model with one seed: `ood.json` in its run directory.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ExperimentError;
use crate::atomic::FileError;
use crate::ood::{ClusterAnalysis, ModelScores, Trace};
use crate::run_directory::{RunDirectoryError, read_json, write_json};

const FILE: &str = "ood.json";

/// Where the scores of single images are, as arrays.
const SCORES: &str = "scores";

/// A model that is being trained, or was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Its scores in the course of the training, as far as it has come.
    pub trace: Trace,
    /// What it came to, once that is known.
    pub result: Option<PartResult>,
}

/// What a model came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartResult {
    /// Seconds of training.
    pub seconds: f64,
    /// Peak signal-to-noise ratio in dB of reconstructed test images.
    pub psnr: Option<f64>,
    /// Names of the scores, whose values are in arrays.
    pub scores: Vec<String>,
    /// Names of the out-of-distribution sets.
    pub sets: Vec<String>,
    /// Its clusters, where its law of codes is a mixture.
    pub clusters: Option<ClusterAnalysis>,
}

impl Part {
    /// What is stored in the directory of a run; nothing where nothing was measured yet.
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

    /// Stores it.
    pub fn write(&self, run: &Path) -> Result<(), FileError> {
        write_json(&path(run), self)
    }
}

impl PartResult {
    /// Stores the scores in the directory of the run. They have to be there before the result is.
    pub fn write_scores(scores: &ModelScores, run: &Path) -> Result<(), ExperimentError> {
        Ok(scores.write_arrays(&run.join(SCORES))?)
    }

    /// The scores that were stored with it.
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
