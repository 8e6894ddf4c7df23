//! A file of records of equal length with random access, such as a copy of a dataset's images.
//!
//! It is made once ([`open_or_make`]) and then read at random. Every record has a checksum, which is compared
//! whenever the record is read. A file with its final name is complete: it is written to the same name with
//! `.partial` appended and renamed at the very end. Making it may be interrupted at any moment, and the next
//! attempt continues.
//!
//! # Why records are read and not memory-mapped
//!
//! Random images per second, from a file of 60,000 images (12,288 bytes each), on two shared cores:
//!
//! | | one read per image | memory map |
//! |---|---|---|
//! | file in memory, 1 thread | 160,000 | 260,000 to 320,000 |
//! | file in memory, 2 threads | 170,000 | 315,000 to 330,000 |
//! | file on disk, 1 thread | 6,300 to 13,000 | 7,000 |
//! | file on disk, 2 threads | 15,000 to 16,600 | 7,800 |
//!
//! Both are far faster than training needs. A memory map needs `unsafe`. If another process truncates the file,
//! a map kills this process (SIGBUS), but a read returns an error. So records are read.

mod error;
mod layout;
mod make;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use error::{RecordsError, RecordsProblem};
pub use make::{Division, Progress, RecordSource, Replaced, open_or_make};

use crate::positioned_file::PositionedFile;
use crate::regular_file::open_regular;
use layout::{FIXED_BYTES, Layout, Start, record_checksum};

/// Number of bytes read at a time when all records are read.
const PIECE: u64 = 1 << 20;

/// What a file of records is for: its owner's description, and the sizes of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes that identify the content. Two files with equal heads have equal records.
    pub description: Vec<u8>,
    /// Number of records; at least 1.
    pub records: u64,
    /// Length of a record in bytes; at least 1.
    pub record_bytes: u64,
}

/// A complete file of records.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    file: PositionedFile,
    head: Head,
    /// One per record.
    checksums: Vec<u32>,
}

impl RecordFile {
    /// Opens a complete file; `None` if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be read, is another program's ([`RecordsProblem::Foreign`]), has the format of an
    /// earlier version ([`RecordsProblem::Earlier`]), or is damaged before its records
    /// ([`RecordsProblem::Damaged`]).
    pub fn open(path: &Path) -> Result<Option<Self>, RecordsError> {
        open(path).map_err(|problem| problem.of(path))
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The description and the sizes.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The bytes of one record.
    ///
    /// # Errors
    /// If there is no such record, it cannot be read, or it differs from what was written
    /// ([`RecordsProblem::DamagedRecord`]).
    pub fn read(&self, index: usize) -> Result<Vec<u8>, RecordsError> {
        let index = index as u64;
        let Some(&checksum) = self.checksums.get(index as usize) else {
            let records = self.head.records;
            return Err(RecordsProblem::OutOfRange { index, records }.of(&self.path));
        };
        let mut record = vec![0; self.head.record_bytes as usize];
        self.fill(index, &mut record)?;
        if record_checksum(index, &record) != checksum {
            return Err(RecordsProblem::DamagedRecord { index }.of(&self.path));
        }
        Ok(record)
    }

    /// Reads the whole file once, from start to end, so that the system keeps it in memory.
    ///
    /// # Errors
    /// If a read fails.
    pub fn read_through(&self) -> Result<(), RecordsError> {
        let end = Layout::of(&self.head).file_bytes();
        let read = self.file.read_through(end);
        read.map_err(|error| RecordsProblem::io("read")(error).of(&self.path))
    }

    /// Reads all records and compares their checksums. `progress` gets the numbers of bytes done and in total.
    ///
    /// # Errors
    /// The same as [`RecordFile::read`], for the first damaged record.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<(), RecordsError> {
        let Head {
            records,
            record_bytes,
            ..
        } = self.head;
        let each = (PIECE / record_bytes).clamp(1, records);
        let mut piece = vec![0; (each * record_bytes) as usize];
        let mut first = 0;
        while first < records {
            let end = records.min(first + each);
            let piece = &mut piece[..((end - first) * record_bytes) as usize];
            self.fill(first, piece)?;
            for (index, record) in (first..).zip(piece.chunks_exact(record_bytes as usize)) {
                if record_checksum(index, record) != self.checksums[index as usize] {
                    return Err(RecordsProblem::DamagedRecord { index }.of(&self.path));
                }
            }
            first = end;
            progress(first * record_bytes, records * record_bytes);
        }
        Ok(())
    }

    fn fill(&self, first: u64, bytes: &mut [u8]) -> Result<(), RecordsError> {
        let offset = Layout::of(&self.head).record_offset(first);
        let read = self.file.read_exact_at(bytes, offset);
        read.map_err(|error| RecordsProblem::io("read")(error).of(&self.path))
    }
}

fn open(path: &Path) -> Result<Option<RecordFile>, RecordsProblem> {
    let (file, length) = match open_regular(path) {
        Ok(opened) => opened,
        // A path through a file; making the file reports it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(RecordsProblem::io("open")(error)),
    };
    let file = PositionedFile::new(file);
    let mut start = vec![0; length.min(FIXED_BYTES as u64) as usize];
    let read = file.read_exact_at(&mut start, 0);
    read.map_err(RecordsProblem::io("read"))?;
    let damaged = |reason| Err(RecordsProblem::Damaged { reason });
    let layout = match Layout::read(&start, length) {
        Start::Current(layout) => layout,
        Start::Earlier => return Err(RecordsProblem::Earlier),
        Start::Foreign => return Err(RecordsProblem::Foreign),
        Start::Damaged => return damaged("its length and its first bytes do not fit together"),
    };
    let mut bytes = vec![0; layout.checksum_offset(layout.records) as usize];
    let read = file.read_exact_at(&mut bytes, 0);
    read.map_err(RecordsProblem::io("read"))?;
    let (head, checksums) = bytes.split_at(layout.checksums_offset() as usize);
    if !layout::is_whole(head) {
        return damaged("its first bytes do not match their checksum");
    }
    let (checksums, _) = checksums.as_chunks();
    Ok(Some(RecordFile {
        path: path.to_owned(),
        file,
        head: Head {
            description: head[FIXED_BYTES..].to_vec(),
            records: layout.records,
            record_bytes: layout.record_bytes,
        },
        checksums: checksums.iter().map(|&c| u32::from_le_bytes(c)).collect(),
    }))
}
