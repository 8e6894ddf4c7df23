//! `gwae clusters`.

use std::error::Error;
use std::process::ExitCode;

use gwae_datasets::Dataset;
use gwae_train::ood::{ClusterOptions, Labels, analyse_clusters, choose, score_images};

use crate::arguments::Clusters;
use crate::contact_sheet::known;
use crate::terminal::print;
use crate::trained_model::TrainedModel;

pub(super) fn run(arguments: &Clusters) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let directory = trained.new_directory(&arguments.out, "clusters")?;
    let images = trained.images(&arguments.source)?;
    let dataset = images.data.dataset();
    let factor = factor(dataset, arguments.label.as_deref())?;
    let indices = choose(images.unseen()?, arguments.images as usize, arguments.seed);
    let scores = score_images(
        trained.autoencoder(),
        &images.data,
        &indices,
        &trained.device,
    )?;
    let labels = Labels::of(dataset, &indices, factor)?;
    if let (Some(name), None) = (&arguments.label, &labels) {
        return Err(format!(
            "--label {name}: all images of {} have the same, which divides nothing; leave it out",
            dataset.name()
        )
        .into());
    }
    let options = ClusterOptions {
        clusters: arguments.clusters.map(|clusters| clusters as usize),
        seed: arguments.seed,
    };
    let analysis = analyse_clusters(
        trained.autoencoder(),
        &scores,
        labels.as_ref(),
        &options,
        &directory,
    )?;
    print(&analysis);
    let labelled = match labels {
        Some(_) => format!(", labels: {}", dataset.factors()[factor].name),
        None => String::new(),
    };
    print(format!(
        "{} images of {}{labelled}, {}: {}",
        analysis.images,
        images.config,
        trained.name(),
        directory.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The place of the factor that labels are taken from.
fn factor(dataset: &dyn Dataset, name: Option<&str>) -> Result<usize, String> {
    let factors = dataset.factors();
    let Some(name) = name else {
        return Ok(0);
    };
    let place = factors.iter().position(|factor| factor.name == name);
    place.ok_or_else(|| {
        let names: Vec<_> = factors.iter().map(|factor| factor.name.clone()).collect();
        format!(
            "--label {name}: {} has no such factor; {}",
            dataset.name(),
            known(&names)
        )
    })
}
