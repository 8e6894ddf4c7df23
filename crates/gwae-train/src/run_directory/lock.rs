//! The lock on a directory that a process writes to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use gwae_formats::atomic::FileError;
use same_file::Handle;

use super::error::RunDirectoryError;

/// Name of the lock file in a directory that a process writes to.
pub const LOCK: &str = "run.lock";

/// Keeps other processes out of a directory until it is dropped. The system also releases it when
/// the process ends in any way.
///
/// The lock is on the file [`LOCK`], and where the system can lock directories, as Linux and macOS
/// can, on the directory too. So a lost lock file lets no second process in. Elsewhere
/// [`Self::check`] makes a lost file anew, or says that another process was faster. On file systems
/// without locks it keeps nobody out.
#[derive(Debug)]
pub struct DirectoryLock {
    path: PathBuf,
    directory: Handle,
    file: Handle,
}

impl DirectoryLock {
    /// Locks the directory at `path`, which must exist.
    ///
    /// # Errors
    /// When another process has the lock, or the file cannot be created.
    pub fn take(path: &Path) -> Result<Self, RunDirectoryError> {
        let directory = Handle::from_path(path).map_err(FileError::on("open", path))?;
        match directory.as_file().try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(RunDirectoryError::InUse(path.to_owned()));
            }
            // The file is the lock where directories cannot be locked.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(Self {
            // The file is always empty: whatever is in it is no part of a run.
            file: locked(path, OpenOptions::new().create(true).truncate(true))?,
            path: path.to_owned(),
            directory,
        })
    }

    /// Whether the path still leads to the locked directory.
    pub fn is_in_place(&self) -> bool {
        Handle::from_path(&self.path).is_ok_and(|found| found == self.directory)
    }

    /// Checks that the path still leads to the locked directory, and makes a lost lock file anew.
    ///
    /// # Errors
    /// When the directory was removed, renamed or replaced, or another process has locked it.
    pub fn check(&mut self) -> Result<(), RunDirectoryError> {
        match Handle::from_path(&self.path) {
            Ok(found) if found == self.directory => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FileError::on("open", &self.path)(error).into());
            }
            _ => return Err(RunDirectoryError::Gone(self.path.clone())),
        }
        let file = self.path.join(LOCK);
        match Handle::from_path(&file) {
            Ok(found) if found == self.file => Ok(()),
            Ok(_) => Err(RunDirectoryError::InUse(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.file = locked(&self.path, OpenOptions::new().create_new(true))?;
                Ok(())
            }
            Err(error) => Err(FileError::on("open", file)(error).into()),
        }
    }
}

/// The lock file in `directory`, locked.
fn locked(directory: &Path, options: &mut OpenOptions) -> Result<Handle, RunDirectoryError> {
    let path = directory.join(LOCK);
    // Opening a pipe would wait for its reader.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        let problem = io::Error::other("it is not a regular file; remove it");
        return Err(FileError::on("open", &path)(problem).into());
    }
    let file: File = match options.write(true).open(&path) {
        // Another process has just made it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(RunDirectoryError::InUse(directory.to_owned()));
        }
        file => file.map_err(FileError::on("create", &path))?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(RunDirectoryError::InUse(directory.to_owned()));
        }
        Err(TryLockError::Error(error)) => {
            tracing::warn!("{} cannot be locked: {error}", path.display());
        }
    }
    Ok(Handle::from_file(file).map_err(FileError::on("open", path))?)
}
