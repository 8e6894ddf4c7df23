//! `gwae ood`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use gwae_datasets::{Split, write_npy_f64};
use gwae_metrics::BootstrapConfig;
use gwae_train::DataConfig;
use gwae_train::data::RunData;
use gwae_train::ood::{
    ModelScores, ScoreTable, TestSet, comparison_table, score_images, write_report,
};
use gwae_train::progress::PreparationBar;

use crate::arguments::Ood;
use crate::terminal::{note, print};
use crate::trained_model::TrainedModel;

/// Training images that say what a score is on the training data.
const REFERENCE: usize = 1_000;

pub(super) fn run(arguments: &Ood) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let reference = reference(&trained)?;
    let (backbone, count) = (trained.backbone(), arguments.images as usize);
    let mut bar = PreparationBar::new();
    let mut open = |data: &DataConfig| {
        TestSet::open(data, &backbone, count, arguments.seed, &mut |done| {
            bar.update(&done);
        })
    };
    let own = &trained.run.config().data;
    let inside = open(arguments.in_distribution.as_ref().unwrap_or(own))?;
    let sets = match &arguments.out_of_distribution[..] {
        [] => built_in(arguments.in_distribution.as_ref().unwrap_or(own))?,
        given => given.to_vec(),
    };
    let sets = sets.iter().map(&mut open).collect::<Result<Vec<_>, _>>()?;
    let score = |set: &TestSet| -> Result<ScoreTable, Box<dyn Error>> {
        let table = set.score(trained.autoencoder(), &trained.device)?;
        Ok(match &reference {
            Some(reference) => table.with_two_sided(reference)?,
            None => table,
        })
    };
    let scores = ModelScores {
        model: trained.run.config().model.kind().to_string(),
        inside: score(&inside)?,
        outside: sets
            .iter()
            .map(|set| Ok((set.name.clone(), score(set)?)))
            .collect::<Result<_, Box<dyn Error>>>()?,
    };
    let directory = match &arguments.out {
        Some(directory) => directory.clone(),
        None => trained
            .run
            .path()
            .join(format!("ood-step-{}", trained.step)),
    };
    fs::create_dir_all(&directory)
        .map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    let all = |_: &str, _: &str| true;
    let rows = write_report(
        std::slice::from_ref(&scores),
        &BootstrapConfig::default(),
        &all,
        &directory,
    )?;
    write_scores(&scores, &inside.name, &directory)?;
    let rows: Vec<_> = rows
        .iter()
        .map(|(model, row)| (model.as_str(), row))
        .collect();
    print(comparison_table(&rows));
    print(format!(
        "{} against {} of {}, {}: {}",
        scores
            .outside
            .iter()
            .map(|(set, _)| set.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        inside.indices.len(),
        inside.name,
        trained.name(),
        directory.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Scores of images that the model was trained on; `None` where they are not here.
fn reference(trained: &TrainedModel) -> Result<Option<ScoreTable>, Box<dyn Error>> {
    if trained.run.record().imported_from.is_some() {
        note("the model was imported, so its training images are not here: no two-sided scores");
        return Ok(None);
    }
    let mut bar = PreparationBar::new();
    let data = &trained.run.config().data;
    let data = RunData::open(data, &trained.backbone(), &mut |done| bar.update(&done))?;
    let split: Split = trained.run.split()?;
    split.check(data.dataset())?;
    let indices = &split.train[..split.train.len().min(REFERENCE)];
    let table = score_images(trained.autoencoder(), &data, indices, &trained.device)?;
    Ok(Some(table))
}

/// What needs no download, with the images themselves in another order of patches.
fn built_in(inside: &DataConfig) -> Result<Vec<DataConfig>, Box<dyn Error>> {
    let mut shuffled = inside.clone();
    shuffled.patch_shuffle = "digits+shuffled".parse::<DataConfig>()?.patch_shuffle;
    let mut sets = vec![shuffled];
    for name in [
        "letters",
        "invented_characters+inverted",
        "invented_characters",
        "noise",
    ] {
        sets.push(name.parse()?);
    }
    Ok(sets)
}

/// Every score as `scores/SET/SCORE.npy`, for other programs and `gwae metrics`.
fn write_scores(
    scores: &ModelScores,
    inside: &str,
    directory: &Path,
) -> Result<(), Box<dyn Error>> {
    let sets = std::iter::once((inside, &scores.inside));
    let outside = scores.outside.iter();
    for (set, table) in sets.chain(outside.map(|(set, table)| (set.as_str(), table))) {
        let folder = directory.join("scores").join(set);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        for column in &table.columns {
            let path = folder.join(format!("{}.npy", column.name));
            write_npy_f64(&path, &column.values, &[column.values.len() as u64])?;
        }
    }
    Ok(())
}
