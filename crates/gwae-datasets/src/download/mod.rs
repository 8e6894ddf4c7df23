//! Downloads the published files into a directory and verifies them before they get their final
//! names.
//!
//! A file is written to `NAME.part` and renamed only when size and checksum are right, so a file
//! with its final name is complete. An interrupted download continues at the point of interruption,
//! if the server supports this. Existing files are never changed silently: right files stay. A
//! wrong file is an error unless [`GetOptions::replace`] is set; then it is kept as `NAME.wrong`.

mod client;
mod options;
mod partial;
mod redirect;
mod transfer;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use client::Client;
pub use options::{GetOptions, MIRROR_VARIABLE};
use partial::Partial;
use transfer::{Job, Stop};

use crate::published::check::{FileReport, FileStatus, check_file, compute_from};
use crate::published::checksum::Checksum;
use crate::published::data_event::DataEvent;
use crate::published::file_error::{DataFileError, DataFileProblem, at};
use crate::published::manifest::{Manifest, ManifestFile};
use gwae_formats::partial::with_suffix;

/// The version of the file at `url` in the record of the partial download of `target`.
#[cfg(fuzzing)]
pub(crate) fn recorded_validator(
    target: &Path,
    url: &str,
) -> Result<Option<String>, DataFileError> {
    Ok(Partial::open(target)?.validator(url).map(str::to_owned))
}

/// The result of [`get`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GetOutcome {
    /// All files exist.
    Files(Vec<FetchedFile>),
    /// The dataset's terms forbid a program to fetch it. These are the steps for the user.
    Manual(ManualSteps),
}

/// A file that exists now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedFile {
    /// Its published name.
    pub name: String,
    /// Its path. A file that existed before may have another form than the published one.
    pub path: PathBuf,
    /// How it was obtained.
    pub outcome: FetchOutcome,
    /// Wrong files that existed before, with their new names.
    pub kept_aside: Vec<PathBuf>,
}

/// How a file was obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// It existed before.
    AlreadyThere {
        /// True if its checksum was compared; false if only its size was, because no checksum is
        /// known.
        verified: bool,
    },
    /// It was downloaded.
    Downloaded {
        /// The address that it came from.
        url: String,
        /// Number of bytes that were continued from an earlier run.
        resumed_from: u64,
        /// True if its checksum was compared; false if only its size was, because no checksum is
        /// known.
        verified: bool,
    },
}

/// The steps for a user to get a dataset. `Display` writes them as numbered lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualSteps {
    /// The dataset's title.
    pub title: String,
    /// Why a program may not fetch it.
    pub reason: String,
    /// The steps, in order.
    pub steps: Vec<String>,
    /// The state of every file.
    pub files: Vec<FileReport>,
}

impl fmt::Display for ManualSteps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} has to be downloaded by hand: {}.",
            self.title, self.reason
        )?;
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(formatter, "{}. {step}", index + 1)?;
        }
        for file in self.files.iter().filter(|file| !file.optional) {
            writeln!(formatter, "   {}: {}", file.path.display(), file.status)?;
        }
        Ok(())
    }
}

/// Puts the files of a dataset into `directory`, which is created if it does not exist.
///
/// Existing right files, in any of their forms, are not fetched. The addresses of a file are tried
/// in order. For a dataset that a person must fetch, the result is [`GetOutcome::Manual`] until all
/// its files exist, unless the user gives an address or a mirror: then the user is responsible for
/// having a copy that may be used.
///
/// # Errors
/// Every [`DataFileProblem`] except those of manifests. Files that were completed before an error
/// stay. So does a partial file that the next call can continue; [`DataEvent::Kept`] names it. Nothing else is left
/// behind, and no directory that was made for it.
pub fn get(
    manifest: &Manifest,
    directory: &Path,
    options: &GetOptions,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<GetOutcome, DataFileError> {
    let plan = plan(manifest, options)?;
    if let Some(manual) = &manifest.manual
        && options.url.is_none()
        && options.mirror.is_none()
    {
        let mut rows = Vec::new();
        for file in &manifest.files {
            rows.push(check_file(file, directory, on_event)?);
        }
        let complete = rows.iter().flatten().all(|row| row.status.is_usable());
        if !complete {
            return Ok(GetOutcome::Manual(ManualSteps {
                title: manifest.title.clone(),
                reason: manual.reason.clone(),
                steps: manual
                    .steps
                    .iter()
                    .map(|step| step.replace("{dir}", &quoted(directory)))
                    .collect(),
                files: rows.into_iter().flatten().collect(),
            }));
        }
        let there = rows.iter().filter_map(|rows| already_there(rows));
        return Ok(GetOutcome::Files(there.collect()));
    }
    // The innermost one comes first.
    let is_new = |place: &&Path| !place.as_os_str().is_empty() && !place.exists();
    let made: Vec<&Path> = directory.ancestors().take_while(is_new).collect();
    let fetch_all = || {
        fs::create_dir_all(directory).map_err(at(directory, "create"))?;
        let client = Client::new(options);
        let mut files = Vec::with_capacity(plan.len());
        for (file, urls) in plan {
            files.push(fetch(file, &urls, directory, options, &client, on_event)?);
        }
        Ok(GetOutcome::Files(files))
    };
    let outcome = fetch_all();
    if outcome.is_err() {
        for place in made {
            // It fails if something is in it, and then everything around it stays too.
            let _ = fs::remove_dir(place);
        }
    }
    outcome
}

/// The files to fetch, and their addresses.
fn plan<'a>(
    manifest: &'a Manifest,
    options: &GetOptions,
) -> Result<Vec<(&'a ManifestFile, Vec<String>)>, DataFileError> {
    let below = |base: &str| {
        manifest
            .files
            .iter()
            .map(|file| {
                let base = base.trim_end_matches('/');
                (file, vec![format!("{base}/{}", file.published.name)])
            })
            .collect()
    };
    if let Some(url) = &options.url {
        check_address(url)?;
        if url.ends_with('/') {
            return Ok(below(url));
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let named = manifest.files.iter().find(|f| f.published.name == last);
        return match (named, manifest.files.as_slice()) {
            (Some(file), _) | (None, [file]) => Ok(vec![(file, vec![url.clone()])]),
            _ => {
                let names: Vec<&str> = manifest
                    .files
                    .iter()
                    .map(|file| file.published.name.as_str())
                    .collect();
                Err(DataFileProblem::AddressWithoutFile {
                    names: names.join(", "),
                }
                .of(url))
            }
        };
    }
    if let Some(mirror) = &options.mirror {
        check_address(mirror)?;
        let base = format!("{}/{}", mirror.trim_end_matches('/'), manifest.name);
        return Ok(below(&base));
    }
    Ok(manifest
        .files
        .iter()
        .map(|file| (file, file.urls.clone()))
        .collect())
}

fn check_address(address: &str) -> Result<(), DataFileError> {
    if address.starts_with("http://") || address.starts_with("https://") {
        Ok(())
    } else {
        Err(DataFileProblem::BadAddress("is no HTTP address".to_owned()).of(address))
    }
}

/// A path, quoted for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// The existing file, if it exists and is right.
fn already_there(rows: &[FileReport]) -> Option<FetchedFile> {
    let usable = rows.iter().find(|row| row.status.is_usable())?;
    Some(FetchedFile {
        name: usable.name.clone(),
        path: usable.path.clone(),
        outcome: FetchOutcome::AlreadyThere {
            verified: usable.status == FileStatus::Verified,
        },
        kept_aside: Vec::new(),
    })
}

fn fetch(
    file: &ManifestFile,
    urls: &[String],
    directory: &Path,
    options: &GetOptions,
    client: &Client,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<FetchedFile, DataFileError> {
    let rows = check_file(file, directory, on_event)?;
    if !options.replace
        && let Some(problem) = rows.iter().find_map(wrong_file)
    {
        return Err(problem);
    }
    if let Some(mut there) = already_there(&rows) {
        there.kept_aside = keep_aside(&rows)?;
        return Ok(there);
    }
    let form = &file.published;
    let target = directory.join(&form.name);
    let mut partial = Partial::open(&target)?;
    let mut job = Job {
        form,
        options,
        client,
        on_event,
    };
    let (url, verified) = match download_from_any(&mut job, &mut partial, urls) {
        Ok(downloaded) => downloaded,
        Err(stop) => {
            if job.can_go_on(&partial, urls) {
                (job.on_event)(DataEvent::Kept {
                    path: partial.path(),
                    bytes: partial.length(),
                });
            } else {
                partial.discard()?;
            }
            return Err(match stop {
                Stop::Address(problem) => problem.of(target.display().to_string()),
                Stop::Local(error) => error,
            });
        }
    };
    let resumed_from = partial.inherited();
    let kept_aside = keep_aside(&rows)?;
    partial.finish(&target)?;
    Ok(FetchedFile {
        name: form.name.clone(),
        path: target,
        outcome: FetchOutcome::Downloaded {
            url,
            resumed_from,
            verified,
        },
        kept_aside,
    })
}

/// Fills and verifies the partial file from the first address that works. Returns that address, and whether a
/// checksum was compared.
fn download_from_any(
    job: &mut Job<'_>,
    partial: &mut Partial,
    urls: &[String],
) -> Result<(String, bool), Stop> {
    let mut failures: Vec<DataFileProblem> = Vec::new();
    for url in urls {
        if let Some(last) = failures.last() {
            (job.on_event)(DataEvent::NextAddress {
                file: &job.form.name,
                reason: &last.to_string(),
            });
        }
        match download(job, partial, url) {
            Ok(verified) => return Ok((url.clone(), verified)),
            Err(Stop::Address(problem)) => failures.push(problem),
            Err(local) => return Err(local),
        }
    }
    Err(Stop::Address(match failures.pop() {
        Some(only) if failures.is_empty() => only,
        last => {
            failures.extend(last);
            DataFileProblem::NoAddressWorks { failures }
        }
    }))
}

/// Fills and verifies the partial file from one address. Returns whether a checksum was compared.
fn download(job: &mut Job<'_>, partial: &mut Partial, url: &str) -> Result<bool, Stop> {
    let mut tried_anew = false;
    loop {
        job.transfer(partial, url)?;
        partial.sync()?;
        let Some(expected) = job.form.proof.checksum() else {
            return Ok(false);
        };
        let found = compute_from(
            partial.reader()?,
            &job.form.name,
            partial.length(),
            matches!(expected, Checksum::Md5(_)),
            job.on_event,
        )
        .map_err(at(partial.path(), "read"))?;
        if found == *expected {
            return Ok(true);
        }
        let in_one_piece = partial.in_one_piece();
        partial.clear()?;
        if in_one_piece || tried_anew {
            return Err(Stop::Address(DataFileProblem::WrongChecksum {
                url: url.to_owned(),
                expected: expected.clone(),
                found,
            }));
        }
        // The pieces may be of different versions of the file.
        (job.on_event)(DataEvent::StartOver {
            file: &job.form.name,
            reason: "the continued file has the wrong checksum",
        });
        tried_anew = true;
    }
}

/// The error for a file that exists but is wrong.
fn wrong_file(row: &FileReport) -> Option<DataFileError> {
    let (expected, found) = match &row.status {
        FileStatus::WrongSize { expected, found } => (expected.clone(), format!("has {found}")),
        FileStatus::WrongChecksum { expected, found } => {
            (expected.to_string(), format!("has {found}"))
        }
        _ => return None,
    };
    Some(DataFileProblem::WrongFileThere { expected, found }.of(row.path.display().to_string()))
}

/// Renames the wrong files to `NAME.wrong`, or `NAME.wrong2` and so on, and returns the new names.
fn keep_aside(rows: &[FileReport]) -> Result<Vec<PathBuf>, DataFileError> {
    let mut kept = Vec::new();
    for row in rows.iter().filter(|row| row.status.is_wrong()) {
        let mut aside = with_suffix(&row.path, ".wrong");
        let mut number = 1;
        while aside.symlink_metadata().is_ok() {
            number += 1;
            aside = with_suffix(&row.path, &format!(".wrong{number}"));
        }
        fs::rename(&row.path, &aside).map_err(at(&row.path, "rename"))?;
        kept.push(aside);
    }
    Ok(kept)
}
