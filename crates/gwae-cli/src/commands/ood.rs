//! `gwae ood`.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use gwae_datasets::Split;
use gwae_metrics::BootstrapConfig;
use gwae_train::DataConfig;
use gwae_train::atomic::FileError;
use gwae_train::data::RunData;
use gwae_train::ood::{
    ModelScores, REFERENCE, ScoreTable, TestSet, built_in_sets, choose, comparison_table,
    further_rows, make_names_unique, score_images, write_report,
};
use gwae_train::progress::PreparationBar;

use crate::arguments::Ood;
use crate::terminal::{note, print};
use crate::trained_model::TrainedModel;

pub(super) fn run(arguments: &Ood) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let directory = trained.new_directory(&arguments.out, "ood")?;
    let own = own_images(&trained);
    let (backbone, count) = (trained.backbone(), arguments.images as usize);
    let mut bar = PreparationBar::new();
    let mut open = |data: &DataConfig| {
        TestSet::open(data, &backbone, count, arguments.seed, &mut |done| {
            bar.update(&done);
        })
    };
    let config = match &arguments.in_distribution {
        Some(given) => given.clone(),
        None => trained.run.config().data.clone(),
    };
    let sets = match &arguments.out_of_distribution[..] {
        [] => {
            let trained_on = trained.run.config().data.dataset;
            let mut sets = built_in_sets(&config);
            sets.retain(|set| set.dataset != trained_on || set.patch_shuffle.is_some());
            sets
        }
        given => given.to_vec(),
    };
    let mut sets = sets.iter().map(&mut open).collect::<Result<Vec<_>, _>>()?;
    make_names_unique(&mut sets);
    let reference = match &own {
        Ok((data, split)) => {
            let indices = choose(&split.train, REFERENCE, arguments.seed);
            let table = score_images(trained.autoencoder(), data, &indices, &trained.device)?;
            Some(table)
        }
        Err(reason) => {
            note(format!("no two-sided scores: {reason}"));
            None
        }
    };
    let (inside, inside_name) = match (&arguments.in_distribution, own) {
        (Some(given), _) => {
            let set = open(given)?;
            (set.score(trained.autoencoder(), &trained.device)?, set.name)
        }
        (None, Ok((data, split))) => {
            let indices = choose(split.held_out(), count, arguments.seed);
            if indices.is_empty() {
                return Err(
                    "the run held no images out, so there are none that are like the \
                            training data and new: name some with --in-distribution"
                        .into(),
                );
            }
            let scores = score_images(trained.autoencoder(), &data, &indices, &trained.device)?;
            (scores, config.to_string())
        }
        (None, Err(reason)) => {
            return Err(format!(
                "{reason}: name images like those of its training with --in-distribution"
            )
            .into());
        }
    };
    let two_sided = |table: ScoreTable| -> Result<ScoreTable, Box<dyn Error>> {
        Ok(match &reference {
            Some(reference) => table.with_two_sided(reference)?,
            None => table,
        })
    };
    let scores = ModelScores {
        model: trained.run.config().model.kind().to_string(),
        inside: two_sided(inside)?,
        outside: sets
            .iter()
            .map(|set| {
                let table = set.score(trained.autoencoder(), &trained.device)?;
                Ok((set.name.clone(), two_sided(table)?))
            })
            .collect::<Result<_, Box<dyn Error>>>()?,
    };
    fs::create_dir_all(&directory).map_err(FileError::on("create", &directory))?;
    scores.write_arrays(&directory.join("scores"))?;
    let comparisons = scores.compare(&BootstrapConfig::default())?;
    let rows = further_rows(&[], &scores.model, &comparisons);
    let all = |_: &str, _: &str| true;
    write_report(std::slice::from_ref(&scores), &rows, &all, &directory)?;
    print(comparison_table(&rows));
    let images = scores.inside.columns.first();
    print(format!(
        "{} against {} images of {inside_name}, {}: {}",
        scores
            .outside
            .iter()
            .map(|(set, _)| set.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        images.map_or(0, |column| column.values.len()),
        trained.name(),
        directory.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The images of the run with their division, or why they are not here.
fn own_images(trained: &TrainedModel) -> Result<(RunData, Split), String> {
    if trained.run.record().imported_from.is_some() {
        return Err("the model was imported, so what it was trained on is not here".into());
    }
    let config = &trained.run.config().data;
    let mut bar = PreparationBar::new();
    let mut open = || -> Result<_, Box<dyn Error>> {
        config.validate()?;
        let data = RunData::open(config, &trained.backbone(), &mut |done| bar.update(&done))?;
        let split: Split = trained.run.split()?;
        split.check(data.dataset())?;
        Ok((data, split))
    };
    open().map_err(|error| format!("the images of the run are not here ({error})"))
}
