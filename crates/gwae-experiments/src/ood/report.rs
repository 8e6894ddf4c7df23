//! The files of a comparison.

use std::path::Path;

use gwae_formats::atomic::write_atomically;
use gwae_metrics::{BootstrapConfig, MetricError};
use gwae_report::{HistogramPlot, HistogramRow, RocCurve, RocPlot, Scores};

use super::comparison::{Comparison, compare};
use super::error::OodError;
use super::groups::grouped;
use super::scoring::ScoreTable;
use super::table::{comparison_csv, comparison_table};

/// Most sets in one picture of histograms, so that it does not become too high.
const SETS_PER_PICTURE: usize = 8;

/// Most curves in one picture, because the colours are limited.
const CURVES_PER_PICTURE: usize = 20;

/// The scores of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelScores {
    /// The name of the model in tables.
    pub model: String,
    /// Scores of images like the training images, which the model has not seen.
    pub inside: ScoreTable,
    /// Scores of every set of other images, with its name.
    pub outside: Vec<(String, ScoreTable)>,
}

impl ModelScores {
    /// Compares every score on every set.
    ///
    /// # Errors
    /// When a score is NaN.
    pub fn compare(&self, bootstrap: &BootstrapConfig) -> Result<Vec<Comparison>, OodError> {
        let sets = self.outside.iter();
        let each =
            sets.map(|(set, table)| compare(&self.model, set, &self.inside, table, bootstrap));
        Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The scores, with the two-sided forms of [`ScoreTable::with_two_sided`] added.
    ///
    /// # Errors
    /// When a score is NaN.
    pub fn with_two_sided(self, reference: &ScoreTable) -> Result<Self, MetricError> {
        let outside = self.outside.into_iter();
        let outside = outside.map(|(set, table)| Ok((set, table.with_two_sided(reference)?)));
        Ok(Self {
            model: self.model,
            inside: self.inside.with_two_sided(reference)?,
            outside: outside.collect::<Result<_, _>>()?,
        })
    }
}

/// Writes a report into `directory`, which must exist: `table.md` and `table.csv` (every figure),
/// `roc_SET.png` and `roc_SET.csv` for every set (the curves of all models), and
/// `histograms_MODEL.png` for every model (`…_2.png` and so on for more than twenty curves or eight
/// sets). `rows` are the [`new_comparisons`](super::new_comparisons) of the models.
///
/// `drawn` selects the scores (model, score) in the pictures of curves, which do not have space for
/// all.
///
/// # Errors
/// When a file cannot be written.
pub fn write_report(
    models: &[ModelScores],
    rows: &[Comparison],
    drawn: &dyn Fn(&str, &str) -> bool,
    directory: &Path,
) -> Result<(), OodError> {
    let write = |name: &str, text: String| write_atomically(&directory.join(name), text.as_bytes());
    write("table.md", comparison_table(rows))?;
    write("table.csv", comparison_csv(rows))?;
    let drawn = rows.iter().filter(|row| drawn(&row.model, &row.score));
    for (set, rows) in grouped(drawn.map(|row| (&*row.set, row))) {
        draw_curves(set, &rows, directory)?;
        let name = format!("roc_{}.csv", file_name(set));
        write(&name, curves_csv(&rows))?;
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

fn draw_curves(set: &str, rows: &[&Comparison], directory: &Path) -> Result<(), OodError> {
    let names = rows
        .iter()
        .map(|row| format!("{}: {}", row.model, row.score));
    let names: Vec<String> = names.collect();
    let curves: Vec<RocCurve<'_>> = rows
        .iter()
        .zip(&names)
        .map(|(row, name)| RocCurve {
            name,
            auc: row.report.auroc,
            interval: Some((row.report.interval.low, row.report.interval.high)),
            points: &row.curve,
        })
        .collect();
    for (index, curves) in curves.chunks(CURVES_PER_PICTURE).enumerate() {
        let plot = RocPlot {
            title: &format!("Telling {set} from the training distribution"),
            curves,
        };
        let name = picture_name(&format!("roc_{}", file_name(set)), index);
        plot.save(&directory.join(name))?;
    }
    Ok(())
}

fn curves_csv(rows: &[&Comparison]) -> String {
    let mut text = String::from("model,score,false_positive_rate,true_positive_rate\n");
    for Comparison {
        model,
        score,
        curve,
        ..
    } in rows
    {
        for (false_positive_rate, true_positive_rate) in curve {
            text.push_str(&format!(
                "{model},{score},{false_positive_rate},{true_positive_rate}\n"
            ));
        }
    }
    text
}

fn draw_histograms(
    scores: &ModelScores,
    sets: &[(String, ScoreTable)],
    path: &Path,
) -> Result<(), OodError> {
    let columns = &scores.inside.columns;
    let sets: Vec<Vec<Scores<'_>>> = columns
        .iter()
        .map(|column| {
            let outside = sets.iter().filter_map(|(set, table)| {
                Some(Scores {
                    name: set,
                    values: table.get(&column.name)?,
                })
            });
            outside.collect()
        })
        .collect();
    let rows: Vec<HistogramRow<'_>> = columns
        .iter()
        .zip(&sets)
        .map(|(column, sets)| HistogramRow {
            name: &column.name,
            reference: Scores {
                name: "in-distribution images",
                values: &column.values,
            },
            sets,
        })
        .collect();
    let plot = HistogramPlot {
        title: &format!("Scores of {}", scores.model),
        rows: &rows,
    };
    Ok(plot.save(path)?)
}

/// The name of the first picture, or of a later one.
fn picture_name(name: &str, index: usize) -> String {
    match index {
        0 => format!("{name}.png"),
        _ => format!("{name}_{}.png", index + 1),
    }
}

/// The name of a set or model as part of a file name.
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
