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
use crate::published::manifest::{FileForm, FormSize, Manifest, ManifestFile, Proof, manifests};
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::regular_file::open_regular;

/// Number of bytes between two progress events; also the size of one read.
const CHUNK_BYTES: usize = 1 << 20;

/// Files up to this size are read to tell datasets apart in a list.
const SMALL_BYTES: u64 = 1 << 18;

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
enum Extent {
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

fn extent(path: &Path) -> Result<Option<Extent>, DataFileError> {
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

fn compute(
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

/// How much of a dataset is in a directory, judged by names, sizes, and the checksums of small files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No directory was given.
    NotAsked,
    /// The directory has no file of the dataset.
    Absent,
    /// The directory has some files of the dataset.
    Partial {
        /// The directory.
        directory: PathBuf,
        /// Number of files in it.
        there: usize,
        /// Number of files needed.
        needed: usize,
    },
    /// The directory has only files with which alone the dataset can be used.
    Usable {
        /// The directory.
        directory: PathBuf,
        /// The published names of the files.
        files: Vec<String>,
    },
    /// The directory has all files of the dataset.
    Present {
        /// The directory.
        directory: PathBuf,
    },
}

/// A dataset and its availability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The dataset.
    pub manifest: &'static Manifest,
    /// How much of it is available.
    pub presence: Presence,
}

/// All datasets that can be downloaded and verified. With a `directory`, also says which of them are in it or
/// in its subdirectory with the dataset's name.
///
/// Large files are not read; [`check`] does that. Small files are read, because the datasets of the MNIST
/// family have files with the same names and, without compression, the same sizes. A directory with the
/// labels of another dataset counts as having no file of this one.
///
/// # Errors
/// If a directory cannot be read.
pub fn list(directory: Option<&Path>) -> Result<Vec<Listed>, DataFileError> {
    manifests()
        .iter()
        .map(|manifest| {
            let presence = match directory {
                None => Presence::NotAsked,
                Some(directory) => presence(manifest, directory)?,
            };
            Ok(Listed { manifest, presence })
        })
        .collect()
}

/// The directory with the files of a dataset, if a user names `directory`. It is `directory` itself if it has
/// some of the files or the dataset's name; otherwise its subdirectory with the dataset's name. So one
/// directory can hold all datasets, although the MNIST family shares file names.
///
/// Files with the published names but other sizes count too, so that they are reported as wrong and not as
/// missing. They do not count if other files in the directory belong to another dataset.
///
/// # Errors
/// If a directory cannot be read.
pub fn dataset_directory(manifest: &Manifest, directory: &Path) -> Result<PathBuf, DataFileError> {
    let place = download_directory(manifest, directory)?;
    if has_names(manifest, &place)? {
        return Ok(place);
    }
    for other in places(manifest, directory) {
        if has_names(manifest, &other)? && !has_other_than(manifest, &other)? {
            return Ok(other);
        }
    }
    Ok(place)
}

/// The directory to write the files of a dataset to, if a user names `directory`. Like [`dataset_directory`],
/// but files of other sizes do not count: they may belong to another dataset and must not be replaced.
///
/// # Errors
/// If a directory cannot be read.
pub fn download_directory(manifest: &Manifest, directory: &Path) -> Result<PathBuf, DataFileError> {
    let own = directory.join(&manifest.name);
    let is_named = directory.file_name() == Some(manifest.name.as_ref());
    if is_named && !own.is_dir() {
        return Ok(directory.to_owned());
    }
    Ok(match presence(manifest, directory)? {
        Presence::Partial { directory, .. }
        | Presence::Usable { directory, .. }
        | Presence::Present { directory } => directory,
        Presence::NotAsked | Presence::Absent => own,
    })
}

/// Whether the directory has any file with the name of a file of the dataset.
fn has_names(manifest: &Manifest, directory: &Path) -> Result<bool, DataFileError> {
    for form in manifest.files.iter().flat_map(ManifestFile::forms) {
        for path in paths(directory, &form.name) {
            if extent(&path)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether another dataset has files in the directory.
fn has_other_than(manifest: &Manifest, directory: &Path) -> Result<bool, DataFileError> {
    for other in manifests()
        .iter()
        .filter(|other| other.name != manifest.name)
    {
        if count_there(other, directory)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The directories in which the files of a dataset may be, if a user names `directory`.
fn places(manifest: &Manifest, directory: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for place in [directory.join(&manifest.name), directory.to_owned()] {
        let inside = manifest.folders.iter().map(|folder| place.join(folder));
        let inside: Vec<PathBuf> = inside.collect();
        places.push(place);
        places.extend(inside);
    }
    places
}

fn presence(manifest: &Manifest, directory: &Path) -> Result<Presence, DataFileError> {
    let mut best = Presence::Absent;
    let mut most = (0, 0);
    let needed = manifest.files.iter().filter(|file| !file.optional).count();
    for directory in places(manifest, directory) {
        let there = count_there(manifest, &directory)?;
        let alone = there_alone(manifest, &directory)?;
        if (there, alone.len()) > most {
            most = (there, alone.len());
            best = if there == needed {
                Presence::Present { directory }
            } else if there == 0 {
                let files = alone;
                Presence::Usable { directory, files }
            } else {
                Presence::Partial {
                    directory,
                    there,
                    needed,
                }
            };
        }
    }
    Ok(best)
}

/// The files in the directory with which alone the dataset can be used.
fn there_alone(manifest: &Manifest, directory: &Path) -> Result<Vec<String>, DataFileError> {
    let mut names = Vec::new();
    for file in manifest.files.iter().filter(|file| file.alone) {
        if seems_there(file, directory)? == Some(true) {
            names.push(file.published.name.clone());
        }
    }
    Ok(names)
}

/// Number of needed files in the directory; 0 if one of them belongs to another dataset.
fn count_there(manifest: &Manifest, directory: &Path) -> Result<usize, DataFileError> {
    let mut there = 0;
    for file in manifest.files.iter().filter(|file| !file.optional) {
        match seems_there(file, directory)? {
            Some(true) => there += 1,
            Some(false) => return Ok(0),
            None => {}
        }
    }
    Ok(there)
}

/// Whether a file is in the directory; `Some(false)` if it has another file of this name and size.
fn seems_there(file: &ManifestFile, directory: &Path) -> Result<Option<bool>, DataFileError> {
    for form in file.forms() {
        for path in paths(directory, &form.name) {
            match extent(&path)? {
                Some(Extent::File { bytes }) if form.size.admits(bytes) => {
                    let Some(checksum) = form.proof.checksum().filter(|_| bytes <= SMALL_BYTES)
                    else {
                        return Ok(Some(true));
                    };
                    let md5 = matches!(checksum, Checksum::Md5(_));
                    let found = compute(&path, &form.name, bytes, md5, &mut |_| {})?;
                    return Ok(Some(found == *checksum));
                }
                Some(Extent::Folder { entries }) if form.size == FormSize::Entries(entries) => {
                    return Ok(Some(true));
                }
                _ => {}
            }
        }
    }
    Ok(None)
}
