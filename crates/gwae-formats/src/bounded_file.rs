//! Reading whole files of a known kind, which are never longer than a limit.

use std::io::{self, Read};
use std::path::Path;

use crate::regular_file::open_regular;

/// The bytes of a regular file of at most `limit` bytes.
///
/// # Errors
///
/// If the file cannot be opened or read, is longer than `limit`, or is no regular file: a device or a
/// pipe may never end, or never begin.
pub fn read_bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open_regular(path)?;
    // A file can grow while it is read, so its length alone is no limit.
    read_bytes_from(file, limit)
}

/// The bytes of a stream of at most `limit` bytes.
///
/// # Errors
///
/// If the stream cannot be read, or is longer than `limit`.
pub fn read_bytes_from(stream: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let problem = format!(
            "it is longer than {}, so it is another kind of file; check the path",
            in_words(limit)
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok(bytes)
}

fn in_words(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        (directory, path)
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        let (_directory, path) = written(b"12345");
        assert_eq!(read_bytes(&path, 5).unwrap(), b"12345");
        let message = read_bytes(&path, 4).unwrap_err().to_string();
        assert!(
            message.starts_with("it is longer than 4 bytes"),
            "{message}"
        );
    }

    #[test]
    fn directories_and_missing_files_are_refused() {
        let (directory, path) = written(b"");
        let error = read_bytes(directory.path(), 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        std::fs::remove_file(&path).unwrap();
        let error = read_bytes(&path, 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_refused() {
        let error = read_bytes(Path::new("/dev/zero"), 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
