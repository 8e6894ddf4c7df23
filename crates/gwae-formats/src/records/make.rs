//! Makes a file of records block by block. The work may be interrupted at any moment.
//!
//! A block's checksums are computed in memory and written after the block. An attempt that finds the unfinished
//! file of an earlier one reads its blocks and makes those again whose checksums do not match, in whatever order
//! the system wrote to the disk before a crash.

use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{RecordsError, RecordsProblem};
use super::layout::{self, Layout};
use super::{Head, RecordFile};
use crate::atomic::is_out_of_room;
use crate::parallel::{default_threads, in_parallel};
use crate::partial::PartialFile;

/// Where the records come from.
pub trait RecordSource: Sync {
    /// The error of the source, which also holds those of the file.
    type Error: From<RecordsError> + Send;

    /// Prepares the source for a layer of records, whose blocks follow.
    ///
    /// # Errors
    /// Those of the source.
    fn prepare(&self, _records: Range<u64>) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Writes the records to `bytes`, one after the other. Several threads ask for the blocks of a layer at once.
    ///
    /// # Errors
    /// Those of the source.
    fn make(&self, records: Range<u64>, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// How many records are made together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// Number of records that the source prepares together; at least 1.
    pub layer: u64,
    /// Number of records that one thread makes and writes at a time; at least 1. Layers consist of blocks.
    pub block: u64,
}

/// Progress of making a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Number of records that are done.
    pub done: u64,
    /// Number of records in total.
    pub total: u64,
    /// The file that this one replaces.
    pub replaced: Option<Replaced>,
}

/// Why an existing file is made again. `Display` gives the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replaced {
    /// An earlier version wrote it.
    Earlier,
    /// It is damaged.
    Damaged,
    /// Its source has changed.
    OtherSource,
}

impl fmt::Display for Replaced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Earlier => "the copy is in the format of an earlier version",
            Self::Damaged => "the copy is damaged",
            Self::OtherSource => "the copy is of other files",
        })
    }
}

/// Opens the complete file at `path` if it has this head. Otherwise makes it from `source`.
///
/// A damaged file, one of an earlier version, and one with another head are replaced. If another process makes
/// the file, this call waits. After an error of `source`, the unfinished file is emptied. After any other error it
/// stays, and the next call continues. `progress` is called after every layer.
///
/// # Errors
/// The errors of `source`, and [`RecordsError`]: a full disk, a directory without write access, or another
/// program's file at `path`.
pub fn open_or_make<S: RecordSource>(
    path: &Path,
    head: &Head,
    division: Division,
    source: &S,
    progress: &mut dyn FnMut(Progress),
) -> Result<RecordFile, S::Error> {
    let replaced = match look(path, head)? {
        Ok(complete) => return Ok(complete),
        Err(replaced) => replaced,
    };
    let partial = PartialFile::open(path, ".partial");
    let partial = partial.map_err(|error| RecordsProblem::io("create")(error).of(path))?;
    // Another process may have made the file since. If so, `partial` may be its file with the final name.
    if let Ok(complete) = look(path, head)? {
        if partial.length().is_ok_and(|length| length == 0) {
            let _ = partial.remove();
        }
        return Ok(complete);
    }
    let making = Making {
        head,
        layout: Layout::of(head),
        division,
        partial,
        done: AtomicU64::new(0),
    };
    match making.write(source, &mut |done| {
        progress(Progress {
            done,
            total: head.records,
            replaced,
        });
    }) {
        Ok(()) => {}
        Err(Failure::Write(error)) => return Err(making.failed(error).into()),
        Err(Failure::Source(error)) => {
            // Once the source is mended, the records will be others. The file itself stays, because the next
            // attempt may be waiting for its lock.
            let _ = making.partial.shorten(0);
            return Err(error);
        }
    }
    let finished = making.partial.finish(path);
    finished.map_err(|error| RecordsProblem::io("rename")(error).of(path))?;
    match RecordFile::open(path)? {
        Some(complete) => Ok(complete),
        None => Err(RecordsProblem::io("find")(ErrorKind::NotFound.into())
            .of(path)
            .into()),
    }
}

/// The complete file with this head, or the file that is in its place.
fn look(path: &Path, head: &Head) -> Result<Result<RecordFile, Option<Replaced>>, RecordsError> {
    Ok(match RecordFile::open(path) {
        Ok(Some(file)) if file.head == *head => Ok(file),
        Ok(Some(_)) => Err(Some(Replaced::OtherSource)),
        Ok(None) => Err(None),
        Err(error) => Err(Some(match error.problem {
            RecordsProblem::Earlier => Replaced::Earlier,
            RecordsProblem::Damaged { .. } => Replaced::Damaged,
            _ => return Err(error),
        })),
    })
}

enum Failure<E> {
    Source(E),
    Write(io::Error),
}

struct Making<'a> {
    head: &'a Head,
    layout: Layout,
    division: Division,
    partial: PartialFile,
    /// Number of records in finished blocks.
    done: AtomicU64,
}

impl Making<'_> {
    /// Writes everything and forces it to the disk.
    fn write<S: RecordSource>(
        &self,
        source: &S,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Failure<S::Error>> {
        let Division { layer, block } = self.division;
        let records = self.head.records;
        let resumed = self.begin().map_err(Failure::Write)?;
        for start in (0..records).step_by(layer as usize) {
            let end = records.min(start + layer);
            let blocks = (start..end).step_by(block as usize);
            let mut open: Vec<_> = blocks.map(|first| first..end.min(first + block)).collect();
            if resumed {
                open = self.unfinished(open)?;
            }
            if !open.is_empty() {
                source.prepare(start..end).map_err(Failure::Source)?;
                in_parallel(self.threads(), open.len(), |place| {
                    self.write_block(source, open[place].clone())
                })?;
            }
            progress(end);
        }
        self.partial.sync().map_err(Failure::Write)
    }

    /// Writes the head. Returns whether the file has blocks of an earlier attempt.
    fn begin(&self) -> io::Result<bool> {
        let head = layout::encode(self.head);
        let length = self.partial.length()?;
        if (head.len() as u64..=self.layout.file_bytes()).contains(&length) {
            let mut found = vec![0; head.len()];
            self.partial.content().read_exact_at(&mut found, 0)?;
            if found == head {
                return Ok(true);
            }
        }
        self.partial.shorten(0)?;
        self.partial.content().write_all_at(&head, 0)?;
        Ok(false)
    }

    /// Each thread holds one block. Together they take at most 256 MiB (or one block).
    fn threads(&self) -> usize {
        const BYTES: u64 = 256 << 20;
        let block = self.division.block.min(self.head.records) * self.head.record_bytes;
        default_threads().get().min((BYTES / block).max(1) as usize)
    }

    /// The blocks that an earlier attempt did not finish.
    fn unfinished<E: Send>(&self, blocks: Vec<Range<u64>>) -> Result<Vec<Range<u64>>, Failure<E>> {
        let finished = in_parallel(self.threads(), blocks.len(), |place| {
            let finished = self.is_finished(blocks[place].clone());
            finished.map_err(Failure::Write)
        })?;
        let blocks = blocks.into_iter().zip(finished);
        Ok(blocks
            .filter(|(_, finished)| !finished)
            .map(|(block, _)| block)
            .collect())
    }

    fn is_finished(&self, block: Range<u64>) -> io::Result<bool> {
        let content = self.partial.content();
        let mut checksums = vec![0; 4 * (block.end - block.start) as usize];
        let mut bytes = self.space(&block);
        let read = content
            .read_exact_at(&mut checksums, self.layout.checksum_offset(block.start))
            .and_then(|()| {
                content.read_exact_at(&mut bytes, self.layout.record_offset(block.start))
            });
        match read {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        let count = block.end - block.start;
        let is_finished = layout::checksums(block, &bytes, self.head.record_bytes) == checksums;
        if is_finished {
            self.done.fetch_add(count, Ordering::Relaxed);
        }
        Ok(is_finished)
    }

    fn write_block<S: RecordSource>(
        &self,
        source: &S,
        block: Range<u64>,
    ) -> Result<(), Failure<S::Error>> {
        let mut bytes = self.space(&block);
        let made = source.make(block.clone(), &mut bytes);
        made.map_err(Failure::Source)?;
        let checksums = layout::checksums(block.clone(), &bytes, self.head.record_bytes);
        let content = self.partial.content();
        content
            .write_all_at(&bytes, self.layout.record_offset(block.start))
            .and_then(|()| {
                content.write_all_at(&checksums, self.layout.checksum_offset(block.start))
            })
            .map_err(Failure::Write)?;
        self.done
            .fetch_add(block.end - block.start, Ordering::Relaxed);
        Ok(())
    }

    fn space(&self, block: &Range<u64>) -> Vec<u8> {
        vec![0; ((block.end - block.start) * self.head.record_bytes) as usize]
    }

    fn failed(&self, error: io::Error) -> RecordsError {
        let problem = if is_out_of_room(error.kind()) {
            RecordsProblem::DiskFull {
                done: self.done.load(Ordering::Relaxed),
                records: self.head.records,
                bytes: self.layout.file_bytes(),
            }
        } else {
            RecordsProblem::io("write")(error)
        };
        problem.of(self.partial.path())
    }
}
