//! What an analysis of clusters finds.

use std::fmt;

use gwae_metrics::{ClusterCountScan, ClusterUsage, ContingencyTable, MetricError};
use serde::{Deserialize, Serialize};

/// How well a division of images agrees with their labels, which it never saw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterSummary {
    /// Normalised mutual information, 0 to 1.
    pub normalised_mutual_information: f64,
    /// Adjusted Rand index; 0 for a random division.
    pub adjusted_rand_index: f64,
    /// Share of the images that have the most common label of their cluster.
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

/// How the codes of a model lie together, and what the components of its mixture are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterAnalysis {
    /// Images whose codes were looked at.
    pub images: usize,
    /// What their labels are called, where they have some.
    pub labels: Option<Vec<String>>,
    /// k-means on the codes.
    pub k_means: KMeansAnalysis,
    /// k-means with 2 to 12 clusters.
    pub cluster_counts: ClusterCountScan,
    /// The components, for a model whose law of codes is a mixture.
    pub components: Option<ComponentAnalysis>,
}

/// k-means on codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KMeansAnalysis {
    /// Clusters.
    pub clusters: usize,
    /// How they agree with the labels.
    pub agreement: Option<ClusterSummary>,
}

/// What the components of a mixture are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentAnalysis {
    /// Components K.
    pub components: usize,
    /// Weights of the components in the prior; entropy `ln K` where all are alike, 0 where one is
    /// left.
    pub prior_usage: ClusterUsage,
    /// How many of the images fall to each component, the one under which it is most probable.
    pub assigned_usage: ClusterUsage,
    /// What the labels say of them.
    pub labelled: Option<LabelledComponents>,
}

/// What labels say of components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledComponents {
    /// How the division of the images to components agrees with their labels.
    pub agreement: ClusterSummary,
    /// For each component, how many images of each label were assigned to it.
    pub labels_of_images: Vec<Vec<u64>>,
    /// For each component, how many of its draws lie nearest to the code of an image of each label.
    pub labels_of_samples: Vec<Vec<u64>>,
}

impl LabelledComponents {
    /// The share of a component's draws that lie nearest to its one or two most common labels,
    /// averaged over the components.
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
            agreement,
        } = &self.k_means;
        if let Some(agreement) = agreement {
            writeln!(
                formatter,
                "agreement of k-means on the codes with labels, {clusters} clusters: {agreement}"
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
