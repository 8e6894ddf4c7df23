//! What an experiment came to.

use std::fmt;

use crate::ood::{ClusterAnalysis, Comparison};

/// What one model with one seed came to.
#[derive(Clone, Debug)]
pub struct ModelOutcome {
    /// The model.
    pub model: String,
    /// The seed.
    pub seed: u64,
    /// Seconds of training, with those of the scores on the way.
    pub seconds: f64,
    /// Peak signal-to-noise ratio in dB of reconstructed test images.
    pub psnr: Option<f64>,
    /// Every score on every set.
    pub comparisons: Vec<Comparison>,
    /// Its clusters, where its law of codes is a mixture.
    pub clusters: Option<ClusterAnalysis>,
}

/// What an experiment came to.
#[derive(Clone, Debug, Default)]
pub struct ExperimentOutcome {
    /// Every model with every seed that was finished.
    pub models: Vec<ModelOutcome>,
    /// Whether the user stopped it before the end.
    pub interrupted: bool,
}

impl fmt::Display for ExperimentOutcome {
    /// A line or two per model: how long it trained, how well it reconstructs, what its clusters are.
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
