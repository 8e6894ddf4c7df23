//! `report.html`: everything that a run directory shows, on one page.

mod comparison;
mod definitions;
mod error;
mod losses;
mod pictures;

use std::path::Path;

use gwae_report::{Content, Fact, Page, Section};

use crate::metrics_log::{MetricsLog, MetricsRecord};
use crate::run_directory::{RunDirectory, RunDirectoryError, RunRecord};

pub use comparison::{MOST_RUNS, comparison_page};
pub use error::RunReportError;

/// Name of the file in a run directory.
pub const REPORT: &str = "report.html";

/// Makes the page of the run in `directory` from its files: the losses, the pictures that are there, how
/// the run was made, and its configuration. Nothing is computed anew.
///
/// # Errors
/// When the directory is not that of a run, or one of these files is damaged.
pub fn run_page(directory: &Path) -> Result<Page, RunReportError> {
    let run = RunDirectory::open(directory)?;
    let records = MetricsLog::read(&run.metrics())?;
    let config = run.config();
    let mut sections = vec![Section::new(
        "The run",
        "",
        Content::Facts(facts(&run, &records)),
    )];
    if !records.is_empty() {
        let note = "Point at a name for its meaning.";
        sections.push(Section::new(
            "Losses",
            note,
            Content::Table(losses::table(&records)),
        ));
    }
    sections.extend(pictures::sections(directory)?);
    let text = config.to_toml().map_err(RunDirectoryError::from)?;
    let note = "The resolved configuration, as in config.toml.";
    sections.push(Section::new("Configuration", note, Content::Text(text)));
    let name = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_owned())
        .file_name()
        .map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned());
    Ok(Page {
        title: name,
        subtitle: format!("{} on {}", config.model.kind(), run.record().dataset),
        sections,
    })
}

/// Writes [`run_page`] to `report.html` in the run directory.
///
/// # Errors
/// As [`run_page`], and when the file cannot be written.
pub fn write_report(directory: &Path) -> Result<(), RunReportError> {
    Ok(run_page(directory)?.save(&directory.join(REPORT))?)
}

fn fact(name: &str, value: impl ToString) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

/// How the run was made and how far it is.
fn facts(run: &RunDirectory, records: &[MetricsRecord]) -> Vec<Fact> {
    let record: &RunRecord = run.record();
    let config = run.config();
    let mut facts = vec![
        fact("model", config.model.kind()),
        fact("dataset", &record.dataset),
        fact("latent dimension", latent_dim(config)),
        fact("images", config.model.image_shape()),
        fact("batch size", config.training.batch_size),
        fact("seed", record.seed),
        fact("device", &record.device),
    ];
    if let Some(newest) = records.last() {
        facts.push(fact("steps", newest.step));
        facts.push(fact("time of training", duration(newest.seconds)));
    }
    let rates = records.iter().rev();
    let mut rates = rates.filter_map(|record| record.images_per_second);
    if let Some(rate) = rates.next() {
        facts.push(fact("images per second", format!("{rate:.0}")));
    }
    facts.push(fact("started", &record.started));
    if !record.resumed.is_empty() {
        facts.push(fact("sessions", record.resumed.len() + 1));
    }
    if let Some(file) = &record.imported_from {
        facts.push(fact("imported from", file));
    }
    let versions = format!("gwae {}, Burn {}", record.gwae_version, record.burn_version);
    facts.push(fact("versions", versions));
    facts.push(fact("command", record.command_line.join(" ")));
    facts
}

fn latent_dim(config: &crate::config::RunConfig) -> String {
    match config.model.backbone() {
        Some(backbone) => backbone.latent_dim.to_string(),
        None => "of the program".into(),
    }
}

/// `75 s`, `12 min 5 s`, `3 h 7 min`.
fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(75.4), "75 s");
        assert_eq!(duration(725.0), "12 min 5 s");
        assert_eq!(duration(11_230.0), "3 h 7 min");
    }

    #[test]
    fn a_directory_without_a_run_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(
            run_page(directory.path()),
            Err(RunReportError::Run(_))
        ));
    }
}
