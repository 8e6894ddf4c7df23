//! A file read from any number of threads at once, each at its own place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// A reader with a position of its own over a shared open file: clones are cheap, read without
/// locks, and do not move one another.
#[derive(Clone, Debug)]
pub(crate) struct PositionalFile {
    file: Arc<File>,
    len: u64,
    position: u64,
}

impl PositionalFile {
    /// Reads `file` from its start; its length is taken once, here.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            len,
            position: 0,
        })
    }

    /// Length of the file in bytes when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` with the bytes from `offset` on.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut reader = Self {
            position: offset,
            ..self.clone()
        };
        reader.read_exact(buffer)
    }
}

impl Read for PositionalFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for PositionalFile {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "a position outside of the file",
            )
        })?;
        Ok(self.position)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(not(any(unix, windows)))]
fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    // Without positional reads the shared cursor is moved, one thread at a time.
    static CURSOR: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = CURSOR
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.read(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_read_at_places_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let mut first = PositionalFile::new(File::open(&path).unwrap()).unwrap();
        let mut second = first.clone();
        let mut bytes = [0; 3];
        first.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"012");
        assert_eq!(second.seek(SeekFrom::End(-4)).unwrap(), 6);
        second.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"678");
        first.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"345");
        second.read_exact_at(&mut bytes, 1).unwrap();
        assert_eq!(&bytes, b"123");
        assert_eq!(second.stream_position().unwrap(), 9);
        assert!(second.seek(SeekFrom::Current(-10)).is_err());
        assert!(first.read_exact_at(&mut bytes, 8).is_err());
        assert!(first.read_exact_at(&mut bytes, u64::MAX).is_err());
    }
}
