//! Checkpoints that a crash, a full disk or a damaged file cannot turn into a lost run.
//!
//! A checkpoint is a directory of plain files, `step-00000500`. It is written under a temporary
//! name, forced to the disk and renamed; then `index.json`, which names the last and the best one
//! with the length and SHA-256 of every file, is replaced; only then are directories removed that
//! the index no longer names. So the index names whole checkpoints at every moment. Where it is not
//! there, it is made anew from the directories, without a check of what is in them.

mod files;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic::{FileError, sync_directory, write_atomically};

pub use files::FileRecord;
use files::{is_plain_name, record, remove_directory, sha256, sync_and_record};

const INDEX: &str = "index.json";
const FORMAT: u32 = 1;

/// One checkpoint, as the index names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointEntry {
    /// Main steps done.
    pub step: u64,
    /// Name of its directory.
    pub directory: String,
    /// Validation loss, where it was measured at this step.
    pub validation_loss: Option<f64>,
    /// Its files by name.
    pub files: BTreeMap<String, FileRecord>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Index {
    format: u32,
    last: Option<CheckpointEntry>,
    best: Option<CheckpointEntry>,
}

/// One of the two checkpoints that a store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest one, to resume from.
    Last,
    /// The one with the lowest validation loss, to use.
    Best,
}

impl Which {
    fn other(self) -> Self {
        match self {
            Self::Last => Self::Best,
            Self::Best => Self::Last,
        }
    }
}

impl Display for Which {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Last => "last",
            Self::Best => "best",
        })
    }
}

/// What a new checkpoint is kept as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeepAs {
    /// The last one.
    Last,
    /// The last one and, with this validation loss, the best one.
    LastAndBest {
        /// The validation loss that makes it the best one.
        validation_loss: f64,
    },
}

/// A checkpoint that cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The index is not what was written.
    #[error("{} is damaged ({problem}): restore it from a copy; the checkpoints beside it were left alone", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of a checkpoint is not what was written.
    #[error("{} is damaged ({problem}); {way_out}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// Which other checkpoint is still good.
        way_out: String,
    },
    /// Nothing was saved yet.
    #[error("{} holds no {which} checkpoint: {reason}", directory.display())]
    Missing {
        /// The directory of all checkpoints.
        directory: PathBuf,
        /// Which one was asked for.
        which: Which,
        /// Why there is none.
        reason: &'static str,
    },
}

/// A checkpoint that was not saved; the ones before it are as they were.
#[derive(Debug, thiserror::Error)]
pub enum SaveError<E: Display> {
    /// The caller's function failed.
    #[error(
        "the checkpoint of step {step} was not saved, what was saved before is intact: {cause}"
    )]
    Contents {
        /// The step.
        step: u64,
        /// What the function returned.
        cause: E,
    },
    /// The file system failed.
    #[error(
        "the checkpoint of step {step} was not saved, what was saved before is intact: {cause}"
    )]
    File {
        /// The step.
        step: u64,
        /// What failed.
        cause: FileError,
    },
}

/// The checkpoints of one run: the last and the best one.
#[derive(Debug)]
pub struct CheckpointStore {
    root: PathBuf,
    index: Index,
}

impl CheckpointStore {
    /// Reads the index in `root`. Where there is none, the checkpoints that lie there count: the one
    /// of the most steps as the last, another one, or else the same, as the best, whose validation
    /// loss is not known. Writes nothing.
    ///
    /// # Errors
    ///
    /// Names the index, or else the checkpoint, when it cannot be read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let root = root.into();
        let path = root.join(INDEX);
        let damaged = |problem| CheckpointError::Index {
            path: path.clone(),
            problem,
        };
        let index = match fs::read(&path) {
            Ok(text) => {
                let index: Index =
                    serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
                if index.format != FORMAT {
                    let problem = format!("format {} instead of {FORMAT}", index.format);
                    return Err(damaged(problem));
                }
                let named = index.last.iter().chain(&index.best);
                // Nothing outside this directory is ever read because an index says so.
                let mut names = named.flat_map(|entry| {
                    std::iter::once(entry.directory.as_str())
                        .chain(entry.files.keys().map(String::as_str))
                });
                if let Some(name) = names.find(|name| !is_plain_name(name)) {
                    return Err(damaged(format!("`{name}` is no plain file name")));
                }
                index
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => index_of_what_is_there(&root)?,
            Err(error) => return Err(FileError::on("read", path)(error).into()),
        };
        Ok(Self { root, index })
    }

    /// What the index says of a checkpoint.
    pub fn entry(&self, which: Which) -> Option<&CheckpointEntry> {
        match which {
            Which::Last => self.index.last.as_ref(),
            Which::Best => self.index.best.as_ref(),
        }
    }

    /// Saves a checkpoint: `write` puts its files, plain ones, into the directory it is given.
    ///
    /// # Errors
    ///
    /// When `write` or the file system fails; the checkpoints before are then as they were, and
    /// of the new one nothing is left.
    pub fn save<E: Display>(
        &mut self,
        step: u64,
        keep: KeepAs,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), SaveError<E>> {
        let failed = |cause| SaveError::File { step, cause };
        let name = self.free_name(step);
        let temporary = self.root.join(format!("{name}.tmp"));
        let directory = self.root.join(&name);
        // Left by a crash, and named by no index.
        for path in [&temporary, &directory] {
            remove_directory(path).map_err(failed)?;
        }
        fs::create_dir_all(&temporary)
            .map_err(FileError::on("create", &temporary))
            .map_err(failed)?;
        let mut litter = Litter(vec![temporary.clone(), directory.clone()]);
        write(&temporary).map_err(|cause| SaveError::Contents { step, cause })?;
        let files = sync_and_record(&temporary).map_err(failed)?;
        fs::rename(&temporary, &directory)
            .and_then(|()| sync_directory(&self.root))
            .map_err(FileError::on("rename", &temporary))
            .map_err(failed)?;

        let entry = |validation_loss| CheckpointEntry {
            step,
            directory: name.clone(),
            validation_loss,
            files: files.clone(),
        };
        let mut index = self.index.clone();
        match keep {
            KeepAs::Last => index.last = Some(entry(None)),
            KeepAs::LastAndBest { validation_loss } => {
                index.last = Some(entry(Some(validation_loss)));
                index.best = index.last.clone();
            }
        }
        self.write_index(index).map_err(failed)?;
        litter.0.clear();
        self.remove_unnamed();
        Ok(())
    }

    /// The directory of a checkpoint, after every file was compared with its length and SHA-256.
    ///
    /// # Errors
    ///
    /// When there is none, or a file is missing, cut or altered: names the file, and says whether
    /// the other checkpoint is still good.
    pub fn verified(&self, which: Which) -> Result<(PathBuf, &CheckpointEntry), CheckpointError> {
        let entry = self.entry(which).ok_or_else(|| self.missing(which))?;
        let Err((file, problem)) = self.verify(entry) else {
            return Ok((self.root.join(&entry.directory), entry));
        };
        let other = self.entry(which.other());
        let other = other.filter(|other| other.directory != entry.directory);
        let way_out = match other {
            Some(other) if self.verify(other).is_ok() => format!(
                "the {0} checkpoint (step {1}) is intact: use that one (--checkpoint {0})",
                which.other(),
                other.step
            ),
            _ => {
                "no other checkpoint is intact: restore the file from a copy, or train anew".into()
            }
        };
        Err(CheckpointError::Damaged {
            file,
            problem,
            way_out,
        })
    }

    fn missing(&self, which: Which) -> CheckpointError {
        CheckpointError::Missing {
            directory: self.root.clone(),
            which,
            reason: if self.index.last.is_some() {
                "no validation says which one it would be; use the last"
            } else {
                "the run stopped before it saved one"
            },
        }
    }

    fn verify(&self, entry: &CheckpointEntry) -> Result<(), (PathBuf, String)> {
        let directory = self.root.join(&entry.directory);
        let paths = || {
            entry
                .files
                .iter()
                .map(|(n, record)| (directory.join(n), record))
        };
        // Lengths first: they cost nothing, and a cut file is the likely damage.
        for (path, record) in paths() {
            let problem = match fs::metadata(&path) {
                Ok(found) if found.len() == record.bytes => continue,
                Ok(found) => format!("{} bytes instead of {}", found.len(), record.bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => "missing".into(),
                Err(error) => error.to_string(),
            };
            return Err((path, problem));
        }
        for (path, record) in paths() {
            match File::open(&path).and_then(sha256) {
                Ok(found) if found == record.sha256 => {}
                Ok(_) => return Err((path, "its contents were altered".into())),
                Err(error) => return Err((path, error.to_string())),
            }
        }
        Ok(())
    }

    /// `step-00000500`, or with a number behind it where the index names that one already.
    fn free_name(&self, step: u64) -> String {
        let name = format!("step-{step:08}");
        std::iter::once(name.clone())
            .chain((2..).map(|number| format!("{name}-{number}")))
            .find(|name| !self.names(name))
            .unwrap_or(name)
    }

    fn names(&self, directory: &str) -> bool {
        let mut named = self.index.last.iter().chain(&self.index.best);
        named.any(|entry| entry.directory == directory)
    }

    fn write_index(&mut self, index: Index) -> Result<(), FileError> {
        let path = self.root.join(INDEX);
        let mut text = serde_json::to_vec_pretty(&index)
            .map_err(|error| FileError::on("write", &path)(error.into()))?;
        text.push(b'\n');
        write_atomically(&path, &text)?;
        self.index = index;
        Ok(())
    }

    /// Removes the checkpoints that the index does not name. A failure only leaves litter, which
    /// the next save tries to remove again.
    fn remove_unnamed(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if is_checkpoint_name(name)
                && !self.names(name)
                && let Err(error) = remove_directory(&entry.path())
            {
                tracing::warn!("{error}");
            }
        }
    }
}

/// An index in place of one that was lost, or not yet written when the process ended. Directories get
/// their names when they are whole.
fn index_of_what_is_there(root: &Path) -> Result<Index, CheckpointError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        entries => Some(entries.map_err(FileError::on("read", root))?),
    };
    let names = entries.into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (step, copy) = step_and_copy(&name)?;
        entry.path().is_dir().then_some((step, copy, name))
    });
    let mut found: Vec<(u64, u64, String)> = names.collect();
    found.sort_unstable();
    let mut newest = found.into_iter().rev().map(|(step, _, directory)| {
        Ok::<_, CheckpointError>(CheckpointEntry {
            step,
            files: record(&root.join(&directory))?,
            directory,
            validation_loss: None,
        })
    });
    let last = newest.next().transpose()?;
    Ok(Index {
        format: FORMAT,
        // A single one may be both.
        best: newest.next().transpose()?.or_else(|| last.clone()),
        last,
    })
}

/// The step that a whole checkpoint's name says, and the number behind it, if there is one.
fn step_and_copy(name: &str) -> Option<(u64, u64)> {
    let number = name
        .strip_prefix("step-")
        .filter(|_| is_checkpoint_name(name))?;
    let (step, copy) = number.split_once('-').unwrap_or((number, "1"));
    Some((step.parse().ok()?, copy.parse().ok()?))
}

/// Whether a directory was named by [`CheckpointStore::free_name`], finished or not. Anything else,
/// such as a user's copy, is left alone.
fn is_checkpoint_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.strip_suffix(".tmp").unwrap_or(name);
    let Some(number) = name.strip_prefix("step-") else {
        return false;
    };
    match number.split_once('-') {
        Some((step, copy)) => digits(step) && digits(copy),
        None => digits(number),
    }
}

/// Directories that are removed when a save fails.
struct Litter(Vec<PathBuf>);

impl Drop for Litter {
    fn drop(&mut self) {
        for path in &self.0 {
            if let Err(error) = remove_directory(path) {
                tracing::warn!("{error}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
