//! Writing an array, so that a file is either the old one or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::header::{self, MAX_AXES};
use super::{NpyError, NpyProblem, element_count, named};

/// Writes `values` as an array of `shape`, the last axis varying fastest, in little-endian double
/// precision: byte for byte what `numpy.save` of NumPy 2 writes. An existing file is replaced; after
/// a crash at any moment, the old or the new one is there.
///
/// # Errors
/// [`NpyProblem::ShapeMismatch`] if `shape` has another number of elements than `values`,
/// [`NpyProblem::TooManyAxes`] if it has more axes than NumPy reads, [`NpyProblem::Write`] if the
/// file cannot be written. The old file is then still there.
pub fn write_npy_f64(path: &Path, values: &[f64], shape: &[u64]) -> Result<(), NpyError> {
    write(path, values, shape).map_err(named(path))
}

fn write(path: &Path, values: &[f64], shape: &[u64]) -> Result<(), NpyProblem> {
    if shape.len() > MAX_AXES {
        return Err(NpyProblem::TooManyAxes { axes: shape.len() });
    }
    if element_count(shape) != Some(values.len() as u64) {
        return Err(NpyProblem::ShapeMismatch {
            values: values.len(),
            shape: shape.to_vec(),
        });
    }
    replace(path, |file| {
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        writer.write_all(&header::encode("<f8", shape))?;
        for value in values {
            writer.write_all(&value.to_le_bytes())?;
        }
        writer.flush()
    })
    .map_err(NpyProblem::Write)
}

/// Puts what `write` writes in the place of `path`.
fn replace(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    if path.file_name().is_none() {
        return Err(ErrorKind::InvalidFilename.into());
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (temporary, file) = Temporary::create_in(directory)?;
    write(&file)?;
    // The new name may reach the disk before the contents do, unless these are forced there first.
    file.sync_all()?;
    drop(file);
    temporary.rename(path)?;
    // Makes the new name last through a power failure, where directories can be synced.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// A file's temporary name, removed unless it was renamed.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn create_in(directory: &Path) -> io::Result<(Self, File)> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            // Independent of the final name, which may be as long as names can be.
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = format!(".gwae-npy-{}-{number}.tmp", std::process::id());
            let path = directory.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let renamed = false;
                    return Ok((Self { path, renamed }, file));
                }
                // Left by a process of the same number that was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // An error is on its way to the caller already; the file is only litter.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_while_writing_keeps_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("scores.npy");
        write_npy_f64(&path, &[1.5], &[1]).unwrap();
        let old = fs::read(&path).unwrap();
        let failed = replace(&path, |mut file| {
            file.write_all(b"half of the n")?;
            Err(ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), old);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
