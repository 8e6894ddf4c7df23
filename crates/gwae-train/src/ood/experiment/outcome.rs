//! What an experiment came to.

use std::fmt;

use crate::ood::{ClusterAnalysis, ClusterSummary, Comparison};

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
    /// Its clusters, for a model with a Gaussian mixture prior.
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
                let ClusterSummary {
                    normalised_mutual_information: information,
                    adjusted_rand_index: rand,
                    purity,
                } = clusters.assignment;
                write!(
                    formatter,
                    "\n  {} components; entropy of their weights {:.2}, of the images assigned to them {:.2}, of \
                     {:.2} nats\n  {:.0} % of a component's samples are of its two most common labels\n  agreement of components with labels: \
                     NMI {information:.3}, ARI {rand:.3}, purity {purity:.3} (k-means on the codes: \
                     {:.3}, {:.3}, {:.3})",
                    clusters.components,
                    clusters.prior_usage.entropy,
                    clusters.assigned_usage.entropy,
                    (clusters.components as f64).ln(),
                    100.0 * clusters.samples_of_two_labels(),
                    clusters.k_means.normalised_mutual_information,
                    clusters.k_means.adjusted_rand_index,
                    clusters.k_means.purity,
                )?;
            }
        }
        Ok(())
    }
}
