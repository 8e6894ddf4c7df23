//! The files of one checkpoint.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use gwae_formats::atomic::{FileError, sync_directory};
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::regular_file::open_regular;

/// The record of one file in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A file of a checkpoint in memory.
#[derive(Debug)]
pub struct CheckpointFile {
    /// The file, for messages.
    pub path: PathBuf,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Reads a file and checks that it is the recorded one; otherwise says what is wrong with it.
pub(super) fn read_recorded(path: &Path, record: &FileRecord) -> Result<Vec<u8>, String> {
    let read = || {
        let (file, found) = open_regular(path)?;
        // Length first: the check is free, and a cut file is the most likely damage.
        let expected = record.bytes;
        if found != expected {
            return Err(io::Error::other(format!(
                "{found} bytes instead of {expected}"
            )));
        }
        let mut bytes = Vec::new();
        file.take(expected).read_to_end(&mut bytes)?;
        if hexadecimal(&Sha256::digest(&bytes)) != record.sha256 {
            return Err(io::Error::other("its contents were altered"));
        }
        Ok(bytes)
    };
    read().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "missing".into(),
        _ => error.to_string(),
    })
}

pub(super) fn is_plain_name(name: &str) -> bool {
    Path::new(name)
        .file_name()
        .is_some_and(|plain| plain == name)
}

pub(super) fn remove_directory(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::on("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Forces every file of a new checkpoint to the disk, and returns the records of the files.
pub(super) fn sync_and_record(directory: &Path) -> Result<BTreeMap<String, FileRecord>, FileError> {
    // Windows only syncs files that are open for writing.
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true);
    let files = record_files(directory, "write", options, File::sync_all)?;
    sync_directory(directory).map_err(FileError::on("write", directory))?;
    Ok(files)
}

/// The records of a checkpoint's files as they are now.
pub(super) fn record(directory: &Path) -> Result<BTreeMap<String, FileRecord>, FileError> {
    record_files(directory, "read", OpenOptions::new().read(true), |_| Ok(()))
}

fn record_files(
    directory: &Path,
    action: &'static str,
    options: &OpenOptions,
    sync: impl Fn(&File) -> io::Result<()>,
) -> Result<BTreeMap<String, FileRecord>, FileError> {
    let failed = |error| FileError::on("read", directory)(error);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let record = || {
            if !entry.file_type()?.is_file() {
                return Err(io::Error::other("a checkpoint holds plain files only"));
            }
            let file = options.open(&path)?;
            sync(&file)?;
            let bytes = file.metadata()?.len();
            let sha256 = sha256(file)?;
            Ok(FileRecord { bytes, sha256 })
        };
        let record = record().map_err(FileError::on(action, &path))?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), record);
    }
    Ok(files)
}

fn sha256(mut file: File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    let digest = hasher.finalize();
    Ok(hexadecimal(&digest))
}
