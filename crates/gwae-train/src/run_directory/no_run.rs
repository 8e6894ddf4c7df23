//! What a path is that is no run, for messages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::LOCK;

/// Files that tell a run: its record, its configuration, its division of the images.
pub(super) const RECORD: &str = "run.json";
pub(super) const CONFIG: &str = "config.toml";
pub(super) const SPLIT: &str = "split.json";

/// The record of an experiment, a directory of several runs.
const EXPERIMENT: &str = "experiment.json";

/// Entries of a directory that are looked at.
const MOST_ENTRIES: usize = 1000;

/// Runs that a message names.
const MOST_NAMES: usize = 4;

/// What the path is, in one line, and what to do. It only looks, and never advises to delete.
pub(super) fn explain(path: &Path) -> String {
    let name = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return explain_unreachable(path, &error),
    };
    if let Some(run) = run_around(path) {
        let run = run.display();
        return format!("{name} is no run directory, but lies in one: name the run itself, {run}");
    }
    if !metadata.is_dir() {
        return explain_file(path);
    }
    let entries = match entries_of(path) {
        Ok(entries) => entries,
        Err(error) => {
            return format!(
                "{name} is a directory that cannot be read ({error}): check its access rights"
            );
        }
    };
    let has = |file: &str| path.join(file).is_file();
    if has(RECORD) {
        return format!(
            "{name} is no run directory any more: it has {RECORD}, but no {CONFIG}; restore {CONFIG} \
             from a copy"
        );
    }
    let runs = runs_below(&entries);
    if has(EXPERIMENT) {
        return match runs.is_empty() {
            true => format!(
                "{name} is no run directory, but an experiment in which no model has been trained yet"
            ),
            false => format!(
                "{name} is no run directory, but an experiment of several runs: try {}",
                list(&runs)
            ),
        };
    }
    if has(CONFIG) || has(SPLIT) || path.join("checkpoints").is_dir() {
        return explain_beginning(path, &entries);
    }
    if !runs.is_empty() {
        return format!(
            "{name} is no run directory, but has runs in it: try {}",
            list(&runs)
        );
    }
    match entries.is_empty() {
        true => format!("{name} is no run directory: it is empty"),
        false => format!(
            "{name} is no run directory: it has no {RECORD} and no {CONFIG}; name a directory that \
             `gwae train` or `gwae import` made"
        ),
    }
}

fn explain_unreachable(path: &Path, error: &io::Error) -> String {
    let name = path.display();
    if path.as_os_str().is_empty() {
        return "an empty name is no run directory: name one".to_owned();
    }
    if fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink()) {
        return format!("{name} is no run directory: it is a link to something that is not there");
    }
    if error.kind() != io::ErrorKind::NotFound {
        return format!("{name} is no run directory: it cannot be read ({error})");
    }
    let near = runs_beside(path);
    match near.is_empty() {
        true => format!("{name} is no run directory: it does not exist"),
        false => format!(
            "{name} is no run directory: it does not exist; there is {}",
            list(&near)
        ),
    }
}

/// The runs where the path was looked for, the most similar name first.
fn runs_beside(path: &Path) -> Vec<PathBuf> {
    let parent = path.parent().unwrap_or(Path::new(""));
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let wanted = name(path).unwrap_or_default();
    let mut runs = match parent.as_os_str().is_empty() {
        // `gwae train` makes its runs there.
        true => runs_in("runs".as_ref()),
        false => runs_in(parent),
    };
    runs.sort_by_key(|run| strsim::osa_distance(&wanted, &name(run).unwrap_or_default()));
    runs
}

fn explain_file(path: &Path) -> String {
    let name = path.display();
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("pth" | "pt") => format!(
            "{name} is no run directory, but a PyTorch checkpoint: `gwae import {name} --out RUN` makes \
             a run of it, if the authors' program wrote it"
        ),
        Some("toml" | "yaml" | "yml") => format!(
            "{name} is no run directory, but a file: `gwae train {name}` trains a run with it, if it \
             is a configuration"
        ),
        Some("bpk") => format!(
            "{name} is no run directory, but a file of a checkpoint without its run: name the run that \
             it comes from"
        ),
        _ => format!("{name} is no run directory, but a file: name the directory of a run"),
    }
}

/// A directory with some of a run's files but no record.
fn explain_beginning(path: &Path, entries: &[PathBuf]) -> String {
    let name = path.display();
    let is_beginning = path.join(LOCK).is_file()
        && entries.iter().all(|entry| {
            let file = entry.file_name().unwrap_or_default().to_string_lossy();
            [LOCK, CONFIG, SPLIT].contains(&&*file) || file.ends_with(".tmp")
        });
    if is_beginning {
        return format!(
            "{name} is no run directory: it has no {RECORD}, because its creation was cut short, so \
             nothing was trained in it; the command that made it begins it anew"
        );
    }
    let files = [CONFIG, SPLIT, "checkpoints", "metrics.jsonl"];
    let there = files.iter().filter(|file| path.join(file).exists());
    let there = there.copied().collect::<Vec<_>>().join(", ");
    format!(
        "{name} is no run directory: it has no {RECORD}, only {there}; if a run was copied, copy \
         {RECORD}, too"
    )
}

/// The run that has the path in it.
fn run_around(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let run = absolute.ancestors().skip(1).find(|above| is_run(above))?;
    // As the user wrote it, where that is possible.
    let steps = absolute.strip_prefix(run).ok()?.components().count();
    let written = path.ancestors().nth(steps);
    let written = written.filter(|written| !written.as_os_str().is_empty());
    let same = |written: &&Path| std::path::absolute(written).is_ok_and(|found| found == run);
    Some(written.filter(same).unwrap_or(run).to_owned())
}

/// Runs in a directory, or one directory further down, as in an experiment with several seeds.
fn runs_below(entries: &[PathBuf]) -> Vec<PathBuf> {
    let direct: Vec<_> = entries
        .iter()
        .filter(|entry| is_run(entry))
        .cloned()
        .collect();
    if !direct.is_empty() {
        return direct;
    }
    let directories = entries.iter().filter(|entry| entry.is_dir()).take(50);
    directories
        .flat_map(|directory| runs_in(directory))
        .collect()
}

/// Runs directly in a directory.
fn runs_in(directory: &Path) -> Vec<PathBuf> {
    let mut entries = entries_of(directory).unwrap_or_default();
    entries.retain(|entry| is_run(entry));
    entries
}

fn is_run(path: &Path) -> bool {
    path.join(RECORD).is_file() && path.join(CONFIG).is_file()
}

/// The paths of a directory's entries, sorted.
fn entries_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path)?.take(MOST_ENTRIES);
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| path.join(entry.file_name()))
        .collect();
    paths.sort();
    Ok(paths)
}

fn list(runs: &[PathBuf]) -> String {
    let names = runs
        .iter()
        .take(MOST_NAMES)
        .map(|run| run.display().to_string());
    let mut text = names.collect::<Vec<_>>().join(", ");
    if runs.len() > MOST_NAMES {
        text += &format!(" or one of {} more", runs.len() - MOST_NAMES);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, files: &[&str]) {
        fs::create_dir_all(path).unwrap();
        for file in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "{}").unwrap();
        }
    }

    #[track_caller]
    fn says(path: &Path, expected: &[&str]) {
        let text = explain(path);
        for part in expected {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("no run directory"), "{text}");
        assert!(!text.contains("delete") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn what_a_path_is() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let shown = |path: &str| at(path).display().to_string();
        write(
            &at("runs/a"),
            &[RECORD, CONFIG, SPLIT, "checkpoints/step-5/model.bpk"],
        );
        for name in ["b", "c", "d", "e", "f"] {
            write(&at("runs").join(name), &[RECORD, CONFIG]);
        }
        write(&at("ood/gwae"), &[RECORD, CONFIG]);
        write(&at("ood"), &[EXPERIMENT]);
        write(&at("seeds/seed-0/gwae"), &[RECORD, CONFIG]);
        write(&at("seeds"), &[EXPERIMENT, "seeds.md"]);
        write(&at("bare"), &[EXPERIMENT]);
        write(&at("short"), &[LOCK, CONFIG, SPLIT, ".run.json.tmp"]);
        write(&at("partial"), &[CONFIG, "metrics.jsonl", "checkpoints/x"]);
        write(&at("lost"), &[RECORD]);
        write(&at("empty"), &[]);
        write(
            &at("other"),
            &["notes.txt", "copy.bpk", "model.pth", "my.toml"],
        );

        says(&at("nowhere"), &["does not exist"]);
        says(
            &at("runs/digit"),
            &["does not exist", &shown("runs/a"), "2 more"],
        );
        says(
            &at("ood"),
            &["experiment", &format!("try {}", shown("ood/gwae"))],
        );
        says(&at("seeds"), &["experiment", &shown("seeds/seed-0/gwae")]);
        says(&at("bare"), &["experiment", "no model"]);
        says(&at("runs"), &["has runs in it", &shown("runs/a"), "2 more"]);
        let model = at("runs/a/checkpoints/step-5/model.bpk");
        for inside in [at("runs/a/checkpoints"), model, at("runs/a/run.json")] {
            says(&inside, &[&format!("the run itself, {}", shown("runs/a"))]);
        }
        says(&at("short"), &["cut short", "begins it anew"]);
        says(
            &at("partial"),
            &["no run.json", "config.toml, checkpoints, metrics.jsonl"],
        );
        says(&at("lost"), &["no config.toml", "from a copy"]);
        says(&at("empty"), &["is empty"]);
        says(&at("other"), &["no run.json"]);
        says(&at("other/notes.txt"), &["but a file"]);
        says(&at("other/copy.bpk"), &["of a checkpoint without its run"]);
        says(&at("other/model.pth"), &["gwae import"]);
        says(&at("other/my.toml"), &["gwae train"]);
        says(&at("runs/a/run.json/x"), &[]);
        says(Path::new(""), &[]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink("gone", &link).unwrap();
        says(&link, &["a link to something that is not there"]);
    }
}
