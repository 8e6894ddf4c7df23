//! `gwae clusters`.

use std::error::Error;
use std::process::ExitCode;

use gwae_experiments::ood::{
    ClusterOptions, Labels, analyse_clusters, random_indices, score_images,
};

use super::{factor, model};
use crate::arguments::Clusters;
use crate::terminal::print;

pub(super) fn run(arguments: &Clusters) -> Result<ExitCode, Box<dyn Error>> {
    let trained = model::load(&arguments.model)?;
    let directory = model::new_directory(&trained, &arguments.out, "clusters")?;
    let images = model::images(&trained, &arguments.source)?;
    let dataset = images.data.dataset();
    let factor = match &arguments.label {
        Some(name) => factor::place(dataset, "--label", name)?,
        None => 0,
    };
    let indices = random_indices(images.unseen()?, arguments.images as usize, arguments.seed);
    let (model, device) = (trained.autoencoder(), &trained.device);
    let scores = score_images(model, &images.data, &indices, device)?;
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
    let analysis = analyse_clusters(model, &scores, labels.as_ref(), &options, &directory)?;
    print(&analysis);
    let labelled = match labels {
        Some(_) => format!(", labels: {}", dataset.factors()[factor].name),
        None => String::new(),
    };
    print(format!(
        "{} images of {}{labelled}, {trained}: {}",
        analysis.images,
        images.config,
        directory.display()
    ));
    Ok(ExitCode::SUCCESS)
}
