//! The result of an analysis of clusters.

use std::fmt;

use gwae_metrics::{ClusterCountScan, ClusterUsage, ContingencyTable, MetricError};
use serde::{Deserialize, Serialize};

/// How well a division of images agrees with their labels. The division was made without the
/// labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterSummary {
    /// Normalised mutual information, 0 to 1.
    pub normalised_mutual_information: f64,
    /// Adjusted Rand index; 0 for a random division.
    pub adjusted_rand_index: f64,
    /// Share of the images that have the most common label in their cluster.
    pub purity: f64,
}

impl ClusterSummary {
    pub(super) fn of(labels: &[usize], clusters: &[usize]) -> Result<Self, MetricError> {
        let table = ContingencyTable::new(labels, clusters)?;
        Ok(Self {
            normalised_mutual_information: table.normalised_mutual_information(),
            adjusted_rand_index: table.adjusted_rand_index(),
            purity: table.purity(),
        })
    }
}

impl fmt::Display for ClusterSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "NMI {:.3}, ARI {:.3}, purity {:.3}",
            self.normalised_mutual_information, self.adjusted_rand_index, self.purity
        )
    }
}

/// The clusters of a model's codes, and the components of its mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterAnalysis {
    /// Number of images.
    pub images: usize,
    /// Names of their labels, if they have labels.
    pub labels: Option<Vec<String>>,
    /// k-means on the codes.
    pub k_means: KMeansAnalysis,
    /// k-means with 2 to 12 clusters.
    pub cluster_counts: ClusterCountScan,
    /// The components, if the model's latent distribution is a mixture.
    pub components: Option<ComponentAnalysis>,
}

/// k-means on codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KMeansAnalysis {
    /// Number of clusters.
    pub clusters: usize,
    /// What decided on this number.
    #[serde(default)]
    pub chosen_by: ChosenBy,
    /// Their agreement with the labels.
    pub agreement: Option<ClusterSummary>,
}

/// What decides on the number of k-means clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// The caller.
    #[default]
    Caller,
    /// The number of labels.
    Labels,
    /// The number of components of the mixture.
    Components,
    /// The Calinski-Harabasz index.
    Index,
}

/// The components of a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentAnalysis {
    /// Number of components K.
    pub components: usize,
    /// Weights of the components in the prior. The entropy is `ln K` for equal weights and 0 for a
    /// single component.
    pub prior_usage: ClusterUsage,
    /// The share of the images in each component; an image belongs to its most probable component.
    pub assigned_usage: ClusterUsage,
    /// Their agreement with the labels.
    pub labelled: Option<LabelledComponents>,
}

/// Components compared with labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledComponents {
    /// Agreement between the components of the images and their labels.
    pub agreement: ClusterSummary,
    /// For each component, the number of its images with each label.
    pub labels_of_images: Vec<Vec<u64>>,
    /// For each component, the number of its draws whose nearest image code has each label.
    pub labels_of_samples: Vec<Vec<u64>>,
}

impl LabelledComponents {
    /// The share of a component's draws that lie nearest to its two most common labels, averaged
    /// over the components.
    pub fn samples_of_two_labels(&self) -> f64 {
        let shares = self.labels_of_samples.iter().map(|counts| {
            let mut sorted = counts.clone();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            let two: u64 = sorted.iter().take(2).sum();
            two as f64 / sorted.iter().sum::<u64>().max(1) as f64
        });
        shares.sum::<f64>() / self.labels_of_samples.len() as f64
    }
}

impl fmt::Display for ComponentAnalysis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} components; entropy of their weights {:.2}, of the images assigned to them {:.2}, of \
             {:.2} nats",
            self.components,
            self.prior_usage.entropy,
            self.assigned_usage.entropy,
            (self.components as f64).ln(),
        )?;
        if let Some(labelled) = &self.labelled {
            write!(
                formatter,
                "\n{:.0} % of a component's samples are of its two most common labels\n\
                 agreement of components with labels: {}",
                100.0 * labelled.samples_of_two_labels(),
                labelled.agreement
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for ClusterAnalysis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(components) = &self.components {
            writeln!(formatter, "{components}")?;
        }
        let KMeansAnalysis {
            clusters,
            chosen_by,
            agreement,
        } = &self.k_means;
        let reason = match chosen_by {
            ChosenBy::Caller => "",
            ChosenBy::Labels => " (as many as labels)",
            ChosenBy::Components => " (as many as components)",
            ChosenBy::Index => " (the index below prefers so many; --clusters K takes K)",
        };
        if let Some(agreement) = agreement {
            writeln!(
                formatter,
                "agreement of k-means on the codes with labels, {clusters} clusters{reason}: {agreement}"
            )?;
        } else {
            writeln!(
                formatter,
                "k-means divides the codes into {clusters} clusters{reason}"
            )?;
        }
        let entries = self.cluster_counts.entries.iter();
        let defined = entries.filter_map(|entry| Some((entry.clusters, entry.calinski_harabasz?)));
        let (counts, indices): (Vec<_>, Vec<_>) = defined
            .map(|(clusters, index)| (clusters, format!("{index:.1}")))
            .unzip();
        write!(formatter, "Calinski-Harabasz index of k-means")?;
        match (counts.first(), counts.last(), self.cluster_counts.best()) {
            (Some(first), Some(last), Some(best)) => write!(
                formatter,
                " with {first} to {last} clusters: {}; largest with {}",
                indices.join(", "),
                best.clusters
            ),
            _ => write!(formatter, ": not defined for so few different images"),
        }
    }
}
