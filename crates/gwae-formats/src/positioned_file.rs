//! Reading and writing a file at given offsets, from any number of threads.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// An open file without a cursor, so that threads can share it.
#[derive(Debug)]
pub struct PositionedFile {
    file: File,
    /// Systems without positional access use the cursor of the file, one thread at a time.
    #[cfg(not(any(unix, windows)))]
    cursor: std::sync::Mutex<()>,
}

impl PositionedFile {
    /// Wraps an open file.
    pub fn new(file: File) -> Self {
        Self {
            file,
            #[cfg(not(any(unix, windows)))]
            cursor: std::sync::Mutex::new(()),
        }
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// If a read fails or the file ends too early.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads the first `end` bytes once, in order, and discards them, so that the system keeps them
    /// in memory if there is room.
    ///
    /// # Errors
    /// If a read fails or the file ends too early.
    pub fn read_through(&self, end: u64) -> io::Result<()> {
        const PIECE: u64 = 1 << 20;
        let mut buffer = vec![0; PIECE.min(end) as usize];
        let mut offset = 0;
        while offset < end {
            let piece = &mut buffer[..PIECE.min(end - offset) as usize];
            self.read_exact_at(piece, offset)?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// If a write fails.
    pub fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, bytes, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.file, bytes, offset)
    }

    #[cfg(not(any(unix, windows)))]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let _alone = self.cursor.lock().unwrap_or_else(|e| e.into_inner());
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }

    #[cfg(not(any(unix, windows)))]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let _alone = self.cursor.lock().unwrap_or_else(|e| e.into_inner());
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        io::Write::write(&mut file, bytes)
    }
}

/// A reader over a shared file with a separate cursor. Clones are cheap, read without locks, and do
/// not affect each other.
#[derive(Clone, Debug)]
pub struct SharedReader {
    file: Arc<PositionedFile>,
    len: u64,
    position: u64,
}

impl SharedReader {
    /// Reads `file` from its start. The length of the file is read once, here.
    ///
    /// # Errors
    /// If the length cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(PositionedFile::new(file)),
            len,
            position: 0,
        })
    }

    /// Length of the file in bytes when it was opened.
    pub fn length(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` with the bytes from `offset` on. The cursor does not move.
    ///
    /// # Errors
    /// If a read fails or the file ends too early.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    /// Reads the whole file once, in order, so that the system keeps it in memory.
    ///
    /// # Errors
    /// If a read fails or the file ends too early.
    pub fn read_through(&self) -> io::Result<()> {
        self.file.read_through(self.len)
    }
}

impl Read for SharedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SharedReader {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_read_at_places_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let mut first = SharedReader::new(File::open(&path).unwrap()).unwrap();
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
