//! The results of an experiment.

use std::fmt;

use super::clusters::ClusterAnalysis;
use super::comparison::Comparison;

/// The result of one model with one seed.
#[derive(Clone, Debug)]
pub struct ModelOutcome {
    /// The model.
    pub model: String,
    /// The seed.
    pub seed: u64,
    /// Seconds of training, including the scoring during it.
    pub seconds: f64,
    /// Peak signal-to-noise ratio in dB of reconstructed test images.
    pub psnr: Option<f64>,
    /// Every score on every set.
    pub comparisons: Vec<Comparison>,
    /// Its clusters, if its latent distribution is a mixture.
    pub clusters: Option<ClusterAnalysis>,
}

/// The results of an experiment.
#[derive(Clone, Debug, Default)]
pub struct ExperimentOutcome {
    /// Every finished model with every seed.
    pub models: Vec<ModelOutcome>,
    /// Whether the user stopped the experiment.
    pub interrupted: bool,
}

impl fmt::Display for ExperimentOutcome {
    /// Writes one or two lines per model: training time, reconstruction and clusters.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, model) in self.models.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            let ModelOutcome {
                model: name,
                seed,
                seconds,
                ..
            } = model;
            write!(formatter, "{newline}{name}, seed {seed}: {seconds:.0} s")?;
            if let Some(psnr) = model.psnr {
                write!(formatter, ", test images reconstructed at {psnr:.2} dB")?;
            }
            if let Some(clusters) = &model.clusters {
                for line in clusters.to_string().lines() {
                    write!(formatter, "\n  {line}")?;
                }
            }
        }
        Ok(())
    }
}
