//! Files that are either the old one or the new one, never half of one.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Nobody writes a file for longer than this.
const ABANDONED: Duration = Duration::from_secs(3600);

/// An operation on a file that did not work: which, where and why, in one line.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {}", path.display(), describe(source))]
pub struct FileError {
    /// What was to be done, such as `write`.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: attaches the action and the path to an I/O error.
    pub fn on(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            action,
            path,
            source,
        }
    }

    /// Whether there was no room left to write to.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
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

/// Replaces the contents of `path`; after a crash at any moment it holds the old or the new ones.
///
/// # Errors
///
/// Names the file; the old contents are then still there, and no temporary file is left.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write_atomically_with(path, |file| file.write_all(contents))
}

/// As [`write_atomically`], with the contents written by a function.
///
/// # Errors
///
/// As [`write_atomically`]; an error of `write` counts too.
pub fn write_atomically_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), FileError> {
    replace(path, write).map_err(FileError::on("write", path))
}

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut temporary = TemporaryFile::beside(path)?;
    write(&mut temporary.file)?;
    // The rename may reach the disk before the contents do, unless these are forced there first.
    temporary.file.sync_all()?;
    fs::rename(&temporary.path, path)?;
    temporary.renamed = true;
    // The new contents are in place; only whether they survive a power failure is unknown.
    if let Err(error) = sync_directory(parent(path)) {
        tracing::warn!("{}: not forced to the disk: {error}", path.display());
    }
    Ok(())
}

/// Removes what processes that were killed while they wrote `path` left beside it.
pub(crate) fn remove_temporaries(path: &Path) {
    let Some(name) = path.file_name() else { return };
    remove_where(parent(path), |_, target| target == name);
}

/// Removes what processes that were killed while they wrote any file of `directory` left in it. What is
/// younger than an hour stays: another process may be writing it.
pub(crate) fn remove_all_temporaries(directory: &Path) {
    remove_where(directory, |entry, _| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        // A time in the future is no age.
        modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= ABANDONED))
    });
}

/// Removes the temporary files of a directory for which `remove` holds, given the entry and the name of
/// the file that was to be written.
fn remove_where(directory: &Path, remove: impl Fn(&DirEntry, &str) -> bool) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let target = name.to_str().and_then(target);
        if target.is_some_and(|target| remove(&entry, target)) {
            // What cannot be removed is litter.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The name of the file that a temporary file of this name was to become; `None` for names of anything
/// else.
fn target(name: &str) -> Option<&str> {
    let name = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (name, numbers) = name.rsplit_once('.')?;
    let (process, number) = numbers.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (!name.is_empty() && is_number(process) && is_number(number)).then_some(name)
}

/// Removes itself unless it was renamed.
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
        let path = parent(path).join(format!(
            ".{}.{}-{number}.tmp",
            name.to_string_lossy(),
            std::process::id()
        ));
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
            // An error is on its way to the caller already; the file is only litter.
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

/// Forces the names in a directory to the disk, so that a rename survives a power failure.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
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
pub(crate) mod tests {
    use super::*;

    /// Runs one test of this binary in a child process, which is expected to die.
    pub(crate) fn run_crashing_child(test: &str, directory: &Path) {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env("GWAE_TEST_CRASH_IN", directory)
            .output()
            .unwrap();
        assert!(!output.status.success(), "the child was to crash");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("about to crash"), "{text}");
    }

    /// The directory to crash in, in a child of [`run_crashing_child`]; `None` otherwise.
    pub(crate) fn crash_directory() -> Option<PathBuf> {
        std::env::var_os("GWAE_TEST_CRASH_IN").map(PathBuf::from)
    }

    pub(crate) fn crash() -> ! {
        println!("about to crash");
        std::process::abort()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn fill_the_disk() -> io::Result<()> {
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
        // What another process may be writing.
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
