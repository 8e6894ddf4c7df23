//! The directory of one run, with a full record of the run.

mod error;
mod identity;
mod lock;
mod no_run;
mod record;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkpoint::{CheckpointError, CheckpointStore};
use crate::config::RunConfig;
use gwae_datasets::Dataset;
use gwae_datasets::config::DataConfigError;
use gwae_formats::atomic::{
    FileError, remove_all_temporaries, remove_temporaries, write_atomically,
};
use gwae_formats::bounded_file::read_bytes;
use gwae_formats::one_line::shortened;

use no_run::{CONFIG, RECORD, SPLIT};

pub use error::RunDirectoryError;
use identity::identity;
pub use lock::{DirectoryLock, LOCK};
pub use record::{BURN_VERSION, DataChange, Resumption, RunRecord, command_line};

pub(crate) const METRICS: &str = "metrics.jsonl";

/// What the creation of a run writes after its lock, the last first.
const FIRST_FILES: [&str; 3] = [RECORD, SPLIT, CONFIG];

/// Whether a directory has any entries. Results would overwrite them or mix with them.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn is_occupied(directory: &Path) -> io::Result<bool> {
    has_entry(directory, |_| true)
}

/// Like [`is_occupied`], but ignores the lock and temporary files of a run whose creation was cut
/// short.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn is_occupied_by_more_than_a_beginning(directory: &Path) -> io::Result<bool> {
    has_entry(directory, |name| {
        name != LOCK && !(name.starts_with('.') && name.ends_with(".tmp"))
    })
}

/// Whether a directory holds only what a run writes before its `run.json`. The lock file comes first:
/// a `config.toml` without it is a file of the user.
fn is_beginning(directory: &Path) -> io::Result<bool> {
    let is_ours = |name: &str| {
        [LOCK, CONFIG, SPLIT].contains(&name) || (name.starts_with('.') && name.ends_with(".tmp"))
    };
    Ok(directory.join(LOCK).is_file() && !has_entry(directory, |name| !is_ours(name))?)
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

/// The first of `base`, `base-2`, `base-3`, … that does not exist: a directory for a run without a
/// name.
pub fn free_directory(base: &Path) -> PathBuf {
    free_path(base, "")
}

/// Like [`free_directory`], for a file whose name ends in `ending`, such as `.png`.
pub fn free_path(base: &Path, ending: &str) -> PathBuf {
    let path = |number: String| {
        let mut name = base.as_os_str().to_owned();
        name.push(number + ending);
        PathBuf::from(name)
    };
    let numbers = (2..).map(|number| format!("-{number}"));
    std::iter::once(String::new())
        .chain(numbers)
        .map(path)
        .find(|path| !path.exists())
        .expect("numbers do not run out")
}

/// Facts that only the caller of [`RunDirectory::create`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDescription {
    /// Device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// The command line, program first.
    pub command_line: Vec<String>,
    /// Fingerprint of the dataset's images and factors.
    pub dataset_fingerprint: String,
}

/// Facts that only the caller of [`RunDirectory::create_imported`] knows.
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
/// Its creation writes `run.lock`, `config.toml`, `split.json` (not for an imported model) and
/// `run.json` in this order, each atomically. So a directory with a `run.json` is complete, and a
/// creation that was cut short is made anew.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    config: RunConfig,
    record: RunRecord,
    /// Held while the run may write.
    lock: Option<DirectoryLock>,
}

impl RunDirectory {
    /// Begins a run in a new or empty directory, or in one where a creation was cut short. `split` is
    /// the division of the images.
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
            identity: Some(identity(config, &description.dataset_fingerprint)?),
            dataset_fingerprint: Some(description.dataset_fingerprint),
            ..RunRecord::of(config, description.device, description.command_line)
        };
        Self::begin(path.into(), config, record, Some(split))
    }

    /// Makes a run directory for a model that was trained elsewhere. It has no split and no
    /// fingerprint of the training data.
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
            identity: Some(identity(config, &description.imported_from)?),
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
        let read = |error| FileError::on("read", &path)(error);
        if is_occupied(&path).map_err(read)? && !is_beginning(&path).map_err(read)? {
            return Err(RunDirectoryError::NotEmpty(path));
        }
        let lock = DirectoryLock::take(&path)?;
        // Again, because another process may have begun a run before this one got the lock.
        if !is_beginning(&path).map_err(read)? {
            return Err(RunDirectoryError::NotEmpty(path));
        }
        // What a creation left that was cut short. An imported model would keep its split.
        remove_files(&path, &FIRST_FILES);
        let lock = Some(lock);
        let run = Self {
            path,
            config: config.clone(),
            record,
            lock,
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

    /// Empties the directory again, so that the same command works once the disk has room. Only for
    /// runs that have just begun.
    pub fn abandon(self) {
        remove_files(&self.path, &FIRST_FILES);
        remove_files(&self.path, &[LOCK]);
        let _ = fs::remove_dir_all(self.checkpoints());
    }

    /// Whether a run was begun in a directory.
    pub fn is_begun(path: &Path) -> bool {
        path.join(RECORD).is_file()
    }

    /// Opens a run to read it.
    ///
    /// # Errors
    ///
    /// When the directory does not hold a run, or one of its files is damaged.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunDirectoryError> {
        Self::read(path.into(), None)
    }

    /// Opens a run to continue it. No other process can do so at the same time. Removes
    /// half-written files of killed processes.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and when another process is training in it.
    pub fn resume(path: impl Into<PathBuf>) -> Result<Self, RunDirectoryError> {
        let path = path.into();
        // Reads before it locks, so that a directory without a run gets no lock file.
        Self::open(&path)?;
        let lock = DirectoryLock::take(&path)?;
        let run = Self::read(path, Some(lock))?;
        for directory in [&run.path, &run.checkpoints()] {
            remove_all_temporaries(directory);
        }
        Ok(run)
    }

    /// Records that a session continues the run, perhaps with a changed configuration.
    ///
    /// # Errors
    ///
    /// When the files cannot be written; they are then unchanged.
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

    /// Records that the run goes on with other data, divided as `split` says.
    ///
    /// # Errors
    ///
    /// When the files cannot be written.
    pub(crate) fn record_data_change(
        &mut self,
        split: &impl Serialize,
        found: &str,
        step: u64,
    ) -> Result<DataChange, RunDirectoryError> {
        let before = self.record.dataset_fingerprint.replace(found.to_owned());
        let change = DataChange::now(step, before.unwrap_or_default(), found.to_owned());
        self.record.data_changes.push(change.clone());
        // If the process ends between the two, the record still refuses the new data.
        write_json(&self.path.join(SPLIT), split)?;
        write_json(&self.path.join(RECORD), &self.record)?;
        Ok(change)
    }

    /// Adds to an error about the directory of the data where it was said, and what to do if the data
    /// moved.
    pub fn explain_missing_data(&self, error: DataConfigError) -> RunDirectoryError {
        match error {
            DataConfigError::DirectoryMissing { .. } => RunDirectoryError::DataMissing {
                error,
                config: self.path.join(CONFIG),
            },
            other => RunDirectoryError::Config(other.into()),
        }
    }

    fn read(path: PathBuf, lock: Option<DirectoryLock>) -> Result<Self, RunDirectoryError> {
        if [RECORD, CONFIG]
            .iter()
            .any(|file| !path.join(file).is_file())
        {
            let explanation = no_run::explain(&path);
            return Err(RunDirectoryError::NoRun { path, explanation });
        }
        let record = read_json(&path.join(RECORD))?;
        let mut config = RunConfig::load(&path.join(CONFIG))?;
        config.data.restore_fit();
        Ok(Self {
            record,
            config,
            path,
            lock,
        })
    }

    /// Checks that the path still leads to this run, which is open for writing.
    ///
    /// # Errors
    ///
    /// When the directory was removed, renamed or replaced, or another process has locked it.
    pub fn check_place(&mut self) -> Result<(), RunDirectoryError> {
        if let Some(lock) = &mut self.lock {
            lock.check()?;
            // Another process may have replaced what is in the directory.
            match read_json::<RunRecord>(&self.path.join(RECORD)) {
                Ok(record) if record == self.record => {}
                _ => return Err(RunDirectoryError::Gone(self.path.clone())),
            }
        }
        Ok(())
    }

    /// The path of a file of the run, which is open for writing.
    ///
    /// # Errors
    ///
    /// When the path of the run leads elsewhere, as for [`Self::check_place`].
    #[cfg(feature = "pictures")]
    pub(crate) fn place_of(&self, name: &str) -> Result<PathBuf, RunDirectoryError> {
        match &self.lock {
            Some(lock) if !lock.is_in_place() => Err(RunDirectoryError::Gone(self.path.clone())),
            _ => Ok(self.path.join(name)),
        }
    }

    /// Checks that the run began with the same data. If they had the run's fingerprint only in an
    /// earlier version of this program, the record gets the present one, and the result is true.
    ///
    /// # Errors
    ///
    /// As [`Self::check_fingerprint`].
    pub(crate) fn check_data(&mut self, data: &dyn Dataset) -> Result<bool, RunDirectoryError> {
        let found = data.fingerprint();
        let expected = self.record.dataset_fingerprint.as_deref();
        if expected.is_some_and(|expected| expected != found && data.has_fingerprint(expected)) {
            self.record.dataset_fingerprint = Some(found);
            return Ok(true);
        }
        self.check_fingerprint(&found).map(|()| false)
    }

    /// Checks that the run began with data of this fingerprint.
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
    /// When the file is missing or damaged, and for an imported model, because it has no split.
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

    /// The settings at the start of the run.
    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log of all losses.
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// The directory of all checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The checkpoints of the run. Those of other runs are refused when they are read.
    ///
    /// # Errors
    /// As [`CheckpointStore::open`].
    pub fn open_checkpoints(&self) -> Result<CheckpointStore, CheckpointError> {
        let store = CheckpointStore::open(self.checkpoints())?;
        Ok(store.of_run(self.record.identity.clone()))
    }
}

/// Removes files of a directory, and what a killed process left while it wrote them.
fn remove_files(directory: &Path, names: &[&str]) {
    for name in names {
        let file = directory.join(name);
        let _ = fs::remove_file(&file);
        remove_temporaries(&file);
    }
}

/// Writes a value as indented JSON, atomically.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| FileError::on("write", path)(error.into()))?;
    text.push(b'\n');
    write_atomically(path, &text)
}

/// Longest JSON file of a run: 1 GiB, a division of some hundred million items.
const LONGEST_JSON: u64 = 1 << 30;

/// Reads a value that [`write_json`] wrote.
///
/// # Errors
/// When the file cannot be read or does not hold such a value.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunDirectoryError> {
    let text = read_bytes(path, LONGEST_JSON).map_err(FileError::on("read", path))?;
    serde_json::from_slice(&text).map_err(|error| RunDirectoryError::Damaged {
        path: path.to_owned(),
        problem: shortened(error),
    })
}

#[cfg(test)]
mod tests;
