//! Finds the files of datasets in a user's directory, and lists what is there.

use std::path::{Path, PathBuf};

use crate::published::check::{Extent, compute, extent};
use crate::published::checksum::Checksum;
use crate::published::file_error::DataFileError;
use crate::published::idx_files::paths;
use crate::published::manifest::{FormSize, Manifest, ManifestFile, manifests};

/// Files up to this size are read to tell datasets apart in a list.
const SMALL_BYTES: u64 = 1 << 18;

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
/// Large files are not read; [`check`](crate::check) does that. Small files are read, because the datasets of the MNIST
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
