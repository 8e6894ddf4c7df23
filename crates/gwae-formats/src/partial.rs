//! The unfinished form of a file, under another name. One process at a time writes it, and a later one can continue.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::atomic::rename_synced;
use crate::positioned_file::PositionedFile;

/// An open unfinished file. It keeps the content that an earlier process left.
#[derive(Debug)]
pub struct PartialFile {
    path: PathBuf,
    file: PositionedFile,
}

impl PartialFile {
    /// Opens the file with the name of `target` and `suffix` after it. Creates it if it is missing. If another
    /// process writes it, this call waits.
    ///
    /// Meanwhile that process may rename the file to `target`. So look for `target` after this call, not before
    /// it.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(target: &Path, suffix: &str) -> io::Result<Self> {
        let path = with_suffix(target, suffix);
        let file = open(&path)?;
        // Some network file systems have no locks. On them, only one process may write at a time.
        let _ = file.lock();
        Ok(Self {
            path,
            file: PositionedFile::new(file),
        })
    }

    /// Like [`PartialFile::open`], but `None` if another process writes the file.
    ///
    /// # Errors
    /// The same as [`PartialFile::open`].
    pub fn try_open(target: &Path, suffix: &str) -> io::Result<Option<Self>> {
        let path = with_suffix(target, suffix);
        let file = open(&path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Ok(None);
        }
        Ok(Some(Self {
            path,
            file: PositionedFile::new(file),
        }))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its content.
    pub fn content(&self) -> &PositionedFile {
        &self.file
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// If the system cannot tell it.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.file().metadata()?.len())
    }

    /// Removes all bytes after the first `length`.
    ///
    /// # Errors
    /// If the system cannot shorten the file.
    pub fn shorten(&self, length: u64) -> io::Result<()> {
        self.file.file().set_len(length)
    }

    /// Forces the content to the disk.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn sync(&self) -> io::Result<()> {
        self.file.file().sync_all()
    }

    /// Renames the file to `target`. Call [`PartialFile::sync`] first: the new name may reach the disk before
    /// the content does.
    ///
    /// # Errors
    /// If the file cannot be renamed.
    pub fn finish(self, target: &Path) -> io::Result<()> {
        rename_synced(&self.path, target)
    }

    /// Removes the file.
    ///
    /// # Errors
    /// If the file is there and cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for PartialFile {
    /// Closing the file may release the lock too late: if this process is starting another one, the new
    /// process holds a copy of every open file for a moment.
    fn drop(&mut self) {
        let _ = self.file.file().unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// `path` with `suffix` after its name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_writes() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        let open = || PartialFile::open(&target, ".part").unwrap();
        let first = open();
        first.content().write_all_at(b"half", 0).unwrap();
        let other = OpenOptions::new().write(true).open(first.path()).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(PartialFile::try_open(&target, ".part").unwrap().is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| open().length().unwrap());
            drop(first);
            assert_eq!(waiting.join().unwrap(), 4);
        });
        let second = open();
        drop(second);
        let second = PartialFile::try_open(&target, ".part").unwrap().unwrap();
        second.finish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"half");
        assert!(!with_suffix(&target, ".part").exists());
    }
}
