//! Scores of codes against the factors of their images.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gwae_formats::atomic::write_atomically;
use gwae_formats::npy::NpyNumbers;
use gwae_formats::numbers::read_numbers;
use gwae_metrics::disentanglement::LabelledCodes;
use gwae_metrics::disentanglement::distances::Images;
use gwae_metrics::disentanglement::suite::{
    CodeKind, ScoreRow, ScoreTable, SuiteConfig, SuiteInputs, protocols, run_suite,
    select_protocols,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Metrics;
use crate::terminal::print;

/// Names of arrays in archives, the likeliest first.
const MEANS: &[&str] = &["means", "mean", "codes", "mu", "z"];
const SAMPLES: &[&str] = &["samples", "codes", "z"];
const LOGVARS: &[&str] = &["logvars", "logvar", "log_var"];
const FACTORS: &[&str] = &["factors", "labels", "latents_classes", "y"];
const IMAGES: &[&str] = &["images", "imgs", "x"];

/// A matrix of a file, one row per item.
struct Rows {
    values: Vec<f64>,
    columns: usize,
    items: usize,
}

pub(super) fn list() {
    for protocol in protocols() {
        print(format!("{:34} {}", protocol.name, protocol.summary));
    }
}

pub(super) fn run(arguments: &Metrics, codes: &PathBuf) -> Result<ExitCode, Box<dyn Error>> {
    let chosen = match &arguments.only[..] {
        [] => protocols().iter().collect(),
        names => select_protocols(names)?,
    };
    let means = read_rows(codes, MEANS)?;
    // An archive of `gwae codes` has the factors as well.
    let factors = read_rows(arguments.factors.as_ref().unwrap_or(codes), FACTORS)?;
    let labelled = |rows: &Rows| -> Result<LabelledCodes, Box<dyn Error>> {
        let codes =
            LabelledCodes::new(&rows.values, rows.columns, &factors.values, factors.columns)?;
        // From the last, so that the places of the others stay.
        let mut one_hot = arguments.one_hot.clone();
        one_hot.sort_unstable();
        one_hot.dedup();
        let mut columns = one_hot.into_iter().rev();
        Ok(columns.try_fold(codes, |codes, column| codes.with_one_hot(column))?)
    };
    let samples = match &arguments.samples {
        Some(file) => Some(labelled(&read_rows(file, SAMPLES)?)?),
        None => None,
    };
    let deviations = match &arguments.logvars {
        Some(file) => {
            let logvars = read_rows(file, LOGVARS)?;
            if (logvars.items, logvars.columns) != (means.items, means.columns) {
                let found = format!("({}, {})", logvars.items, logvars.columns);
                let expected = format!("({}, {})", means.items, means.columns);
                return Err(format!(
                    "{}: log-variances have the shape {found}, and the codes {expected}",
                    file.display()
                )
                .into());
            }
            Some(
                logvars
                    .values
                    .iter()
                    .map(|logvar| (0.5 * logvar).exp())
                    .collect::<Vec<f64>>(),
            )
        }
        None => None,
    };
    let labelled_means = labelled(&means)?;
    let pixels = match &arguments.images {
        Some(file) => {
            let images = read_rows(file, IMAGES)?;
            let values: Vec<f32> = images.values.iter().map(|&value| value as f32).collect();
            Some((values, images.columns))
        }
        None => None,
    };
    let images = match &pixels {
        Some((values, size)) => Some(Images::new(&labelled_means, values, *size)?),
        None => None,
    };
    let inputs = SuiteInputs {
        means: &labelled_means,
        samples: samples.as_ref(),
        deviations: deviations.as_deref(),
        images,
    };
    let config = SuiteConfig {
        seed: arguments.seed,
        keep_order: arguments.keep_order,
        all_standard_errors: arguments.all_standard_errors,
    };
    let bar =
        ProgressBar::new(0).with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")?);
    let table = run_suite(&chosen, &inputs, config, |progress| {
        bar.set_length(progress.all as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(progress.protocol);
    })?;
    bar.finish_and_clear();
    print(shown(&table));
    if let Some(path) = &arguments.json {
        write_atomically(path, serde_json::to_string_pretty(&table)?.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An array of numbers as rows: `[N]` is one column, and `[N, …]` are all others' values.
fn read_rows(path: &Path, names: &[&str]) -> Result<Rows, Box<dyn Error>> {
    let NpyNumbers { values, shape } = read_numbers(path, names)?;
    let (items, rest) = match &shape[..] {
        [] => return Err(format!("{}: holds a single number, not rows", path.display()).into()),
        [items, rest @ ..] => (*items, rest),
    };
    Ok(Rows {
        values,
        columns: rest.iter().product::<u64>() as usize,
        items: items as usize,
    })
}

/// The scores as a table for the terminal.
fn shown(table: &ScoreTable) -> String {
    let name = |row: &ScoreRow| match &row.score[..] {
        "score" => row.protocol.clone(),
        score => format!("{} {score}", row.protocol),
    };
    let width = table
        .rows
        .iter()
        .map(|row| name(row).len())
        .max()
        .unwrap_or(0);
    let mut text = format!(
        "{} items, {} dimensions, {} factors, seed {}\n\n{:width$}  codes    score\n",
        table.items, table.dimensions, table.factors, table.seed, "metric"
    );
    for row in &table.rows {
        let codes = match row.codes {
            CodeKind::Means => "means",
            CodeKind::Samples => "samples",
        };
        let value = match (row.value, row.standard_error, &row.problem) {
            (Some(value), Some(error), _) => format!("{value:.4} ± {error:.4}"),
            (Some(value), None, _) => format!("{value:.4}"),
            (None, _, Some(problem)) => format!("– ({problem})"),
            (None, _, None) => "–".to_owned(),
        };
        text.push_str(&format!("{:width$}  {codes:7}  {value}\n", name(row)));
    }
    text.pop();
    text
}
