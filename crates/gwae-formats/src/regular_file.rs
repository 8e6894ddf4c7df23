//! Opens files that end.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Opens a regular file for reading and returns its length in bytes.
///
/// # Errors
/// If the file cannot be opened. A directory is [`ErrorKind::IsADirectory`]; a device, a pipe or a socket is
/// [`ErrorKind::InvalidInput`], because it has no length and may never end.
pub fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    // This check comes before opening: opening a pipe waits for its writer.
    check(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Another file may have this name by now.
    let metadata = file.metadata()?;
    check(&metadata)?;
    Ok((file, metadata.len()))
}

fn check(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        let text = "it is a device, a pipe or a socket, not a regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let kind = |path: &Path| open_regular(path).unwrap_err().kind();
        assert_eq!(kind(directory.path()), ErrorKind::IsADirectory);
        assert_eq!(kind(&directory.path().join("file")), ErrorKind::NotFound);
        fs::write(directory.path().join("file"), "text").unwrap();
        let (_, length) = open_regular(&directory.path().join("file")).unwrap();
        assert_eq!(length, 4);
        #[cfg(target_os = "linux")]
        assert_eq!(kind(Path::new("/dev/zero")), ErrorKind::InvalidInput);
    }
}
