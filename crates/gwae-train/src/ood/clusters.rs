//! What the components of a Gaussian mixture prior are.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::Mode;
use gwae_core::noise::HostGenerator;
use gwae_metrics::{
    ClusterCountScan, ClusterUsage, ContingencyTable, KMeansConfig, MetricError, TSneConfig,
    k_means, scan_cluster_counts, t_sne,
};
use gwae_models::Gwae;
use gwae_priors::{GaussianMixturePrior, PriorSampler};
use serde::Serialize;

use super::ScoreTable;
use crate::atomic::{FileError, write_atomically};
use crate::pictures::draw_codes;
use crate::report::{ReportError, ScatterPlot};

/// Samples in the picture of a component.
const SAMPLES: usize = 64;

/// Points in the picture of the codes, whose arrangement takes seconds for some thousands.
const EMBEDDED: usize = 2_000;

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Serialize)]
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
}

/// Analyses the components of the mixture prior of `model` on images with known labels, and writes
/// into `directory`: `cluster_samples/component_k.png` (decoded draws of each component),
/// `embedding.png` (the codes in the plane by t-SNE, coloured by label) and `clusters.json`.
///
/// `images` are the scores and codes of the images, `labels` their labels from 0.
///
/// # Errors
/// For a model without a mixture, and when a file cannot be written.
pub fn analyse_clusters(
    model: &Gwae,
    images: &ScoreTable,
    labels: &[usize],
    label_names: &[&str],
    device: &Device,
    seed: u64,
    directory: &Path,
) -> Result<ClusterAnalysis, ClusterError> {
    let PriorSampler::GaussianMixture(prior) = &model.prior else {
        return Err(ClusterError::NoMixture);
    };
    let components = prior.components();
    let assigned = assignment(prior, images, device);
    let weights: Vec<f64> = prior.weights().into_data().iter::<f64>().collect();
    let (codes, size) = (&images.codes[..], images.latent_dim);
    let config = KMeansConfig {
        seed,
        ..KMeansConfig::default()
    };
    let clustered = k_means(codes, size, components.min(labels.len()), &config)?;
    let most = (*CLUSTER_COUNTS.end()).min(labels.len());
    let counts = scan_cluster_counts(codes, size, *CLUSTER_COUNTS.start()..=most, &config)?;
    let mut labels_of_components = vec![vec![0; label_names.len()]; components];
    for (component, label) in assigned.iter().zip(labels) {
        labels_of_components[*component][*label] += 1;
    }
    let analysis = ClusterAnalysis {
        components,
        prior_usage: ClusterUsage::from_weights(&weights)?,
        assigned_usage: ClusterUsage::from_assignments(&assigned, components)?,
        assignment: ClusterSummary::of(labels, &assigned)?,
        k_means: ClusterSummary::of(labels, &clustered.labels)?,
        cluster_counts: counts,
        labels_of_components,
    };
    draw_components(model, prior, device, seed, directory)?;
    draw_embedding(
        images,
        labels,
        label_names,
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

fn draw_components(
    model: &Gwae,
    prior: &GaussianMixturePrior,
    device: &Device,
    seed: u64,
    directory: &Path,
) -> Result<(), ClusterError> {
    let folder: PathBuf = directory.join("cluster_samples");
    std::fs::create_dir_all(&folder).map_err(FileError::on("create", &folder))?;
    let mut noise = HostGenerator::new(seed, 0);
    for component in 0..prior.components() {
        let codes = prior
            .component_samples(component, SAMPLES, Mode::Evaluate, &mut noise, device)
            .expect("a component of the mixture");
        draw_codes(
            model,
            codes,
            &folder.join(format!("component_{component}.png")),
        )?;
    }
    Ok(())
}

fn draw_embedding(
    images: &ScoreTable,
    labels: &[usize],
    label_names: &[&str],
    seed: u64,
    path: &Path,
) -> Result<(), ClusterError> {
    let count = labels.len().min(EMBEDDED);
    let config = TSneConfig {
        seed,
        ..TSneConfig::default()
    };
    let codes = &images.codes[..count * images.latent_dim];
    let plane = t_sne(codes, images.latent_dim, &config)?;
    let points = plane.chunks(2);
    let points: Vec<(f64, f64)> = points.map(|p| (p[0].into(), p[1].into())).collect();
    let plot = ScatterPlot {
        title: "Codes of test images",
        caption: &format!("t-SNE of the codes of {count} test images, coloured by label"),
        points: &points,
        classes: &labels[..count],
        class_names: label_names,
    };
    Ok(plot.save(path)?)
}
