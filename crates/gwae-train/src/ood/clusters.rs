//! What the components of a Gaussian mixture prior are.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::Mode;
use gwae_core::noise::HostGenerator;
use gwae_datasets::{Dataset, DatasetError};
use gwae_metrics::{
    ClusterCountScan, ClusterUsage, ContingencyTable, KMeansConfig, MetricError, TSneConfig,
    k_means, scan_cluster_counts, t_sne,
};
use gwae_models::Gwae;
use gwae_priors::{GaussianMixturePrior, PriorSampler};
use serde::{Deserialize, Serialize};

use super::ScoreTable;
use crate::atomic::{FileError, write_atomically};
use crate::pictures::draw_codes;
use crate::report::{ReportError, ScatterPlot};

/// Samples in the picture of a component.
const SAMPLES: usize = 64;

/// Points in the picture of the codes, whose arrangement takes seconds for some thousands.
const EMBEDDED: usize = 2_000;

/// Most labels that the picture of codes has colours for.
const MOST_COLOURS: usize = 30;

/// Numbers of clusters that k-means is tried with.
const CLUSTER_COUNTS: std::ops::RangeInclusive<usize> = 2..=12;

/// An analysis that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A model without components.
    #[error(
        "the model has no Gaussian mixture prior, so it has no clusters: train one with prior = {{ family = \"gaussian_mixture\" }}"
    )]
    NoMixture,
    /// Too few images, or labels of others.
    #[error(
        "clusters of {images} images with {labels} labels: there must be a label for each image, and at least 3"
    )]
    Images {
        /// Images.
        images: usize,
        /// Labels.
        labels: usize,
    },
    /// Codes or labels that cannot be measured.
    #[error("clusters: {0}")]
    Metric(#[from] MetricError),
    /// A picture.
    #[error(transparent)]
    Picture(#[from] ReportError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

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
    fn of(labels: &[usize], clusters: &[usize]) -> Result<Self, MetricError> {
        let table = ContingencyTable::new(labels, clusters)?;
        Ok(Self {
            normalised_mutual_information: table.normalised_mutual_information(),
            adjusted_rand_index: table.adjusted_rand_index(),
            purity: table.purity(),
        })
    }
}

/// What the components of a mixture are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterAnalysis {
    /// Components K.
    pub components: usize,
    /// Weights of the components in the prior; entropy `ln K` where all are alike, 0 where one is
    /// left.
    pub prior_usage: ClusterUsage,
    /// How many of the images fall to each component.
    pub assigned_usage: ClusterUsage,
    /// Images assigned to the component under which their code is most probable.
    pub assignment: ClusterSummary,
    /// Images divided by k-means on their codes into as many clusters.
    pub k_means: ClusterSummary,
    /// k-means with 2 to 12 clusters.
    pub cluster_counts: ClusterCountScan,
    /// For each component, how many images of each label were assigned to it.
    pub labels_of_components: Vec<Vec<u64>>,
    /// For each component, how many of its draws lie nearest to the code of an image of each label.
    pub labels_of_samples: Vec<Vec<u64>>,
}

impl ClusterAnalysis {
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

/// The labels of images: the values of the first factor of their dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The label of each image, from 0.
    pub values: Vec<usize>,
    /// What the labels are called.
    pub names: Vec<String>,
}

impl Labels {
    /// The labels of the items at `indices`; all alike where the dataset has no factors.
    ///
    /// # Errors
    /// When an item cannot be read.
    pub fn of(dataset: &dyn Dataset, indices: &[u32]) -> Result<Self, DatasetError> {
        let Some(factor) = dataset.factors().first() else {
            return Ok(Self {
                values: vec![0; indices.len()],
                names: vec!["all".into()],
            });
        };
        let items = indices.iter().map(|index| dataset.item(*index as usize));
        let values = items.map(|item| Ok(item?.factors[0] as usize));
        let numbers = || (0..factor.values).map(|n| n.to_string()).collect();
        Ok(Self {
            values: values.collect::<Result<_, DatasetError>>()?,
            names: dataset.value_names(0).map_or_else(numbers, <[_]>::to_vec),
        })
    }

    /// The labels that the picture of codes can tell apart: with more, all are alike.
    fn drawn(&self) -> Self {
        if self.names.len() <= MOST_COLOURS {
            return self.clone();
        }
        Self {
            values: vec![0; self.values.len()],
            names: vec![format!("{} classes", self.names.len())],
        }
    }
}

/// Analyses the components of the mixture prior of `model` on images with known labels, and writes
/// into `directory`: `cluster_samples/component_k.png` (decoded draws of each component),
/// `embedding.png` (the codes in the plane by t-SNE, coloured by label) and `clusters.json`.
///
/// `images` are the scores and codes of the images that `labels` are of, at least three.
///
/// # Errors
/// For a model without a mixture, and when a file cannot be written.
pub fn analyse_clusters(
    model: &Gwae,
    images: &ScoreTable,
    labels: &Labels,
    device: &Device,
    seed: u64,
    directory: &Path,
) -> Result<ClusterAnalysis, ClusterError> {
    let PriorSampler::GaussianMixture(prior) = &model.prior else {
        return Err(ClusterError::NoMixture);
    };
    let count = images.codes.len() / images.latent_dim;
    if count != labels.values.len() || count <= *CLUSTER_COUNTS.start() {
        return Err(ClusterError::Images {
            images: count,
            labels: labels.values.len(),
        });
    }
    let components = prior.components();
    let assigned = assignment(prior, images, device);
    let weights: Vec<f64> = prior.weights().into_data().iter::<f64>().collect();
    let (codes, size) = (&images.codes[..], images.latent_dim);
    let config = KMeansConfig {
        seed,
        ..KMeansConfig::default()
    };
    let clustered = k_means(codes, size, components.min(count), &config)?;
    let most = (*CLUSTER_COUNTS.end()).min(count);
    let counts = scan_cluster_counts(codes, size, *CLUSTER_COUNTS.start()..=most, &config)?;
    let mut labels_of_components = vec![vec![0; labels.names.len()]; components];
    for (component, label) in assigned.iter().zip(&labels.values) {
        if let Some(count) = labels_of_components[*component].get_mut(*label) {
            *count += 1;
        }
    }
    let analysis = ClusterAnalysis {
        components,
        prior_usage: ClusterUsage::from_weights(&weights)?,
        assigned_usage: ClusterUsage::from_assignments(&assigned, components)?,
        assignment: ClusterSummary::of(&labels.values, &assigned)?,
        k_means: ClusterSummary::of(&labels.values, &clustered.labels)?,
        cluster_counts: counts,
        labels_of_components,
        labels_of_samples: draw_components(model, images, labels, device, seed, directory)?,
    };
    draw_embedding(
        images,
        &labels.drawn(),
        seed,
        &directory.join("embedding.png"),
    )?;
    let text = serde_json::to_string_pretty(&analysis).expect("numbers and lists of them");
    write_atomically(&directory.join("clusters.json"), text.as_bytes())?;
    Ok(analysis)
}

/// The component under which each code is most probable.
fn assignment(prior: &GaussianMixturePrior, images: &ScoreTable, device: &Device) -> Vec<usize> {
    let shape = [images.codes.len() / images.latent_dim, images.latent_dim];
    let codes = TensorData::new(images.codes.clone(), shape);
    let codes = Tensor::<2>::from_data(codes, device);
    let densities = prior.mixture().component_log_densities(codes);
    let densities: Vec<f64> = densities.into_data().iter::<f64>().collect();
    let rows = densities.chunks(prior.components());
    rows.map(|row| {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.expect("a mixture has components").0
    })
    .collect()
}

/// Draws every component, and counts the labels that its draws lie nearest to.
fn draw_components(
    model: &Gwae,
    images: &ScoreTable,
    labels: &Labels,
    device: &Device,
    seed: u64,
    directory: &Path,
) -> Result<Vec<Vec<u64>>, ClusterError> {
    let PriorSampler::GaussianMixture(prior) = &model.prior else {
        return Err(ClusterError::NoMixture);
    };
    let folder: PathBuf = directory.join("cluster_samples");
    std::fs::create_dir_all(&folder).map_err(FileError::on("create", &folder))?;
    let mut noise = HostGenerator::new(seed, 0);
    let mut labels_of_samples = Vec::new();
    for component in 0..prior.components() {
        let codes = prior
            .component_samples(component, SAMPLES, Mode::Evaluate, &mut noise, device)
            .expect("a component of the mixture");
        let drawn: Vec<f32> = codes.clone().into_data().iter::<f32>().collect();
        let mut counts = vec![0; labels.names.len()];
        for code in drawn.chunks(images.latent_dim) {
            let nearest = nearest(code, &images.codes);
            if let Some(count) = counts.get_mut(labels.values[nearest]) {
                *count += 1;
            }
        }
        labels_of_samples.push(counts);
        draw_codes(
            model,
            codes,
            &folder.join(format!("component_{component}.png")),
        )?;
    }
    Ok(labels_of_samples)
}

/// Which of the row-major `codes` is nearest to `code`.
fn nearest(code: &[f32], codes: &[f32]) -> usize {
    let distance = |other: &[f32]| -> f32 {
        let differences = code.iter().zip(other).map(|(a, b)| (a - b).powi(2));
        differences.sum()
    };
    let distances = codes.chunks(code.len()).map(distance);
    let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    nearest.map_or(0, |(index, _)| index)
}

fn draw_embedding(
    images: &ScoreTable,
    labels: &Labels,
    seed: u64,
    path: &Path,
) -> Result<(), ClusterError> {
    let count = labels.values.len().min(EMBEDDED);
    let config = TSneConfig {
        seed,
        ..TSneConfig::default()
    };
    let codes = &images.codes[..count * images.latent_dim];
    let plane = t_sne(codes, images.latent_dim, &config)?;
    let points = plane.chunks(2);
    let points: Vec<(f64, f64)> = points.map(|p| (p[0].into(), p[1].into())).collect();
    let names: Vec<&str> = labels.names.iter().map(String::as_str).collect();
    let plot = ScatterPlot {
        title: "Codes of test images",
        caption: &format!("t-SNE of the codes of {count} test images, coloured by label"),
        points: &points,
        classes: &labels.values[..count],
        class_names: &names,
    };
    Ok(plot.save(path)?)
}
