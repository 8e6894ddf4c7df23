//! The clusters of a model's codes, and the components of its mixture.

mod analysis;
mod labels;

use std::path::Path;

use gwae_core::random::SeededGenerator;
use gwae_formats::atomic::{FileError, write_atomically};
use gwae_metrics::{
    ClusterUsage, KMeansConfig, MetricError, TSneConfig, k_means, scan_cluster_counts, t_sne,
};
use gwae_models::{Autoencoder, Components};
use gwae_report::ScatterPlot;
use gwae_train::pictures::{COMPONENT_COLUMNS, draw_codes, draw_components};

use super::error::OodError;
use super::scoring::ScoreTable;

pub use analysis::{
    ChosenBy, ClusterAnalysis, ClusterSummary, ComponentAnalysis, KMeansAnalysis,
    LabelledComponents,
};
pub use labels::Labels;

/// Number of samples in the picture of a component.
const SAMPLES: usize = 64;

/// Most points in the picture of the codes; the layout takes seconds for a few thousand.
const EMBEDDED: usize = 2_000;

/// Most classes for which the picture of codes has colours.
const MOST_COLOURS: usize = 30;

/// Numbers of clusters to try with k-means.
const CLUSTER_COUNTS: std::ops::RangeInclusive<usize> = 2..=12;

/// Options of [`analyse_clusters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Number of k-means clusters. `None` takes the number of labels, without labels the number of
    /// components of the mixture, and without a mixture the number that the Calinski-Harabasz index
    /// prefers.
    pub clusters: Option<usize>,
    /// Seed of k-means, the draws and the picture of the codes.
    pub seed: u64,
}

/// Analyses how `images` (at least three, scored by `model`) are grouped in the code space. Writes
/// into `directory`: `embedding.png` (the codes in the plane by t-SNE, coloured by label),
/// `clusters.json` and, if the model's latent distribution is a mixture, `component_samples.png`
/// (one row of decoded draws per component, with its weight and number of images) and
/// `cluster_samples/component_k.png` (more draws of each component).
///
/// The labels are those of the images. Without labels the picture is coloured by component or
/// cluster.
///
/// # Errors
/// For fewer than three images, and when a file cannot be written.
pub fn analyse_clusters(
    model: &dyn Autoencoder,
    images: &ScoreTable,
    labels: Option<&Labels>,
    options: &ClusterOptions,
    directory: &Path,
) -> Result<ClusterAnalysis, OodError> {
    let (codes, size) = (&images.codes[..], images.latent_dim);
    let count = codes.len().checked_div(size).unwrap_or(0);
    if count <= *CLUSTER_COUNTS.start() {
        return Err(OodError::TooFewImages(count));
    }
    if let Some(labels) = labels.filter(|labels| labels.values.len() != count) {
        return Err(OodError::LabelCount {
            images: count,
            labels: labels.values.len(),
        });
    }
    if let Some(clusters) = options.clusters.filter(|k| !(1..=count).contains(k)) {
        let images = count;
        return Err(OodError::ClusterCount { clusters, images });
    }
    std::fs::create_dir_all(directory).map_err(FileError::on("create", directory))?;
    let config = KMeansConfig {
        seed: options.seed,
        ..KMeansConfig::default()
    };
    let most = (*CLUSTER_COUNTS.end()).min(count);
    let cluster_counts = scan_cluster_counts(codes, size, *CLUSTER_COUNTS.start()..=most, &config)?;
    let components = match model.components() {
        Some(components) => Some(analyse_components(
            model,
            components.as_ref(),
            images,
            labels,
            options,
            directory,
        )?),
        None => None,
    };
    let (clusters, chosen_by) = match (options.clusters, labels, &components) {
        (Some(clusters), ..) => (clusters, ChosenBy::Caller),
        (None, Some(labels), _) => (labels.names.len().min(count), ChosenBy::Labels),
        (None, None, Some(of_model)) => (of_model.components.min(count), ChosenBy::Components),
        (None, None, None) => {
            let best = cluster_counts.best().map(|best| best.clusters);
            (best.unwrap_or(*CLUSTER_COUNTS.start()), ChosenBy::Index)
        }
    };
    let clustered = k_means(codes, size, clusters, &config)?.labels;
    let agreement = labels.map(|labels| ClusterSummary::of(&labels.values, &clustered));
    let analysis = ClusterAnalysis {
        images: count,
        labels: labels.map(|labels| labels.names.clone()),
        k_means: KMeansAnalysis {
            clusters,
            chosen_by,
            agreement: agreement.transpose()?,
        },
        cluster_counts,
        components,
    };
    let numbers = |count: usize| (0..count).map(|number| number.to_string()).collect();
    let classes = match (labels, &analysis.components) {
        (Some(labels), _) => Classes {
            by: "label",
            of: labels.values.clone(),
            names: labels.names.clone(),
        },
        (None, Some(components)) => Classes {
            by: "component",
            of: images.components.clone(),
            names: numbers(components.components),
        },
        (None, None) => Classes {
            by: "k-means cluster",
            of: clustered,
            names: numbers(clusters),
        },
    };
    let text = serde_json::to_string_pretty(&analysis).expect("numbers and lists of them");
    write_atomically(&directory.join("clusters.json"), text.as_bytes())?;
    draw_embedding(
        images,
        classes,
        options.seed,
        &directory.join("embedding.png"),
    )?;
    Ok(analysis)
}

/// Draws pictures of every component, and counts its images and labels.
fn analyse_components(
    model: &dyn Autoencoder,
    components: &dyn Components,
    images: &ScoreTable,
    labels: Option<&Labels>,
    options: &ClusterOptions,
    directory: &Path,
) -> Result<ComponentAnalysis, OodError> {
    let weights: Vec<f64> = components.weights().into_data().iter::<f64>().collect();
    let folder = directory.join("cluster_samples");
    std::fs::create_dir_all(&folder).map_err(FileError::on("create", &folder))?;
    let mut noise = SeededGenerator::new(options.seed, 0);
    let (mut labels_of_samples, mut of_all) = (Vec::new(), Vec::new());
    for component in 0..weights.len() {
        let codes = components.draw(component, SAMPLES, &mut noise);
        if let Some(labels) = labels {
            let drawn: Vec<f32> = codes.clone().into_data().iter::<f32>().collect();
            let drawn = drawn.chunks(images.latent_dim);
            let nearest = drawn.map(|code| nearest(code, &images.codes));
            labels_of_samples.push(labels.counts(nearest));
        }
        let path = folder.join(format!("component_{component}.png"));
        of_all.push(codes.clone().narrow(0, 0, COMPONENT_COLUMNS));
        let title = format!("Samples of component {component}");
        draw_codes(model, codes, &title, &path)?;
    }
    draw_components(
        model,
        &of_all,
        &weights,
        &images.components,
        "Samples of every component",
        &directory.join("component_samples.png"),
    )?;
    let assigned = &images.components;
    let labelled = |labels: &Labels| -> Result<_, MetricError> {
        let of_component = |component: usize| {
            let images = assigned.iter().enumerate();
            let images = images.filter(|(_, assigned)| **assigned == component);
            labels.counts(images.map(|(image, _)| image))
        };
        Ok(LabelledComponents {
            agreement: ClusterSummary::of(&labels.values, assigned)?,
            labels_of_images: (0..weights.len()).map(of_component).collect(),
            labels_of_samples,
        })
    };
    Ok(ComponentAnalysis {
        components: weights.len(),
        prior_usage: ClusterUsage::from_weights(&weights)?,
        assigned_usage: ClusterUsage::from_assignments(assigned, weights.len())?,
        labelled: labels.map(labelled).transpose()?,
    })
}

/// The index of the row-major `codes` that is nearest to `code`.
fn nearest(code: &[f32], codes: &[f32]) -> usize {
    let distance = |other: &[f32]| -> f32 {
        let differences = code.iter().zip(other).map(|(a, b)| (a - b).powi(2));
        differences.sum()
    };
    let distances = codes.chunks(code.len()).map(distance);
    let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    nearest.map_or(0, |(index, _)| index)
}

/// The colours of the points of a picture.
struct Classes {
    by: &'static str,
    of: Vec<usize>,
    names: Vec<String>,
}

fn draw_embedding(
    images: &ScoreTable,
    classes: Classes,
    seed: u64,
    path: &Path,
) -> Result<(), OodError> {
    let count = classes.of.len().min(EMBEDDED);
    let config = TSneConfig {
        seed,
        ..TSneConfig::default()
    };
    let codes = &images.codes[..count * images.latent_dim];
    let plane = t_sne(codes, images.latent_dim, &config)?;
    let points = plane.chunks(2);
    let points: Vec<(f64, f64)> = points.map(|p| (p[0].into(), p[1].into())).collect();
    let Classes { by, mut of, names } = classes;
    of.truncate(count);
    let mut caption = format!("t-SNE of the codes of {count} images");
    // With more classes than colours, all points have the same colour.
    let names: Vec<&str> = if names.len() <= MOST_COLOURS {
        caption += &format!(", coloured by {by}");
        names.iter().map(String::as_str).collect()
    } else {
        caption += &format!("; there are no colours for {} {by}s", names.len());
        of.fill(0);
        vec!["all"]
    };
    let plot = ScatterPlot {
        title: "Codes of images",
        caption: &caption,
        points: &points,
        classes: &of,
        class_names: &names,
    };
    Ok(plot.save(path)?)
}
