//! Atomic writing: after a crash, a file has its old or its new content, never a mixture.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// No process writes one file for longer than this.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Number of characters of a file's name that its temporary file repeats.
const LONGEST_START: usize = 50;

/// An operation on a file failed. The message names the operation, the file and the reason in one line.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {}", path.display(), describe(source))]
pub struct FileError {
    /// The operation, such as `write`.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: adds the action and the path to an I/O error.
    pub fn on(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            action,
            path,
            source,
        }
    }

    /// Whether the disk was full.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// Whether a write failed because there is no room: on the disk, in the quota, or below the limit on the size of
/// files.
pub fn is_out_of_room(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full; free some space and try again".into(),
        io::ErrorKind::QuotaExceeded => {
            "the disk quota is used up; free some space and try again".into()
        }
        io::ErrorKind::FileTooLarge => {
            "no file may grow that large here; raise the limit (`ulimit -f`) or choose another place"
                .into()
        }
        io::ErrorKind::NotFound => "there is no such file or directory".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; check its owner and access rights".into()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only; choose another place".into()
        }
        io::ErrorKind::NotADirectory => {
            "a part of this path is a file, not a directory; choose another place".into()
        }
        _ => error.to_string(),
    }
}

/// Replaces the content of `path`. After a crash at any moment, the file has its old or its new content.
///
/// # Errors
///
/// Names the file. The old content then remains, and no temporary file is left.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write_atomically_with(path, |file| file.write_all(contents))
}

/// Like [`write_atomically`], but a function writes the content.
///
/// # Errors
///
/// The same as [`write_atomically`], and any error of `write`.
pub fn write_atomically_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), FileError> {
    replace(path, write).map_err(FileError::on("write", path))
}

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut temporary = TemporaryFile::beside(path)?;
    write(&mut temporary.file)?;
    // The rename may reach the disk before the content does, so the content is synced first.
    temporary.file.sync_all()?;
    rename_synced(&temporary.path, path)?;
    temporary.renamed = true;
    Ok(())
}

/// Renames a file that is already on the disk to its final name. Then syncs the directory.
///
/// # Errors
/// The error of the rename. If the directory cannot be synced, this is only logged: the file is in place, but
/// its name may not survive a power failure.
pub fn rename_synced(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    if let Err(error) = sync_directory(parent(to)) {
        tracing::warn!("{}: not forced to the disk: {error}", to.display());
    }
    Ok(())
}

/// Removes the temporary files that killed processes left while they wrote `path`.
pub fn remove_temporaries(path: &Path) {
    let Some(name) = path.file_name() else { return };
    remove_where(parent(path), |_, target| target == name);
}

/// Removes the temporary files that killed processes left in `directory`. Files younger than an hour stay,
/// because another process may be writing them.
pub fn remove_all_temporaries(directory: &Path) {
    remove_where(directory, |entry, _| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        // A time in the future does not give an age.
        modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= ABANDONED))
    });
}

/// Removes the temporary files of a directory for which `remove` returns true. `remove` gets the entry and
/// the name of the final file.
fn remove_where(directory: &Path, remove: impl Fn(&DirEntry, &str) -> bool) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let target = name.to_str().and_then(target);
        if target.is_some_and(|target| remove(&entry, target)) {
            // A temporary file that cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The final name for the temporary file of this name; `None` if the name is not one of a temporary file.
fn target(name: &str) -> Option<&str> {
    let name = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (name, numbers) = name.rsplit_once('.')?;
    let (process, number) = numbers.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (!name.is_empty() && is_number(process) && is_number(number)).then_some(name)
}

/// A temporary file that is deleted on drop unless it was renamed.
struct TemporaryFile {
    file: File,
    path: PathBuf,
    renamed: bool,
}

impl TemporaryFile {
    fn beside(path: &Path) -> io::Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        // The file's name may already have the maximum length, and the temporary name is longer.
        let name: String = name.to_string_lossy().chars().take(LONGEST_START).collect();
        let path = parent(path).join(format!(".{name}.{}-{number}.tmp", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            renamed: false,
        })
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.renamed {
            // The caller already gets the first error; the file does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Syncs a directory, so that a rename survives a power failure.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    // Windows has no such operation, and some network file systems refuse it.
    if cfg!(unix) {
        match File::open(path)?.sync_all() {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one test of this binary in a child process that is expected to crash.
    fn run_crashing_child(test: &str, directory: &Path) {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env("GWAE_TEST_CRASH_IN", directory)
            .output()
            .unwrap();
        assert!(!output.status.success(), "the child was to crash");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("about to crash"), "{text}");
    }

    /// In a child of [`run_crashing_child`], the directory to crash in; otherwise `None`.
    fn crash_directory() -> Option<PathBuf> {
        std::env::var_os("GWAE_TEST_CRASH_IN").map(PathBuf::from)
    }

    fn crash() -> ! {
        println!("about to crash");
        std::process::abort()
    }

    #[cfg(target_os = "linux")]
    fn fill_the_disk() -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open("/dev/full")?
            .write_all(b"x")
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn creates_and_replaces() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.json");
        write_atomically(&path, b"a longer old text").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["file.json"]);
    }

    #[test]
    fn a_failure_while_writing_keeps_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("scores.npy");
        write_atomically(&path, b"old").unwrap();
        let failed = write_atomically_with(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.unwrap_err().is_disk_full());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["scores.npy"]);
    }

    #[test]
    fn only_old_temporary_files_are_litter() {
        let directory = tempfile::tempdir().unwrap();
        let open = TemporaryFile::beside(&directory.path().join("samples.png")).unwrap();
        let name = open.path.file_name().unwrap().to_str().unwrap();
        assert_eq!(target(name), Some("samples.png"));
        drop(open);
        let old = std::time::SystemTime::now() - 2 * ABANDONED;
        let write = |name: &str| {
            let mut file = File::create(directory.path().join(name)).unwrap();
            file.write_all(b"half").unwrap();
            file.set_modified(old).unwrap();
        };
        for litter in [".samples.png.4294967295-7.tmp", ".a.1-0.tmp"] {
            write(litter);
        }
        let kept = [
            ".notes.tmp",
            ".notes.4294967295.tmp",
            ".notes.4294967295-.tmp",
            ".notes.-5.tmp",
            ".notes.v1-2.tmp",
            "..4294967295-7.tmp",
            ".notes.4294967295-7.tmp.txt",
            "notes.4294967295-7.tmp",
        ];
        kept.into_iter().for_each(write);
        // Another process may be writing this file.
        let young = ".samples.png.1-7.tmp";
        fs::write(directory.path().join(young), "half").unwrap();
        fs::create_dir(directory.path().join(".folder.4294967295-7.tmp")).unwrap();
        remove_all_temporaries(directory.path());
        let mut expected: Vec<_> = kept.into_iter().map(str::to_owned).collect();
        expected.extend([young, ".folder.4294967295-7.tmp"].map(str::to_owned));
        expected.sort();
        let mut found = names(directory.path());
        found.sort();
        assert_eq!(found, expected);
        remove_all_temporaries(&directory.path().join("missing"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn full_disk_keeps_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.json");
        write_atomically(&path, b"old").unwrap();
        let error = write_atomically_with(&path, |file| {
            file.write_all(b"half of the n")?;
            fill_the_disk()
        })
        .unwrap_err();
        assert!(error.is_disk_full());
        let message = error.to_string();
        assert!(message.contains("file.json: the disk is full"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["file.json"]);
    }

    #[test]
    fn unwritable_place_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let below = file.join("below.json");
        let message = write_atomically(&below, b"x").unwrap_err().to_string();
        assert!(message.contains("below.json"), "{message}");
        assert!(!message.contains('\n'));
        let missing = directory.path().join("missing/file.json");
        let message = write_atomically(&missing, b"x").unwrap_err().to_string();
        assert!(message.ends_with("no such file or directory"), "{message}");
    }

    #[test]
    fn a_crash_while_writing_keeps_the_old_file() {
        if let Some(directory) = crash_directory() {
            let _ = write_atomically_with(&directory.join("file.json"), |file| {
                file.write_all(b"half of the n")?;
                crash()
            });
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.json");
        write_atomically(&path, b"old").unwrap();
        run_crashing_child(
            "atomic::tests::a_crash_while_writing_keeps_the_old_file",
            directory.path(),
        );
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
