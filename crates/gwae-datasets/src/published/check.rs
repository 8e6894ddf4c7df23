//! Verification: checks whether a dataset's files are in a directory and are the published ones.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::published::checksum::Checksum;
use crate::published::data_event::{DataEvent, DataStage};
use crate::published::file_error::{DataFileError, at};
use crate::published::idx_files::{holds_data, paths};
use crate::published::manifest::{FileForm, FormSize, Manifest, ManifestFile, Proof};
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::regular_file::open_regular;

/// Number of bytes between two progress events; also the size of one read.
const CHUNK_BYTES: usize = 1 << 20;

/// The state of one file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStatus {
    /// The directory does not have the file in any form.
    Missing,
    /// Its checksum is the published one.
    Verified,
    /// Its size is right, but no checksum is known.
    Unverified {
        /// Why no checksum is known.
        reason: String,
    },
    /// It has another size than the published file, or is a folder instead of a file.
    WrongSize {
        /// The value in the manifest.
        expected: String,
        /// The value in the directory.
        found: String,
    },
    /// It has another checksum than the published file.
    WrongChecksum {
        /// The value in the manifest.
        expected: Checksum,
        /// The value of the file.
        found: Checksum,
    },
}

impl FileStatus {
    /// Whether the file exists and no check failed.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Verified | Self::Unverified { .. })
    }

    /// Whether the file exists but is not the published one.
    pub fn is_wrong(&self) -> bool {
        matches!(self, Self::WrongSize { .. } | Self::WrongChecksum { .. })
    }
}

impl fmt::Display for FileStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(formatter, "missing"),
            Self::Verified => write!(formatter, "verified"),
            Self::Unverified { reason } => write!(formatter, "unverified ({reason})"),
            Self::WrongSize { expected, found } => {
                write!(formatter, "wrong size: {found} instead of {expected}")
            }
            Self::WrongChecksum { expected, found } => {
                write!(formatter, "wrong checksum: {found} instead of {expected}")
            }
        }
    }
}

/// One form of one file of a dataset in one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Its published name.
    pub name: String,
    /// Its path, or the path it would have under its published name.
    pub path: PathBuf,
    /// Its state.
    pub status: FileStatus,
    /// The dataset is complete without it.
    pub optional: bool,
}

/// The state of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All files exist and have the published checksums.
    Verified,
    /// All files exist, but for some of them no checksum is known.
    Unverified,
    /// Some files are missing, the others are right.
    Incomplete,
    /// Some files are not the published ones.
    Wrong,
}

/// The outcome of [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Name of the dataset.
    pub dataset: String,
    /// The directory that was checked.
    pub directory: PathBuf,
    /// One row for every existing form of a file and for every missing file.
    pub files: Vec<FileReport>,
}

impl CheckReport {
    /// The state of the whole dataset. If a file exists in several forms, all must be right, because a reader
    /// may use any of them. Missing optional files do not count.
    pub fn verdict(&self) -> Verdict {
        let any = |test: &dyn Fn(&FileReport) -> bool| self.files.iter().any(test);
        if any(&|file| file.status.is_wrong()) {
            Verdict::Wrong
        } else if any(&|file| file.status == FileStatus::Missing && !file.optional) {
            Verdict::Incomplete
        } else if any(&|file| matches!(file.status, FileStatus::Unverified { .. })) {
            Verdict::Unverified
        } else {
            Verdict::Verified
        }
    }
}

/// Checks every file of a dataset in `directory`, including all known checksums.
///
/// Every existing form of a file is checked. If the directory does not exist, all files are missing.
///
/// # Errors
/// If a file or folder cannot be read. Missing and wrong files are not errors but rows of the report.
pub fn check(
    manifest: &Manifest,
    directory: &Path,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<CheckReport, DataFileError> {
    let mut files = Vec::with_capacity(manifest.files.len());
    for file in &manifest.files {
        files.extend(check_file(file, directory, on_event)?);
    }
    Ok(CheckReport {
        dataset: manifest.name.clone(),
        directory: directory.to_owned(),
        files,
    })
}

/// The rows of one file: one for each of its names that exists, or one row for a missing file. What a reader passes
/// over, such as an empty file beside the right one, gets no row.
pub(crate) fn check_file(
    file: &ManifestFile,
    directory: &Path,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<Vec<FileReport>, DataFileError> {
    let mut names: Vec<&str> = Vec::new();
    for form in file.forms() {
        if !names.contains(&form.name.as_str()) {
            names.push(&form.name);
        }
    }
    let mut rows = Vec::new();
    for name in names {
        let forms: Vec<&FileForm> = file.forms().filter(|form| form.name == name).collect();
        for path in paths(directory, name) {
            if let Some(status) = status(&path, name, &forms, on_event)? {
                rows.push(FileReport {
                    name: file.published.name.clone(),
                    path,
                    status,
                    optional: file.optional,
                });
            }
        }
    }
    if file.published.name.contains("-idx") && rows.iter().any(|row| row.status.is_usable()) {
        rows.retain(|row| row.status.is_usable() || holds_data(&row.path));
    }
    if rows.is_empty() {
        rows.push(FileReport {
            name: file.published.name.clone(),
            path: directory.join(&file.published.name),
            status: FileStatus::Missing,
            optional: file.optional,
        });
    }
    Ok(rows)
}

/// The state of `path`, or `None` if it does not exist. It is right if it matches any of `forms`, which all
/// have this name.
fn status(
    path: &Path,
    name: &str,
    forms: &[&FileForm],
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<Option<FileStatus>, DataFileError> {
    let Some(found) = extent(path)? else {
        return Ok(None);
    };
    let fitting: Vec<&FileForm> = forms
        .iter()
        .copied()
        .filter(|form| match (form.size, found) {
            (FormSize::Entries(entries), Extent::Folder { entries: there }) => entries == there,
            (size, Extent::File { bytes }) => size.admits(bytes),
            _ => false,
        })
        .collect();
    if fitting.is_empty() {
        let expected: Vec<String> = forms.iter().map(|form| form.size.to_string()).collect();
        return Ok(Some(FileStatus::WrongSize {
            expected: expected.join(" or "),
            found: found.to_string(),
        }));
    }
    let checksums: Vec<&Checksum> = fitting.iter().filter_map(|f| f.proof.checksum()).collect();
    let mut wrong = None;
    if let Extent::File { bytes } = found {
        // The file is read once for each kind of checksum; in practice there is one kind.
        for md5 in [false, true] {
            let same_kind = |checksum: &&&Checksum| matches!(checksum, Checksum::Md5(_)) == md5;
            if let Some(&first) = checksums.iter().find(same_kind) {
                let computed = compute(path, name, bytes, md5, on_event)?;
                if checksums.contains(&&computed) {
                    return Ok(Some(FileStatus::Verified));
                }
                wrong = Some(FileStatus::WrongChecksum {
                    expected: first.clone(),
                    found: computed,
                });
            }
        }
    }
    let unverified = fitting.iter().find_map(|form| match &form.proof {
        Proof::None { reason } => Some(FileStatus::Unverified {
            reason: reason.clone(),
        }),
        Proof::Checksum { .. } => None,
    });
    Ok(unverified.or(wrong))
}

/// The file or folder at a path.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    File { bytes: u64 },
    Folder { entries: u64 },
}

impl fmt::Display for Extent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { bytes } => write!(formatter, "{bytes} bytes"),
            Self::Folder { entries } => write!(formatter, "a folder of {entries} entries"),
        }
    }
}

pub(super) fn extent(path: &Path) -> Result<Option<Extent>, DataFileError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(at(path, "look at")(error)),
    };
    if !metadata.is_dir() {
        return Ok(Some(Extent::File {
            bytes: metadata.len(),
        }));
    }
    let mut entries = 0;
    for entry in fs::read_dir(path).map_err(at(path, "list"))? {
        let entry = entry.map_err(at(path, "list"))?;
        // File managers create files such as .DS_Store.
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries += 1;
        }
    }
    Ok(Some(Extent::Folder { entries }))
}

pub(super) fn compute(
    path: &Path,
    name: &str,
    bytes: u64,
    md5: bool,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<Checksum, DataFileError> {
    let (file, _) = open_regular(path).map_err(at(path, "read"))?;
    compute_from(file, name, bytes, md5, on_event).map_err(at(path, "read"))
}

/// Computes the checksum of everything in `reader`, which has about `bytes` bytes.
pub(crate) fn compute_from(
    reader: impl Read,
    name: &str,
    bytes: u64,
    md5: bool,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> io::Result<Checksum> {
    if md5 {
        digest::<Md5>(reader, name, bytes, on_event).map(Checksum::Md5)
    } else {
        digest::<Sha256>(reader, name, bytes, on_event).map(Checksum::Sha256)
    }
}

fn digest<D: Digest>(
    mut reader: impl Read,
    name: &str,
    bytes: u64,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> io::Result<String> {
    let mut digest = D::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0;
    let mut report = |done| {
        on_event(DataEvent::Bytes {
            file: name,
            stage: DataStage::Verifying,
            done,
            total: Some(bytes),
        });
    };
    report(0);
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => {
                digest.update(&chunk[..read]);
                done += read as u64;
                report(done);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hexadecimal(&digest.finalize()))
}
