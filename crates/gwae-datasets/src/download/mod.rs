//! Downloads: the published files into a directory, verified before they get their names.
//!
//! A file is written to `NAME.part` and gets its name only when size and checksum are right, so a
//! file that has its name is complete. An interrupted download continues where it stopped, if the
//! server can. What was in the directory before is never changed silently: the right files stay,
//! a wrong one is an error unless [`GetOptions::replace`] is set, and is then kept as
//! `NAME.wrong`.

mod client;
mod partial;
mod transfer;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use client::Client;
use partial::{Partial, with_suffix};
use transfer::{Job, Stop};

use crate::check::{FileReport, FileStatus, check_file, compute_from};
use crate::data_event::DataEvent;
use crate::file_error::{DataFileError, DataFileProblem, at};
use crate::manifest::{Checksum, Manifest, ManifestFile};

/// The version of the file at `url` that the partial download of `target` is of.
#[cfg(fuzzing)]
pub(crate) fn recorded_validator(
    target: &Path,
    url: &str,
) -> Result<Option<String>, DataFileError> {
    Ok(Partial::open(target)?.validator(url).map(str::to_owned))
}

/// Environment variable with the base address of a mirror; see [`GetOptions::mirror`].
pub const MIRROR_VARIABLE: &str = "GWAE_MIRROR";

/// Where to download from, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetOptions {
    /// Takes the place of all other addresses. If it ends with `/`, every file of the dataset is
    /// fetched from below it; otherwise only the file whose name it ends with, or the dataset's
    /// only file.
    pub url: Option<String>,
    /// Base address of a mirror: files are fetched from `MIRROR/DATASET/FILE` instead of the
    /// published addresses.
    pub mirror: Option<String>,
    /// Download again what is there but wrong; the old file is kept as `NAME.wrong`.
    pub replace: bool,
    /// Failures in a row, each with less than a MiB of progress, after which an address is given
    /// up. At least 1.
    pub attempts: u32,
    /// Pause after the first failure; it doubles with each further one, up to 30 s.
    pub backoff: Duration,
    /// Longest time for looking up a name and connecting.
    pub connect_timeout: Duration,
    /// Longest silence of a connected server.
    pub stall_timeout: Duration,
    /// Use the proxy that `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` names, except for the hosts
    /// in `NO_PROXY`.
    pub environment_proxy: bool,
}

impl Default for GetOptions {
    /// The published addresses, five attempts with pauses of 1 to 8 s, 20 s to connect, 30 s of
    /// silence.
    fn default() -> Self {
        Self {
            url: None,
            mirror: None,
            replace: false,
            attempts: 5,
            backoff: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(30),
            environment_proxy: true,
        }
    }
}

impl GetOptions {
    /// The defaults, with the mirror that [`MIRROR_VARIABLE`] names, if it is set and not empty.
    pub fn from_environment() -> Self {
        Self {
            mirror: std::env::var_os(MIRROR_VARIABLE)
                .map(|base| base.to_string_lossy().into_owned())
                .filter(|base| !base.trim().is_empty()),
            ..Self::default()
        }
    }
}

/// What [`get`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GetOutcome {
    /// The files are there.
    Files(Vec<FetchedFile>),
    /// The dataset's terms forbid a program to fetch it: this is what a person has to do.
    Manual(ManualSteps),
}

/// A file that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedFile {
    /// Its name as published.
    pub name: String,
    /// Where it is; in another form than the published one if it was there before.
    pub path: PathBuf,
    /// How it got there.
    pub outcome: FetchOutcome,
    /// Wrong files that were there before, under the names that they have now.
    pub kept_aside: Vec<PathBuf>,
}

/// How a file got where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// It was there before.
    AlreadyThere {
        /// Its checksum was compared; otherwise only its size, because no checksum is known.
        verified: bool,
    },
    /// It was downloaded.
    Downloaded {
        /// The address that had it.
        url: String,
        /// Bytes that an earlier run had left and that were continued.
        resumed_from: u64,
        /// Its checksum was compared; otherwise only its size, because no checksum is known.
        verified: bool,
    },
}

/// What a person has to do to get a dataset. `Display` writes it as numbered lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualSteps {
    /// The dataset's title.
    pub title: String,
    /// Why no program may do it.
    pub reason: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What is already there, file by file.
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

/// Puts the files of a dataset into `directory`, which is made if it does not exist.
///
/// Files that are there and right, in any of their forms, are not fetched. The addresses of a file
/// are tried in order. For a dataset that must be fetched by hand, the outcome is
/// [`GetOutcome::Manual`] until all its files are there, unless the user names an address or a
/// mirror: having a copy that may be used is then the user's responsibility.
///
/// # Errors
/// Everything in [`DataFileProblem`] but the problems of manifests. Files that were completed
/// before an error stay, and partial ones are continued by the next call.
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
    fs::create_dir_all(directory).map_err(at(directory, "create"))?;
    let client = Client::new(options);
    let mut files = Vec::with_capacity(plan.len());
    for (file, urls) in plan {
        files.push(fetch(file, &urls, directory, options, &client, on_event)?);
    }
    Ok(GetOutcome::Files(files))
}

/// Which files to fetch, and from where.
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

/// A path as it can be typed in a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// The file as it is there, if it is there and nothing is wrong.
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
    let mut failures: Vec<DataFileProblem> = Vec::new();
    for url in urls {
        if let Some(last) = failures.last() {
            (job.on_event)(DataEvent::NextAddress {
                file: &form.name,
                reason: &last.to_string(),
            });
        }
        match download(&mut job, &mut partial, url) {
            Ok(verified) => {
                let resumed_from = partial.inherited();
                let kept_aside = keep_aside(&rows)?;
                partial.finish(&target)?;
                return Ok(FetchedFile {
                    name: form.name.clone(),
                    path: target,
                    outcome: FetchOutcome::Downloaded {
                        url: url.clone(),
                        resumed_from,
                        verified,
                    },
                    kept_aside,
                });
            }
            Err(Stop::Address(problem)) => failures.push(problem),
            Err(Stop::Local(error)) => return Err(error),
        }
    }
    if partial.length() == 0 {
        partial.discard()?;
    }
    let problem = match failures.pop() {
        Some(only) if failures.is_empty() => only,
        last => {
            failures.extend(last);
            DataFileProblem::NoAddressWorks { failures }
        }
    };
    Err(problem.of(target.display().to_string()))
}

/// Fills and verifies the partial file from one address; tells whether a checksum was compared.
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

/// The error for a row that is there but not right.
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

/// Renames the wrong files to `NAME.wrong`, or `NAME.wrong2` and so on, and tells the new names.
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
