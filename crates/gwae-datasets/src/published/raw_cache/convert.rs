//! Makes a cache file block by block. The work may be interrupted at any moment.
//!
//! A block's digest is computed from the decoded images and written after the block. When all
//! blocks are written, the file is read back and compared with the digests. A block that a crash or
//! a full disk left incomplete is then converted again, in whatever order the system wrote to the
//! disk. Only a file that passes this check becomes complete.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::digests::{content_digest, digests, wrong_blocks};
use super::error::{RawCacheError, RawCacheProblem};
use super::image_cache::ImageCache;
use super::layout::{DIGEST_BYTES, Geometry, HEADER_BYTES, Header, Sha256Bytes};
use crate::error::DatasetError;
use gwae_formats::atomic::rename_synced;
use gwae_formats::parallel::{default_threads, in_parallel};
use gwae_formats::positioned_file::PositionedFile;

/// The source of the images.
pub(crate) trait BlockSource: Sync {
    /// Prepares the source for fast reads of a layer's blocks, which follow.
    fn prepare(&self, _images: Range<u64>) -> std::result::Result<(), DatasetError> {
        Ok(())
    }

    /// The images in the cache's format. Several threads ask for the blocks of a layer at once.
    fn read(&self, images: Range<u64>, stored: &mut [u8]) -> std::result::Result<(), DatasetError>;
}

/// Writes to the file; tests replace it by one that fails.
type Write<'a> = &'a (dyn Fn(&PositionedFile, &[u8], u64) -> std::io::Result<()> + Sync);

/// Opens the complete cache at `path`, or makes it from `source`. `items` holds the grid number of
/// every image. A complete cache of another source is replaced. `progress` gets the number of
/// finished images and their total.
pub(crate) fn convert(
    path: &Path,
    header: &Header,
    items: &[u32],
    source: &dyn BlockSource,
    progress: &mut dyn FnMut(u64, u64),
) -> std::result::Result<ImageCache, DatasetError> {
    let write: Write<'_> = &|file, bytes, offset| file.write_all_at(bytes, offset);
    Conversion::new(path, header, items, source, write).run(progress)
}

/// The name of an unfinished file.
fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

pub(super) struct Conversion<'a> {
    path: &'a Path,
    partial: PathBuf,
    header: Header,
    items: &'a [u32],
    source: &'a dyn BlockSource,
    write: Write<'a>,
}

impl<'a> Conversion<'a> {
    pub(super) fn new(
        path: &'a Path,
        header: &Header,
        items: &'a [u32],
        source: &'a dyn BlockSource,
        write: Write<'a>,
    ) -> Self {
        Self {
            partial: partial_path(path),
            path,
            header: header.unfinished(),
            items,
            source,
            write,
        }
    }

    pub(super) fn run(
        &self,
        progress: &mut dyn FnMut(u64, u64),
    ) -> std::result::Result<ImageCache, DatasetError> {
        let geometry = &self.header.geometry;
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.partial);
        let file = opened.map_err(|error| self.failed("create", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.named(RawCacheProblem::Busy)),
            // Some file systems have no locks. There, two processes would write the same bytes.
            Err(TryLockError::Error(_)) => {}
        }
        let _lock = UnlockedAtEnd(
            file.try_clone()
                .map_err(|error| self.failed("open", error))?,
        );
        // Another process may have finished between the check for the final name and the lock.
        if let Ok(Some(cache)) = ImageCache::open(self.path)
            && cache.header().unfinished() == self.header
        {
            // Opening created a new file, because the other process had just renamed its file.
            if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
                let _ = std::fs::remove_file(&self.partial);
            }
            return Ok(cache);
        }
        let file = PositionedFile::new(file);
        if !self.is_resumable(&file) {
            self.begin(&file)?;
        }
        let mut done = digests(&file, geometry).map_err(|problem| self.named(problem))?;
        self.write_blocks(&file, &mut done, progress)?;
        let check = |done: &[Sha256Bytes]| {
            wrong_blocks(&file, geometry, done).map_err(|problem| self.named(problem))
        };
        let wrong = check(&done)?;
        if !wrong.is_empty() {
            // A crash of the machine can cause this once. If it happens again, the cause is another
            // one.
            for block in wrong {
                done[block as usize] = [0; DIGEST_BYTES];
            }
            self.write_blocks(&file, &mut done, progress)?;
            if let Some(&block) = check(&done)?.first() {
                let images = geometry.block_images(block);
                return Err(self.named(RawCacheProblem::ReadBack {
                    start: images.start as usize,
                    end: images.end as usize,
                }));
            }
        }
        self.finish(file, &done)
    }

    /// Whether the file is an unfinished conversion of the same source. The grid numbers are
    /// compared too, because they have no digest.
    fn is_resumable(&self, file: &PositionedFile) -> bool {
        let geometry = &self.header.geometry;
        let length = file.file().metadata().map(|metadata| metadata.len());
        let mut bytes = [0; HEADER_BYTES];
        if length.ok() != Some(geometry.file_bytes()) || file.read_exact_at(&mut bytes, 0).is_err()
        {
            return false;
        }
        let mut items = vec![0; 4 * self.items.len()];
        Header::decode(&bytes).is_some_and(|found| found.unfinished() == self.header)
            && file
                .read_exact_at(&mut items, geometry.items_offset())
                .is_ok()
            && items == self.encoded_items()
    }

    fn encoded_items(&self) -> Vec<u8> {
        self.items.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    /// Empties the file and writes everything except images.
    fn begin(&self, file: &PositionedFile) -> std::result::Result<(), DatasetError> {
        let geometry = &self.header.geometry;
        for length in [0, geometry.file_bytes()] {
            file.file()
                .set_len(length)
                .map_err(|error| self.write_failed(error, 0))?;
        }
        (self.write)(file, &self.encoded_items(), geometry.items_offset())
            .and_then(|()| (self.write)(file, &self.header.encode(), 0))
            .map_err(|error| self.write_failed(error, 0))
    }

    /// Each thread holds one block. Together they take at most 256 MiB (or one block).
    fn most_threads(&self) -> usize {
        const BYTES: u64 = 256 << 20;
        let Geometry { block, images, .. } = self.header.geometry;
        let bytes = block.min(images) * self.header.geometry.image_bytes() as u64;
        (BYTES / bytes).clamp(1, 8) as usize
    }

    /// Converts all blocks without a digest.
    fn write_blocks(
        &self,
        file: &PositionedFile,
        done: &mut [Sha256Bytes],
        progress: &mut dyn FnMut(u64, u64),
    ) -> std::result::Result<(), DatasetError> {
        let geometry = &self.header.geometry;
        for layer in 0..geometry.layers() {
            let images = geometry.layer_images(layer);
            let numbers = geometry.layer_blocks(layer);
            let blocks = &mut done[numbers.start as usize..numbers.end as usize];
            let open: Vec<u64> = numbers
                .clone()
                .zip(blocks.iter())
                .filter(|(_, digest)| **digest == [0; DIGEST_BYTES])
                .map(|(block, _)| block)
                .collect();
            if !open.is_empty() {
                self.source.prepare(images.clone())?;
                let written = Mutex::new(Vec::new());
                let threads = default_threads().get().min(self.most_threads());
                let result = in_parallel(threads, open.len(), |place| {
                    let digest = self.write_block(file, open[place])?;
                    lock(&written).push((open[place], digest));
                    Ok(())
                });
                for (block, digest) in unlock(written) {
                    blocks[(block - numbers.start) as usize] = digest;
                }
                match result {
                    Ok(_) => {}
                    Err(Failure::Source(error)) => return Err(error),
                    Err(Failure::Write(error)) => {
                        return Err(self.write_failed(error, images_done(geometry, done)));
                    }
                }
            }
            progress(images.end, geometry.images);
        }
        Ok(())
    }

    fn write_block(
        &self,
        file: &PositionedFile,
        block: u64,
    ) -> std::result::Result<Sha256Bytes, Failure> {
        let geometry = &self.header.geometry;
        let images = geometry.block_images(block);
        let mut stored = vec![0; (images.end - images.start) as usize * geometry.image_bytes()];
        self.source
            .read(images.clone(), &mut stored)
            .map_err(Failure::Source)?;
        let digest: Sha256Bytes = Sha256::digest(&stored).into();
        (self.write)(file, &stored, geometry.image_offset(images.start))
            .and_then(|()| (self.write)(file, &digest, geometry.digest_offset(block)))
            .map_err(Failure::Write)?;
        Ok(digest)
    }

    /// Marks the file as complete and renames it to its final name.
    fn finish(
        &self,
        file: PositionedFile,
        done: &[Sha256Bytes],
    ) -> std::result::Result<ImageCache, DatasetError> {
        let geometry = &self.header.geometry;
        let images = geometry.images;
        let failed = |error| self.write_failed(error, images);
        // The images are synced first: a complete header must not reach the disk before them.
        file.file().sync_all().map_err(failed)?;
        let content =
            content_digest(&file, geometry, done).map_err(|problem| self.named(problem))?;
        let complete = Header {
            content: Some(content),
            ..self.header.clone()
        };
        (self.write)(&file, &complete.encode(), 0)
            .and_then(|()| file.file().sync_all())
            .map_err(failed)?;
        // Windows cannot rename an open file. On other systems the file stays locked until it is
        // renamed.
        let locked = if cfg!(windows) {
            drop(file);
            None
        } else {
            Some(file)
        };
        if let Err(error) = rename_synced(&self.partial, self.path) {
            // Without locks, another process may have been faster.
            return match ImageCache::open(self.path) {
                Ok(Some(cache)) if *cache.header() == complete => Ok(cache),
                _ => Err(self.failed("rename", error)),
            };
        }
        drop(locked);
        match ImageCache::open(self.path)? {
            Some(cache) => Ok(cache),
            None => Err(self.failed("find", ErrorKind::NotFound.into())),
        }
    }

    fn named(&self, problem: RawCacheProblem) -> DatasetError {
        RawCacheError {
            file: self.partial.display().to_string(),
            problem,
        }
        .into()
    }

    fn failed(&self, action: &'static str, error: std::io::Error) -> DatasetError {
        self.named(RawCacheProblem::io(action)(error))
    }

    fn write_failed(&self, error: std::io::Error, images_done: u64) -> DatasetError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => self
                .named(RawCacheProblem::DiskFull {
                    images_done: images_done as usize,
                    images: self.header.geometry.images as usize,
                    bytes: self.header.geometry.file_bytes(),
                }),
            _ => self.failed("write", error),
        }
    }
}

enum Failure {
    Source(DatasetError),
    Write(std::io::Error),
}

/// Releases the lock of a file. Closing the file may release it too late: if this process is
/// starting another one, the new process holds a copy of every open file for a moment.
struct UnlockedAtEnd(File);

impl Drop for UnlockedAtEnd {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlock<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn images_done(geometry: &Geometry, done: &[Sha256Bytes]) -> u64 {
    done.iter()
        .zip(0..)
        .filter(|(digest, _)| **digest != [0; DIGEST_BYTES])
        .map(|(_, block)| geometry.block_images(block))
        .map(|images| images.end - images.start)
        .sum()
}
