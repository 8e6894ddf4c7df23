//! The file as blocks at offsets, and the numbers in them. Every range is checked against the
//! file's length before memory is allocated for it.

use std::io::ErrorKind;

use super::error::{Hdf5Problem, Result};
use crate::positioned_file::PositionedFile;

/// Maximum size in bytes of one block of metadata. The largest in real files, a page of a fixed
/// array, takes about 20 KiB.
const MAX_METADATA: u64 = 16 << 20;

/// The address for storage that was never allocated.
pub(super) const UNDEFINED: u64 = u64::MAX;

/// An open file. All offsets count from the superblock, before which a user block may stand.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: PositionedFile,
    /// Length of the user block in bytes.
    pub(super) base: u64,
    /// Number of bytes after it.
    pub(super) length: u64,
}

impl Source {
    /// Returns an error for a range that is not inside the file.
    pub(super) fn check(&self, what: &str, offset: u64, length: u64) -> Result<()> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length => Ok(()),
            _ => Err(Hdf5Problem::OutOfFile {
                what: what.to_owned(),
                offset,
                length,
                file_length: self.length,
            }),
        }
    }

    /// Fills `buffer` with the bytes from `offset` on.
    pub(super) fn fill(&self, what: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.check(what, offset, buffer.len() as u64)?;
        self.file
            // Both are inside of the file, so the sum is too.
            .read_exact_at(buffer, self.base + offset)
            .map_err(|error| match error.kind() {
                // The file became shorter after it was opened.
                ErrorKind::UnexpectedEof => Hdf5Problem::OutOfFile {
                    what: what.to_owned(),
                    offset,
                    length: buffer.len() as u64,
                    file_length: self.length,
                },
                _ => Hdf5Problem::Io(error),
            })
    }

    /// Reads a block of metadata.
    pub(super) fn block(&self, what: &'static str, offset: u64, length: u64) -> Result<Block> {
        self.check(what, offset, length)?;
        if length > MAX_METADATA {
            return Err(Hdf5Problem::damaged(
                what,
                offset,
                format!("declares {length} bytes of metadata, more than {MAX_METADATA}"),
            ));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(what, offset, &mut bytes)?;
        Ok(Block {
            what,
            offset,
            bytes,
        })
    }
}

/// A block of metadata in memory, with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) what: &'static str,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

impl Block {
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            block: self,
            position: 0,
            end: self.bytes.len(),
        }
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> Hdf5Problem {
        Hdf5Problem::damaged(self.what, self.offset, reason)
    }

    pub(super) fn unsupported(&self, feature: impl Into<String>) -> Hdf5Problem {
        Hdf5Problem::unsupported(self.what, feature)
    }

    /// Returns an error if the last four bytes are not the checksum of the others.
    pub(super) fn verify_checksum(&self) -> Result<()> {
        let body = self.bytes.len().saturating_sub(4);
        let stored = self.bytes.get(body..).and_then(|b| b.first_chunk());
        let Some(stored) = stored else {
            return Err(self.damaged("is too short for its checksum"));
        };
        // Builds for fuzzing skip this check, so that changed bytes reach the code behind it.
        let matches = u32::from_le_bytes(*stored) == super::checksum::lookup3(&self.bytes[..body]);
        if !matches && !cfg!(fuzzing) {
            return Err(self.damaged("its checksum does not match"));
        }
        Ok(())
    }
}

/// Reads little-endian numbers one after the other.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    block: &'a Block,
    position: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// The same reader, but `bytes` shorter at the end, to leave out a checksum.
    pub(super) fn without_last(mut self, bytes: usize) -> Self {
        self.end = self.end.saturating_sub(bytes);
        self
    }

    pub(super) fn remaining(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    /// Offset of the next byte in the file.
    pub(super) fn offset(&self) -> u64 {
        self.block.offset + self.position as u64
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        if count > self.remaining() {
            return Err(self.block.damaged("ends too early"));
        }
        let bytes = &self.block.bytes[self.position..self.position + count];
        self.position += count;
        Ok(bytes)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<()> {
        self.bytes(count).map(|_| ())
    }

    pub(super) fn signature(&mut self, expected: &[u8]) -> Result<()> {
        if self.bytes(expected.len())? == expected {
            Ok(())
        } else {
            Err(self
                .block
                .damaged(format!("does not start with `{}`", expected.escape_ascii())))
        }
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(self.number(1)? as u8)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(self.number(2)? as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(self.number(4)? as u32)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.number(8)
    }

    /// A number of `width ≤ 8` bytes.
    pub(super) fn number(&mut self, width: usize) -> Result<u64> {
        if width > 8 {
            return Err(self.block.damaged(format!("has numbers of {width} bytes")));
        }
        let bytes = self.bytes(width)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}
