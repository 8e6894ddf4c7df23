//! Checkpoints that survive crashes, full disks and damaged files.
//!
//! A checkpoint is a directory of plain files, such as `step-00000500`. It is written in this
//! order:
//!
//! 1. The directory is written under a temporary name, forced to the disk and renamed.
//! 2. `index.json` is replaced. It names the last checkpoint, the best one and the newest ones
//!    before the last, with the length and SHA-256 of every file.
//! 3. Directories that the index no longer names are removed.
//!
//! So the index names complete checkpoints at every moment. If it is missing, it is rebuilt from
//! the directories; their contents are then not checked.
//!
//! A checkpoint holds the identity of its run (`run.txt`), so that one that was copied from another
//! run is refused.
//!
//! A run can be read while another process trains it. What is read is checked in memory, and used
//! from there. If the other process has removed the checkpoint meanwhile, the index is read again.

mod files;
mod owner;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use gwae_formats::atomic::{FileError, sync_directory, write_atomically};
use gwae_formats::bounded_file::read_bytes;
use gwae_formats::one_line::shortened;

use crate::monitor::Goal;

pub use files::{CheckpointFile, FileRecord};
use files::{is_plain_name, read_recorded, record, remove_directory, sync_and_record};
use owner::{IDENTITY, Owner};

const INDEX: &str = "index.json";
const FORMAT: u32 = 1;
/// Longest index: 16 MiB. An entry takes a few hundred bytes.
const LONGEST_INDEX: u64 = 1 << 24;

/// One checkpoint in the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointEntry {
    /// Main steps done.
    pub step: u64,
    /// Name of the directory.
    pub directory: String,
    /// The monitored value; only for a checkpoint that was the best one when it was saved.
    #[serde(alias = "validation_loss")]
    pub monitored: Option<f64>,
    /// Its files by name.
    pub files: BTreeMap<String, FileRecord>,
}

/// The contents of a checkpoint, checked against the index.
#[derive(Debug)]
pub struct Checkpoint {
    /// The name that it was read by.
    pub which: Which,
    /// Main steps done.
    pub step: u64,
    directory: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl Checkpoint {
    /// The directory that it was read from. Another process may have removed it since.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Takes out a file by its name.
    ///
    /// # Errors
    ///
    /// When the checkpoint does not have the file, or it was not read.
    pub fn take(&mut self, name: &str) -> Result<CheckpointFile, FileError> {
        let path = self.directory.join(name);
        match self.files.remove(name) {
            Some(bytes) => Ok(CheckpointFile { path, bytes }),
            None => Err(FileError::on("read", path)(io::ErrorKind::NotFound.into())),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Index {
    format: u32,
    last: Option<CheckpointEntry>,
    best: Option<CheckpointEntry>,
    /// The newest ones before the last, newest first.
    #[serde(default)]
    kept: Vec<CheckpointEntry>,
}

impl Index {
    /// Every checkpoint, the last one first. The best one may appear twice.
    fn entries(&self) -> impl Iterator<Item = &CheckpointEntry> {
        self.last.iter().chain(&self.kept).chain(&self.best)
    }
}

/// Selects one of the checkpoints of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest one, to resume from.
    Last,
    /// The one with the best monitored value, to use.
    Best,
    /// The one after this step.
    Step(u64),
}

/// The name that [`Which::from_str`] reads: `last`, `best` or the step.
impl Display for Which {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Last => formatter.pad("last"),
            Self::Best => formatter.pad("best"),
            Self::Step(step) => formatter.pad(&step.to_string()),
        }
    }
}

/// A text that does not name a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no checkpoint: give `last`, `best` or a step, such as 500")]
pub struct WhichError(String);

impl FromStr for Which {
    type Err = WhichError;

    fn from_str(name: &str) -> Result<Self, WhichError> {
        match name {
            "last" => Ok(Self::Last),
            "best" => Ok(Self::Best),
            step => {
                let step = step.parse().map_err(|_| WhichError(step.to_owned()))?;
                Ok(Self::Step(step))
            }
        }
    }
}

/// The role of a new checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeepAs {
    /// The last one.
    Last,
    /// The last one and, with this monitored value, also the best one.
    LastAndBest {
        /// The value that makes it the best one.
        monitored: f64,
    },
}

/// A checkpoint that cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The index is damaged.
    #[error("{} is damaged ({problem}): restore it from a copy; the checkpoints beside it were left alone", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of a checkpoint is damaged.
    #[error("{} is damaged ({problem}); {way_out}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// Which other checkpoint is still good.
        way_out: String,
    },
    /// The checkpoint belongs to another run.
    #[error("{} is a checkpoint of another run ({problem}); {way_out}", directory.display())]
    OtherRun {
        /// Its directory.
        directory: PathBuf,
        /// The two identities.
        problem: String,
        /// Which checkpoint of this run is still good.
        way_out: String,
    },
    /// The checkpoint does not exist.
    #[error("{} holds no {}: {reason}", directory.display(), described(*.which))]
    Missing {
        /// The directory of all checkpoints.
        directory: PathBuf,
        /// Which one was requested.
        which: Which,
        /// Why it does not exist.
        reason: String,
    },
}

/// A checkpoint could not be saved; the earlier ones are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum SaveError<E: Display> {
    /// The caller's function failed.
    #[error(
        "the checkpoint of step {step} was not saved, what was saved before is intact: {cause}"
    )]
    Contents {
        /// The step.
        step: u64,
        /// The error that the function returned.
        cause: E,
    },
    /// The file system failed.
    #[error(
        "the checkpoint of step {step} was not saved, what was saved before is intact: {cause}"
    )]
    File {
        /// The step.
        step: u64,
        /// The failure.
        cause: FileError,
    },
}

fn described(which: Which) -> String {
    match which {
        Which::Last | Which::Best => format!("{which} checkpoint"),
        Which::Step(step) => format!("checkpoint of step {step}"),
    }
}

/// The checkpoints of one run: the newest ones, including the last, and the best one.
#[derive(Debug)]
pub struct CheckpointStore {
    root: PathBuf,
    index: Index,
    keep: usize,
    owner: Owner,
}

/// Why a checkpoint cannot be used.
enum Unusable {
    /// This file is damaged.
    Damaged(PathBuf, String),
    /// The checkpoint in this directory is of another run.
    OtherRun(PathBuf, String),
}

impl Unusable {
    fn error(self, way_out: String) -> CheckpointError {
        match self {
            Self::Damaged(file, problem) => CheckpointError::Damaged {
                file,
                problem,
                way_out,
            },
            Self::OtherRun(directory, problem) => CheckpointError::OtherRun {
                directory,
                problem,
                way_out,
            },
        }
    }
}

impl CheckpointStore {
    /// Reads the index in `root`. Without an index, the checkpoints in `root` count: the one with
    /// the most steps is the last. The one with the fewest is the best, because only the best one
    /// is kept when it is older than the newest ones; its monitored value is then unknown. Writes
    /// nothing.
    ///
    /// The store keeps one newest checkpoint unless [`Self::with_keep`] changes that.
    ///
    /// # Errors
    ///
    /// Names the index or the checkpoint that cannot be read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let root = root.into();
        Ok(Self {
            index: read_index(&root)?,
            root,
            keep: 1,
            owner: Owner::Any,
        })
    }

    /// The same store, but it marks new checkpoints with the identity of a run, and refuses those
    /// of other runs. `None` is a run that an earlier version began, without an identity.
    pub fn of_run(self, identity: Option<String>) -> Self {
        let owner = Owner::Run(identity);
        Self { owner, ..self }
    }

    /// The same store, but it keeps the `keep` newest checkpoints (including the last) and the best
    /// one. 0 means 1. The next save removes the others.
    pub fn with_keep(self, keep: usize) -> Self {
        Self { keep, ..self }
    }

    /// The index entry of a checkpoint.
    pub fn entry(&self, which: Which) -> Option<&CheckpointEntry> {
        match which {
            Which::Last => self.index.last.as_ref(),
            Which::Best => self.index.best.as_ref(),
            Which::Step(step) => self.index.entries().find(|entry| entry.step == step),
        }
    }

    /// The checkpoint to use: the best one, or the last one if no validation has chosen a best one
    /// yet.
    pub fn best_or_last(&self) -> Which {
        match self.index.best {
            Some(_) => Which::Best,
            None => Which::Last,
        }
    }

    /// Every checkpoint once: the newest ones, newest first, then the best one if it is not among
    /// them.
    pub fn entries(&self) -> Vec<&CheckpointEntry> {
        let mut entries: Vec<&CheckpointEntry> = Vec::new();
        for entry in self.index.entries() {
            if !entries
                .iter()
                .any(|known| known.directory == entry.directory)
            {
                entries.push(entry);
            }
        }
        entries
    }

    /// The role of a checkpoint with this monitored value. It is the best one if the value is
    /// finite and strictly better than the best so far. `known` is the best value so far, in case a
    /// rebuilt index does not have it.
    pub fn keep_as(&self, monitored: f64, goal: Goal, known: Option<f64>) -> KeepAs {
        let best = self.entry(Which::Best);
        let best = best.and_then(|best| best.monitored.or(known));
        if goal.is_better(monitored, best) {
            KeepAs::LastAndBest { monitored }
        } else {
            KeepAs::Last
        }
    }

    /// Saves a checkpoint. `write` puts plain files into the directory that it receives.
    ///
    /// # Errors
    ///
    /// When `write` or the file system fails. The earlier checkpoints are then unchanged, and
    /// nothing of the new one remains.
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
        // Leftovers of a crash; no index names them.
        for path in [&temporary, &directory] {
            remove_directory(path).map_err(failed)?;
        }
        // The run directory above must exist: if it was removed, it is not made anew.
        match fs::create_dir(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(FileError::on("create", &self.root)(error)));
            }
            _ => {}
        }
        fs::create_dir(&temporary)
            .map_err(FileError::on("create", &temporary))
            .map_err(failed)?;
        let mut litter = Litter(vec![temporary.clone(), directory.clone()]);
        write(&temporary).map_err(|cause| SaveError::Contents { step, cause })?;
        self.owner.mark(&temporary).map_err(failed)?;
        let files = sync_and_record(&temporary).map_err(failed)?;
        fs::rename(&temporary, &directory)
            .and_then(|()| sync_directory(&self.root))
            .map_err(FileError::on("rename", &temporary))
            .map_err(failed)?;

        let entry = |monitored| CheckpointEntry {
            step,
            directory: name.clone(),
            monitored,
            files: files.clone(),
        };
        let mut index = self.index.clone();
        let older = index.last.take().into_iter().chain(index.kept);
        // The new checkpoint replaces an old one of the same step.
        let older = older.filter(|old| old.step != step);
        index.kept = older.take(self.keep.saturating_sub(1)).collect();
        match keep {
            KeepAs::Last => index.last = Some(entry(None)),
            KeepAs::LastAndBest { monitored } => {
                index.last = Some(entry(Some(monitored)));
                index.best = index.last.clone();
            }
        }
        self.write_index(index).map_err(failed)?;
        litter.0.clear();
        self.remove_unnamed();
        Ok(())
    }

    /// Reads all files of a checkpoint.
    ///
    /// # Errors
    ///
    /// When the checkpoint does not exist, or a file is missing, cut short or altered. The error
    /// names the file and another checkpoint that is still good.
    pub fn read(&mut self, which: Which) -> Result<Checkpoint, CheckpointError> {
        self.read_files(|_| which, |_, _| true)
    }

    /// As [`Self::read`], but reads only the files that `wanted` chooses, and decides `which` anew
    /// if the index has changed meanwhile.
    pub(crate) fn read_files(
        &mut self,
        which: impl Fn(&Self) -> Which,
        wanted: impl Fn(&CheckpointEntry, &str) -> bool,
    ) -> Result<Checkpoint, CheckpointError> {
        loop {
            let which = which(self);
            let entry = self.entry(which).ok_or_else(|| self.missing(which))?;
            let unusable = match self.contents(entry, &wanted) {
                Ok(files) => {
                    return Ok(Checkpoint {
                        which,
                        step: entry.step,
                        directory: self.root.join(&entry.directory),
                        files,
                    });
                }
                Err(unusable) => unusable,
            };
            // A process that trains removes checkpoints, but first it replaces the index.
            let index = read_index(&self.root)?;
            if index == self.index {
                return Err(unusable.error(self.way_out(entry)));
            }
            self.index = index;
        }
    }

    /// The files of a checkpoint, or why it cannot be used.
    fn contents(
        &self,
        entry: &CheckpointEntry,
        wanted: impl Fn(&CheckpointEntry, &str) -> bool,
    ) -> Result<BTreeMap<String, Vec<u8>>, Unusable> {
        let directory = self.root.join(&entry.directory);
        let read = |name: &str, record: &FileRecord| {
            let path = directory.join(name);
            read_recorded(&path, record).map_err(|problem| Unusable::Damaged(path, problem))
        };
        // The identity first: the other files may be large.
        if self.owner.asks()
            && let Some(record) = entry.files.get(IDENTITY)
        {
            let checked = self.owner.check(&read(IDENTITY, record)?);
            checked.map_err(|problem| Unusable::OtherRun(directory.clone(), problem))?;
        }
        let files = entry.files.iter().filter(|(name, _)| wanted(entry, name));
        files
            .map(|(name, record)| Ok((name.clone(), read(name, record)?)))
            .collect()
    }

    /// Which checkpoint to use in place of the damaged `entry`.
    fn way_out(&self, entry: &CheckpointEntry) -> String {
        let others = self.entries().into_iter();
        let mut others = others.filter(|other| other.directory != entry.directory);
        let Some(other) = others.find(|other| self.contents(other, |_, _| true).is_ok()) else {
            return "no other checkpoint is intact: restore the file from a copy, or train anew"
                .into();
        };
        let name = self.name_of(other);
        let step = match name {
            Which::Last | Which::Best => format!(" (step {})", other.step),
            Which::Step(_) => String::new(),
        };
        format!(
            "the {}{step} is intact: use that one (--checkpoint {name})",
            described(name)
        )
    }

    fn name_of(&self, entry: &CheckpointEntry) -> Which {
        let is = |which| {
            self.entry(which)
                .is_some_and(|named| named.directory == entry.directory)
        };
        let names = [Which::Best, Which::Last];
        let name = names.into_iter().find(|which| is(*which));
        name.unwrap_or(Which::Step(entry.step))
    }

    fn missing(&self, which: Which) -> CheckpointError {
        let reason = match which {
            _ if self.index.last.is_none() => "the run stopped before it saved one".into(),
            Which::Step(_) => {
                let mut steps: Vec<u64> = self.entries().iter().map(|entry| entry.step).collect();
                steps.sort_unstable();
                steps.dedup();
                let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
                format!("the steps of those that it holds are {}", steps.join(", "))
            }
            Which::Last | Which::Best => {
                "no validation says which one it would be; use the last".into()
            }
        };
        CheckpointError::Missing {
            directory: self.root.clone(),
            which,
            reason,
        }
    }

    /// `step-00000500`, with a number appended if the index already uses that name.
    fn free_name(&self, step: u64) -> String {
        let name = format!("step-{step:08}");
        std::iter::once(name.clone())
            .chain((2..).map(|number| format!("{name}-{number}")))
            .find(|name| !self.names(name))
            .unwrap_or(name)
    }

    fn names(&self, directory: &str) -> bool {
        let mut named = self.index.entries();
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

    /// Removes the checkpoints that the index does not name. After a failure they stay, and the
    /// next save tries again.
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

/// Reads and checks the index in `root`, or rebuilds it if it is missing.
fn read_index(root: &Path) -> Result<Index, CheckpointError> {
    let path = root.join(INDEX);
    let damaged = |problem| CheckpointError::Index {
        path: path.clone(),
        problem,
    };
    let text = match read_bytes(&path, LONGEST_INDEX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match index_of_what_is_there(root) {
                // Another process has written its first index, and removed what it replaces.
                Err(_) if path.exists() => read_index(root),
                rebuilt => rebuilt,
            };
        }
        text => text.map_err(FileError::on("read", &path))?,
    };
    let index: Index = serde_json::from_slice(&text).map_err(|error| damaged(shortened(error)))?;
    if index.format != FORMAT {
        let problem = format!("format {} instead of {FORMAT}", index.format);
        return Err(damaged(problem));
    }
    // An index must not lead to files outside this directory.
    let mut names = index.entries().flat_map(|entry| {
        std::iter::once(entry.directory.as_str()).chain(entry.files.keys().map(String::as_str))
    });
    let outside = names.find(|name| !is_plain_name(name)).map(str::to_owned);
    drop(names);
    match outside {
        Some(name) => {
            let problem = format!("`{}` is no plain file name", shortened(name));
            Err(damaged(problem))
        }
        None => Ok(index),
    }
}

/// Builds an index when it is missing: it was lost, or the process ended before writing it. A
/// directory gets its final name only when it is complete.
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
    let newest_first = found.into_iter().rev().map(|(step, _, directory)| {
        Ok::<_, CheckpointError>(CheckpointEntry {
            step,
            files: record(&root.join(&directory))?,
            directory,
            monitored: None,
        })
    });
    let mut entries = newest_first.collect::<Result<Vec<_>, _>>()?.into_iter();
    let last = entries.next();
    let kept: Vec<CheckpointEntry> = entries.collect();
    Ok(Index {
        format: FORMAT,
        // A single checkpoint may be both.
        best: kept.last().or(last.as_ref()).cloned(),
        last,
        kept,
    })
}

/// The step in the name of a complete checkpoint, and the number appended to it, if any.
fn step_and_copy(name: &str) -> Option<(u64, u64)> {
    let number = name
        .strip_prefix("step-")
        .filter(|_| is_checkpoint_name(name))?;
    let (step, copy) = number.split_once('-').unwrap_or((number, "1"));
    Some((step.parse().ok()?, copy.parse().ok()?))
}

/// Whether [`CheckpointStore::free_name`] made this name, for a complete directory or not.
/// Everything else, such as a user's copy, is left alone.
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

/// Directories to remove when a save fails.
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
