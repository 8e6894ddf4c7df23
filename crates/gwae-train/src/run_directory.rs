//! The directory of one run, which says by itself how it came about.

mod error;
mod record;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic::{FileError, remove_all_temporaries, remove_temporaries, write_atomically};
use crate::config::RunConfig;

pub use error::RunDirectoryError;
pub(crate) use record::BURN_VERSION;
pub use record::{Resumption, RunRecord, command_line};

const CONFIG: &str = "config.toml";
const RECORD: &str = "run.json";
const SPLIT: &str = "split.json";
pub(crate) const LOCK: &str = "run.lock";

/// Whether there is something in a directory, so that results would overwrite or mix with it.
///
/// # Errors
/// When the directory is there and cannot be read.
pub fn is_occupied(directory: &Path) -> io::Result<bool> {
    has_entry(directory, |_| true)
}

/// As [`is_occupied`], but for what a beginning leaves that was cut short: a lock and temporary files.
///
/// # Errors
/// When the directory is there and cannot be read.
pub(crate) fn is_occupied_by_more_than_a_beginning(directory: &Path) -> io::Result<bool> {
    has_entry(directory, |name| {
        name != LOCK && !(name.starts_with('.') && name.ends_with(".tmp"))
    })
}

fn has_entry(directory: &Path, counts: impl Fn(&str) -> bool) -> io::Result<bool> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        if counts(&entry?.file_name().to_string_lossy()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first of `base`, `base-2`, `base-3`, … that does not exist: a place for a run that nobody
/// named.
pub fn free_directory(base: &Path) -> PathBuf {
    let numbered = (2..).map(|number| {
        let mut name = base.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    std::iter::once(base.to_owned())
        .chain(numbered)
        .find(|path| !path.exists())
        .expect("numbers do not run out")
}

/// What only the caller of [`RunDirectory::create`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDescription {
    /// Device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// The command line, program first.
    pub command_line: Vec<String>,
    /// Fingerprint of the dataset's images and factors.
    pub dataset_fingerprint: String,
}

/// What only the caller of [`RunDirectory::create_imported`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportDescription {
    /// The file that the model comes from.
    pub imported_from: String,
    /// Device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// The command line, program first.
    pub command_line: Vec<String>,
}

/// The directory of one run.
///
/// `config.toml`, `split.json` (not of an imported model) and `run.json` are written when it is created, in this order and
/// each atomically, so a directory with a `run.json` is complete.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    config: RunConfig,
    record: RunRecord,
    /// Held while the run may write; the system releases it when the process ends, however.
    _lock: Option<File>,
}

impl RunDirectory {
    /// Begins a run in a new or empty directory; `split` says which images are for what.
    ///
    /// # Errors
    ///
    /// When the directory is not empty, or cannot be written.
    pub fn create(
        path: impl Into<PathBuf>,
        config: &RunConfig,
        description: RunDescription,
        split: &impl Serialize,
    ) -> Result<Self, RunDirectoryError> {
        let record = RunRecord {
            dataset_fingerprint: Some(description.dataset_fingerprint),
            ..RunRecord::of(config, description.device, description.command_line)
        };
        Self::begin(path.into(), config, record, Some(split))
    }

    /// Makes a run directory for a model that was trained elsewhere: there is no split, and the
    /// fingerprint of what it was trained on is unknown.
    ///
    /// # Errors
    ///
    /// As [`Self::create`].
    pub fn create_imported(
        path: impl Into<PathBuf>,
        config: &RunConfig,
        description: ImportDescription,
    ) -> Result<Self, RunDirectoryError> {
        let record = RunRecord {
            imported_from: Some(description.imported_from),
            ..RunRecord::of(config, description.device, description.command_line)
        };
        Self::begin(path.into(), config, record, None::<&()>)
    }

    fn begin(
        path: PathBuf,
        config: &RunConfig,
        record: RunRecord,
        split: Option<&impl Serialize>,
    ) -> Result<Self, RunDirectoryError> {
        if path.is_file() {
            return Err(RunDirectoryError::IsFile(path));
        }
        fs::create_dir_all(&path).map_err(FileError::on("create", &path))?;
        if is_occupied(&path).map_err(FileError::on("read", &path))? {
            return Err(RunDirectoryError::NotEmpty(path));
        }
        let lock = lock(&path, OpenOptions::new().write(true).create_new(true))?;
        let run = Self {
            path,
            config: config.clone(),
            record,
            _lock: lock,
        };
        match run.write_first_files(split) {
            Ok(()) => Ok(run),
            Err(error) => {
                run.abandon();
                Err(error)
            }
        }
    }

    fn write_first_files(&self, split: Option<&impl Serialize>) -> Result<(), RunDirectoryError> {
        let config = self.config.to_toml()?;
        write_atomically(&self.path.join(CONFIG), config.as_bytes())?;
        if let Some(split) = split {
            write_json(&self.path.join(SPLIT), split)?;
        }
        Ok(write_json(&self.path.join(RECORD), &self.record)?)
    }

    /// Leaves the directory empty, as it was before, so that the same command works once there is
    /// room again. For runs that were only just begun.
    pub(crate) fn abandon(self) {
        Self::remove_first_files(&self.path);
        let _ = fs::remove_dir_all(self.checkpoints());
    }

    /// Whether a run was begun in a directory.
    pub(crate) fn is_begun(path: &Path) -> bool {
        path.join(RECORD).is_file()
    }

    /// Takes away what the creation of a run leaves, such as one that was cut short.
    pub(crate) fn remove_first_files(path: &Path) {
        for name in [RECORD, SPLIT, CONFIG, LOCK] {
            let file = path.join(name);
            let _ = fs::remove_file(&file);
            remove_temporaries(&file);
        }
    }

    /// Opens a run to look at it.
    ///
    /// # Errors
    ///
    /// When the directory holds no run, or one of its files is damaged.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunDirectoryError> {
        Self::read(path.into(), None)
    }

    /// Opens a run to go on with it: no other process can do so at the same time. What killed
    /// processes left half written is removed.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and when another process is training in it.
    pub fn resume(path: impl Into<PathBuf>) -> Result<Self, RunDirectoryError> {
        let path = path.into();
        // Looks before it locks, so that no lock file appears in a directory that is no run.
        Self::open(&path)?;
        let lock = lock(
            &path,
            OpenOptions::new().write(true).create(true).truncate(false),
        )?;
        let run = Self::read(path, lock)?;
        for directory in [&run.path, &run.checkpoints()] {
            remove_all_temporaries(directory);
        }
        Ok(run)
    }

    /// Notes that a session goes on with the run, with a configuration that may have changed.
    ///
    /// # Errors
    ///
    /// When the files cannot be written; they are then as they were.
    pub(crate) fn record_resumption(
        &mut self,
        config: &RunConfig,
        resumption: Resumption,
    ) -> Result<(), RunDirectoryError> {
        if *config != self.config {
            write_atomically(&self.path.join(CONFIG), config.to_toml()?.as_bytes())?;
            self.config = config.clone();
        }
        self.record.resumed.push(resumption);
        Ok(write_json(&self.path.join(RECORD), &self.record)?)
    }

    fn read(path: PathBuf, lock: Option<File>) -> Result<Self, RunDirectoryError> {
        for missing in [RECORD, CONFIG] {
            if !path.join(missing).is_file() {
                return Err(RunDirectoryError::NoRun { path, missing });
            }
        }
        Ok(Self {
            record: read_json(&path.join(RECORD))?,
            config: RunConfig::load(&path.join(CONFIG))?,
            path,
            _lock: lock,
        })
    }

    /// Checks that the data are those that the run began with.
    ///
    /// # Errors
    ///
    /// Names both fingerprints.
    pub fn check_fingerprint(&self, found: &str) -> Result<(), RunDirectoryError> {
        match &self.record.dataset_fingerprint {
            Some(expected) if expected == found => Ok(()),
            Some(expected) => Err(RunDirectoryError::OtherData {
                path: self.path.clone(),
                dataset: self.record.dataset.clone(),
                expected: expected.clone(),
                found: found.into(),
            }),
            None => Err(self.imported()),
        }
    }

    fn imported(&self) -> RunDirectoryError {
        let from = self.record.imported_from.clone();
        RunDirectoryError::Imported {
            path: self.path.clone(),
            imported_from: from.unwrap_or_else(|| "elsewhere".into()),
        }
    }

    /// The split that was stored when the run was created.
    ///
    /// # Errors
    ///
    /// When the file is missing or damaged, and for an imported model, which has none.
    pub fn split<S: DeserializeOwned>(&self) -> Result<S, RunDirectoryError> {
        if self.record.imported_from.is_some() {
            return Err(self.imported());
        }
        read_json(&self.path.join(SPLIT))
    }

    /// The resolved configuration.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// What the run was started with.
    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log of all losses.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The directory of all checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Picture: inputs above their reconstructions.
    pub fn reconstructions(&self) -> PathBuf {
        self.path.join("reconstructions.png")
    }

    /// Picture: decoded draws from the prior.
    pub fn samples(&self) -> PathBuf {
        self.path.join("samples.png")
    }

    /// Picture: what each latent entry changes.
    pub fn traversal(&self) -> PathBuf {
        self.path.join("traversal.png")
    }

    /// Picture: the loss curves.
    pub fn losses(&self) -> PathBuf {
        self.path.join("losses.png")
    }
}

/// Keeps other processes out of a directory. `None` on file systems without locks, where nothing is
/// to be done about it.
pub(crate) fn lock(
    directory: &Path,
    options: &OpenOptions,
) -> Result<Option<File>, RunDirectoryError> {
    let path = directory.join(LOCK);
    let file = match options.open(&path) {
        // Another process began a run here a moment ago.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(RunDirectoryError::InUse(directory.to_owned()));
        }
        result => result.map_err(FileError::on("create", &path))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(RunDirectoryError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => {
            tracing::warn!("{} cannot be locked: {error}", path.display());
            Ok(None)
        }
    }
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| FileError::on("write", path)(error.into()))?;
    text.push(b'\n');
    write_atomically(path, &text)
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunDirectoryError> {
    let text = fs::read(path).map_err(FileError::on("read", path))?;
    serde_json::from_slice(&text).map_err(|error| RunDirectoryError::Damaged {
        path: path.to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
