//! What a comparison leaves on the disk.

use std::path::Path;

use gwae_datasets::NpyError;
use gwae_metrics::BootstrapConfig;

use super::comparison::{Comparison, ComparisonError, compare};
use super::scoring::ScoreTable;
use super::table::{comparison_csv, comparison_table};
use crate::atomic::{FileError, write_atomically};
use crate::report::{HistogramPanel, HistogramPlot, ReportError, RocCurve, RocPlot, Scores};

/// Sets in one picture of histograms: more have no colours of their own.
const SETS_PER_PICTURE: usize = 8;

/// Curves in one picture, for the same reason.
const CURVES_PER_PICTURE: usize = 20;

/// The scores of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelScores {
    /// What tables call the model.
    pub model: String,
    /// Of images like those it was trained on, which it did not see.
    pub inside: ScoreTable,
    /// Of every set of other images, with its name.
    pub outside: Vec<(String, ScoreTable)>,
}

/// A report that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OodReportError {
    /// The scores.
    #[error(transparent)]
    Comparison(#[from] ComparisonError),
    /// The scores as arrays.
    #[error(transparent)]
    Arrays(#[from] NpyError),
    /// A picture.
    #[error(transparent)]
    Picture(#[from] ReportError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ModelScores {
    /// Compares every score on every set.
    ///
    /// # Errors
    /// When a score is not a number.
    pub fn compare(&self, bootstrap: &BootstrapConfig) -> Result<Vec<Comparison>, ComparisonError> {
        let sets = self.outside.iter();
        let each = sets.map(|(set, table)| compare(set, &self.inside, table, bootstrap));
        Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

/// Writes the scores of several models, and `rows`, their [`further_rows`](super::further_rows), into
/// `directory`, which exists: `table.md` and `table.csv` (every figure), `roc_SET.png` and
/// `roc_SET.csv` for every set (the curves of all models), and `histograms_MODEL.png` for every model
/// (`…_2.png` and so on for more than twenty curves or eight sets).
///
/// `drawn` chooses the scores in the pictures of curves, where all would be too many.
///
/// # Errors
/// When a file cannot be written.
pub fn write_report(
    models: &[ModelScores],
    rows: &[(String, Comparison)],
    drawn: &dyn Fn(&str, &str) -> bool,
    directory: &Path,
) -> Result<(), OodReportError> {
    write_atomically(
        &directory.join("table.md"),
        comparison_table(rows).as_bytes(),
    )?;
    write_atomically(
        &directory.join("table.csv"),
        comparison_csv(rows).as_bytes(),
    )?;
    let mut sets: Vec<&str> = Vec::new();
    for (_, row) in rows {
        if !sets.contains(&row.set.as_str()) {
            sets.push(&row.set);
        }
    }
    for set in sets {
        let of_set: Vec<_> = rows
            .iter()
            .filter(|(owner, row)| row.set == set && drawn(owner, &row.score))
            .collect();
        write_curves(set, &of_set, directory)?;
    }
    for scores in models {
        for (index, sets) in scores.outside.chunks(SETS_PER_PICTURE).enumerate() {
            let name = format!("histograms_{}", file_name(&scores.model));
            let name = picture_name(&name, index);
            draw_histograms(scores, sets, &directory.join(name))?;
        }
    }
    Ok(())
}

fn write_curves(
    set: &str,
    rows: &[&(String, Comparison)],
    directory: &Path,
) -> Result<(), OodReportError> {
    let names: Vec<String> = rows
        .iter()
        .map(|(owner, row)| format!("{owner}: {}", row.score))
        .collect();
    let curves: Vec<RocCurve<'_>> = rows
        .iter()
        .zip(&names)
        .map(|((_, row), name)| RocCurve {
            name,
            auc: row.report.auroc,
            interval: Some((row.report.interval.low, row.report.interval.high)),
            points: &row.curve,
        })
        .collect();
    if curves.is_empty() {
        return Ok(());
    }
    for (index, curves) in curves.chunks(CURVES_PER_PICTURE).enumerate() {
        let plot = RocPlot {
            title: &format!("Telling {set} from the training distribution"),
            curves,
        };
        let name = picture_name(&format!("roc_{}", file_name(set)), index);
        plot.save(&directory.join(name))?;
    }
    let mut text = String::from("model,score,false_positive_rate,true_positive_rate\n");
    for (owner, row) in rows {
        for (false_positive_rate, true_positive_rate) in &row.curve {
            text.push_str(&format!(
                "{owner},{},{false_positive_rate},{true_positive_rate}\n",
                row.score
            ));
        }
    }
    let path = directory.join(format!("roc_{}.csv", file_name(set)));
    Ok(write_atomically(&path, text.as_bytes())?)
}

fn draw_histograms(
    scores: &ModelScores,
    sets: &[(String, ScoreTable)],
    path: &Path,
) -> Result<(), OodReportError> {
    let columns = scores.inside.columns.iter();
    let sets: Vec<Vec<Scores<'_>>> = columns
        .map(|column| {
            let inside = Scores {
                name: "in-distribution images",
                values: &column.values,
            };
            let outside = sets.iter().filter_map(|(set, table)| {
                Some(Scores {
                    name: set,
                    values: table.get(&column.name)?,
                })
            });
            std::iter::once(inside).chain(outside).collect()
        })
        .collect();
    let panels: Vec<HistogramPanel<'_>> = scores
        .inside
        .columns
        .iter()
        .zip(&sets)
        .map(|(column, sets)| HistogramPanel {
            name: &column.name,
            sets,
        })
        .collect();
    let plot = HistogramPlot {
        title: &format!("Scores of {}", scores.model),
        quantity: "score",
        panels: &panels,
    };
    Ok(plot.save(path)?)
}

/// The name of the first picture of several, or of another.
fn picture_name(name: &str, index: usize) -> String {
    match index {
        0 => format!("{name}.png"),
        _ => format!("{name}_{}.png", index + 1),
    }
}

/// A name of a set or model as part of a file's name.
pub(super) fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(plain).collect()
}
