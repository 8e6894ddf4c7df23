//! `gwae compare`: several runs side by side on one page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gwae_formats::atomic::FileError;
use gwae_report::{Content, Line, LinePanel, LinePlot, Page, Picture, Row, Section, Table, Term};

use super::definitions::definition;
use super::error::RunReportError;
use super::losses::number;
use crate::metrics_log::{MetricsLog, MetricsRecord, Phase, loss_names, loss_series};
use crate::run_directory::{RunDirectory, RunDirectoryError};

/// Most runs on one page; a plot has no colours for more.
pub const MOST_RUNS: usize = 20;

/// Key of the configuration in which runs of one group may differ.
const SEED: &str = "training.seed";

/// What a page says of one run.
struct Compared {
    name: String,
    directory: PathBuf,
    /// The configuration: values by dotted key.
    settings: BTreeMap<String, String>,
    records: Vec<MetricsRecord>,
}

/// Makes a page of these runs: the settings in which they differ, their losses, the means over seeds, the
/// curves over each other, and their samples.
///
/// Runs that differ only in `training.seed` form a group.
///
/// # Errors
/// When there are no runs or more than [`MOST_RUNS`], or a directory is not that of a run.
pub fn comparison_page(directories: &[PathBuf]) -> Result<Page, RunReportError> {
    if directories.is_empty() || directories.len() > MOST_RUNS {
        return Err(RunReportError::NumberOfRuns {
            runs: directories.len(),
            most: MOST_RUNS,
        });
    }
    let names = names(directories);
    let runs = directories.iter().zip(names);
    let runs = runs.map(|(directory, name)| Compared::read(directory, name));
    let runs: Vec<Compared> = runs.collect::<Result<_, _>>()?;
    let mut sections = Vec::new();
    let differing = differing_settings(&runs);
    if !differing.rows.is_empty() {
        let note = "Every key that is not the same in all runs.";
        sections.push(Section::new("Settings", note, Content::Table(differing)));
    }
    let note = "On the validation images, last time; on the last batch for a run without them.";
    sections.push(Section::new("Losses", note, Content::Table(losses(&runs))));
    if let Some(groups) = groups(&runs) {
        let note = "Mean and standard error over runs that differ only in their seed.";
        sections.push(Section::new("Seeds", note, Content::Table(groups)));
    }
    let curves = curves(&runs)?;
    if !curves.is_empty() {
        sections.push(Section::new("Curves", "", Content::Pictures(curves)));
    }
    sections.extend(samples(&runs)?);
    Ok(Page {
        title: "Comparison of runs".into(),
        subtitle: runs
            .iter()
            .map(|run| run.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        sections,
    })
}

/// The last parts of the paths that tell the runs apart.
fn names(directories: &[PathBuf]) -> Vec<String> {
    let last_parts = |directory: &Path, count: usize| -> String {
        let parts: Vec<_> = directory.components().collect();
        let parts = parts[parts.len().saturating_sub(count)..].iter();
        let parts = parts.map(|part| part.as_os_str().to_string_lossy().into_owned());
        parts.collect::<Vec<_>>().join("/")
    };
    let longest = directories
        .iter()
        .map(|path| path.components().count())
        .max();
    for count in 1..longest.unwrap_or(1) {
        let names: Vec<_> = directories
            .iter()
            .map(|path| last_parts(path, count))
            .collect();
        let mut distinct = names.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() == names.len() {
            return names;
        }
    }
    directories
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

impl Compared {
    fn read(directory: &Path, name: String) -> Result<Self, RunReportError> {
        let run = RunDirectory::open(directory)?;
        let mut settings = BTreeMap::new();
        let table = run.config().to_table().map_err(RunDirectoryError::from)?;
        flatten("", &table, &mut settings);
        Ok(Self {
            name,
            directory: directory.to_owned(),
            settings,
            records: MetricsLog::read(&run.metrics())?,
        })
    }

    /// The points of a loss, of the validations if there are any.
    fn points(&self, loss: &str) -> Vec<(u64, f64)> {
        let of = |phase| loss_series(&self.records, phase, loss);
        match of(Phase::Validation) {
            validation if validation.is_empty() => of(Phase::Train),
            validation => validation,
        }
    }

    /// The newest of these values.
    fn newest(&self, loss: &str) -> Option<f64> {
        self.points(loss).last().map(|(_, value)| *value)
    }
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            toml::Value::Table(table) => flatten(&format!("{key}."), table, into),
            toml::Value::String(text) => drop(into.insert(key, text.clone())),
            other => drop(into.insert(key, other.to_string())),
        }
    }
}

fn columns(first: &str, names: impl Iterator<Item = String>) -> Vec<Term> {
    let first = std::iter::once(Term::from(first));
    first.chain(names.map(|name| Term::new(name, ""))).collect()
}

fn of_runs(first: &str, runs: &[Compared]) -> Vec<Term> {
    columns(first, runs.iter().map(|run| run.name.clone()))
}

fn differing_settings(runs: &[Compared]) -> Table {
    let mut keys: Vec<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    keys.sort();
    keys.dedup();
    let rows = keys.into_iter().filter_map(|key| {
        let values: Vec<_> = runs.iter().map(|run| run.settings.get(key)).collect();
        if values.iter().all(|value| *value == values[0]) {
            return None;
        }
        let cells = values.into_iter();
        let cells = cells.map(|value| value.map_or_else(|| "–".into(), String::clone));
        Some(Row {
            name: Term::from(key.as_str()),
            cells: cells.collect(),
        })
    });
    Table {
        columns: of_runs("key", runs),
        rows: rows.collect(),
    }
}

/// The names of all losses, in the order of the logs.
fn names_of_losses(runs: &[Compared]) -> Vec<&str> {
    loss_names(runs.iter().flat_map(|run| &run.records))
}

fn losses(runs: &[Compared]) -> Table {
    let rows = names_of_losses(runs).into_iter().map(|loss| Row {
        name: Term::new(loss, definition(loss)),
        cells: runs
            .iter()
            .map(|run| run.newest(loss).map_or("–".into(), number))
            .collect(),
    });
    Table {
        columns: of_runs("loss", runs),
        rows: rows.collect(),
    }
}

/// The means over seeds; `None` if no two runs differ only in their seed.
fn groups(runs: &[Compared]) -> Option<Table> {
    let without_seed = |run: &Compared| {
        let mut settings = run.settings.clone();
        settings.remove(SEED);
        settings
    };
    let mut groups: Vec<(BTreeMap<String, String>, Vec<&Compared>)> = Vec::new();
    for run in runs {
        let settings = without_seed(run);
        match groups
            .iter_mut()
            .find(|(of_group, _)| *of_group == settings)
        {
            Some((_, members)) => members.push(run),
            None => groups.push((settings, vec![run])),
        }
    }
    let groups: Vec<Vec<&Compared>> = groups
        .into_iter()
        .map(|(_, members)| members)
        .filter(|members| members.len() > 1)
        .collect();
    if groups.is_empty() {
        return None;
    }
    let name =
        |members: &[&Compared]| format!("{} and {} more", members[0].name, members.len() - 1);
    let rows = names_of_losses(runs).into_iter().map(|loss| {
        let cells = groups.iter().map(|members| {
            let values: Vec<f64> = members.iter().filter_map(|run| run.newest(loss)).collect();
            mean_and_error(&values)
        });
        Row {
            name: Term::new(loss, definition(loss)),
            cells: cells.collect(),
        }
    });
    Some(Table {
        columns: columns("loss", groups.iter().map(|members| name(members))),
        rows: rows.collect(),
    })
}

/// `mean ± standard error` of the mean.
fn mean_and_error(values: &[f64]) -> String {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    match values.len() {
        0 => "–".into(),
        1 => number(mean),
        _ => {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            let error = (squares / (count - 1.0) / count).sqrt();
            format!("{} ± {}", number(mean), number(error))
        }
    }
}

fn curves(runs: &[Compared]) -> Result<Vec<Picture>, RunReportError> {
    let mut pictures = Vec::new();
    for loss in names_of_losses(runs) {
        let drawable = |run: &Compared| -> Vec<(u64, f64)> {
            let points = run.points(loss).into_iter();
            points.filter(|(_, value)| value.abs() < 1e30).collect()
        };
        let points: Vec<_> = runs.iter().map(drawable).collect();
        let named = runs
            .iter()
            .zip(&points)
            .filter(|(_, points)| !points.is_empty());
        let lines = named.map(|(run, points)| Line {
            name: &run.name,
            points,
        });
        let lines: Vec<Line<'_>> = lines.collect();
        if lines.is_empty() {
            continue;
        }
        let plot = LinePlot {
            title: loss,
            quantity: loss,
            range: None,
            reference: None,
            panels: &[LinePanel {
                name: "",
                lines: &lines,
            }],
        };
        pictures.push(Picture::of(&plot.render()?, loss)?);
    }
    Ok(pictures)
}

fn samples(runs: &[Compared]) -> Result<Option<Section>, RunReportError> {
    let mut pictures = Vec::new();
    for run in runs {
        let path = run.directory.join("samples.png");
        if path.is_file() {
            pictures.push(Picture {
                caption: run.name.clone(),
                file: std::fs::read(&path).map_err(FileError::on("read", path))?,
            });
        }
    }
    let content = (!pictures.is_empty()).then_some(Content::Pictures(pictures));
    Ok(content.map(|content| Section::new("Samples of the prior", "", content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, seed: u64, beta: f64, total: f64) -> Compared {
        let record = |step, phase, value| MetricsRecord {
            step,
            epoch: 1,
            phase,
            seconds: 1.0,
            images_per_second: None,
            losses: vec![("total".into(), value)],
        };
        Compared {
            name: name.into(),
            directory: "nowhere".into(),
            settings: BTreeMap::from([
                (SEED.to_owned(), seed.to_string()),
                ("model.beta".to_owned(), beta.to_string()),
                ("model.kind".to_owned(), "beta-vae".to_owned()),
            ]),
            records: vec![
                record(5, Phase::Train, 100.0),
                record(5, Phase::Validation, total),
            ],
        }
    }

    #[test]
    fn runs_that_differ_only_in_the_seed_are_averaged() {
        let runs = [
            run("a", 1, 4.0, 2.0),
            run("b", 2, 4.0, 4.0),
            run("c", 1, 8.0, 9.0),
        ];
        let table = groups(&runs).unwrap();
        let names: Vec<_> = table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["loss", "a and 1 more"]);
        // Values 2 and 4: standard deviation √2, divided by √2.
        assert_eq!(table.rows[0].cells, ["3.0000 ± 1.0000"]);
        assert!(groups(&runs[1..]).is_none());
    }

    #[test]
    fn only_differing_settings_are_listed() {
        let table = differing_settings(&[run("a", 1, 4.0, 2.0), run("c", 1, 8.0, 9.0)]);
        assert_eq!(table.rows.len(), 1);
        assert_eq!(table.rows[0].name.name, "model.beta");
        assert_eq!(table.rows[0].cells, ["4", "8"]);
    }

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let names = |paths: [&str; 2]| names(&paths.map(PathBuf::from));
        assert_eq!(names(["runs/a", "runs/b"]), ["a", "b"]);
        assert_eq!(names(["x/gwae", "y/gwae"]), ["x/gwae", "y/gwae"]);
    }

    #[test]
    fn a_page_of_no_run_or_of_too_many_is_refused() {
        for count in [0, MOST_RUNS + 1] {
            let error = comparison_page(&vec![PathBuf::from("a"); count]).unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("{count} runs")),
                "{error}"
            );
        }
    }
}
