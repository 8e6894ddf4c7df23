//! Making a cache file, block by block, so that it can be interrupted at any moment.
//!
//! A block's digest is computed from what was decoded and written after the block itself. When
//! everything is there, the file is read back and compared with the digests: a block that a
//! crash or a full disk left incomplete is then converted again, whatever the order was in
//! which the system wrote to the disk. Only a file that passed becomes complete.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::layout::{DIGEST_BYTES, Geometry, HEADER_BYTES, Header, Sha256Bytes};
use super::{ImageCache, RawCacheError, RawCacheProblem, Result};
use crate::DatasetError;
use crate::positioned_file::PositionedFile;
use crate::processors::on_all_processors;

/// Where the images come from.
pub(crate) trait BlockSource: Sync {
    /// Makes the reads of a layer's blocks, which follow, fast.
    fn prepare(&self, _images: Range<u64>) -> std::result::Result<(), DatasetError> {
        Ok(())
    }

    /// The images as the cache stores them. The blocks of a layer are asked for from several
    /// threads at once.
    fn read(&self, images: Range<u64>, stored: &mut [u8]) -> std::result::Result<(), DatasetError>;
}

/// How to write to the file; tests make it fail.
type Write<'a> = &'a (dyn Fn(&PositionedFile, &[u8], u64) -> std::io::Result<()> + Sync);

/// The complete cache at `path`, made from `source` where it is not there: `items` says what
/// every image shows. A complete cache of another source is replaced. `progress` is told how
/// many images are done, of how many.
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
            // A file system without locks: two processes would write the same bytes anyway.
            Err(TryLockError::Error(_)) => {}
        }
        let _lock = UnlockedAtEnd(
            file.try_clone()
                .map_err(|error| self.failed("open", error))?,
        );
        // Another process may have finished between our look at the final name and the lock.
        if let Ok(Some(cache)) = ImageCache::open(self.path)
            && cache.header.unfinished() == self.header
        {
            // Ours, made by opening it, where the other one had just been renamed.
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
            // A crash of the machine left them so; a second time, it is something else.
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

    /// Whether the file is an unfinished conversion of the same source. Its grid numbers are
    /// compared too: they have no digest of their own.
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

    /// Empties the file and writes everything but images.
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

    /// Each thread holds a block; all of them together take 256 MiB at most (or one block).
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
                let next = AtomicU64::new(0);
                let failure = Mutex::new(None);
                on_all_processors(open.len().min(self.most_threads()), || {
                    while let Some(&block) = open.get(next.fetch_add(1, Ordering::Relaxed) as usize)
                    {
                        match self.write_block(file, block) {
                            Ok(digest) => lock(&written).push((block, digest)),
                            Err(error) => {
                                next.store(open.len() as u64, Ordering::Relaxed);
                                *lock(&failure) = Some(error);
                            }
                        }
                    }
                });
                for (block, digest) in unlock(written) {
                    blocks[(block - numbers.start) as usize] = digest;
                }
                match unlock(failure) {
                    None => {}
                    Some(Failure::Source(error)) => return Err(error),
                    Some(Failure::Write(error)) => {
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

    /// Marks the file as complete and gives it its name.
    fn finish(
        &self,
        file: PositionedFile,
        done: &[Sha256Bytes],
    ) -> std::result::Result<ImageCache, DatasetError> {
        let geometry = &self.header.geometry;
        let images = geometry.images;
        let failed = |error| self.write_failed(error, images);
        // The images first: a complete header must not reach the disk before them.
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
        // Windows renames no open file; elsewhere it stays locked until it has its name.
        let locked = if cfg!(windows) {
            drop(file);
            None
        } else {
            Some(file)
        };
        if let Err(error) = std::fs::rename(&self.partial, self.path) {
            // Without locks, another process may have been faster.
            return match ImageCache::open(self.path) {
                Ok(Some(cache)) if cache.header == complete => Ok(cache),
                _ => Err(self.failed("rename", error)),
            };
        }
        drop(locked);
        // Makes the new name permanent, where the system can.
        if let Some(Ok(directory)) = self.path.parent().map(File::open) {
            let _ = directory.sync_all();
        }
        match ImageCache::open(self.path)? {
            Some(cache) => Ok(cache),
            None => Err(self.failed("find", ErrorKind::NotFound.into())),
        }
    }

    fn named(&self, problem: RawCacheProblem) -> DatasetError {
        DatasetError::RawCache(RawCacheError {
            file: self.partial.display().to_string(),
            problem,
        })
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

/// Gives the lock of a file back. Closing the file would not do so at once where this process is
/// starting another one, which holds a copy of every open file for a moment.
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

/// The digests in the file, one per block.
pub(super) fn digests(file: &PositionedFile, geometry: &Geometry) -> Result<Vec<Sha256Bytes>> {
    // The file is as long as its geometry says, so the allocation is not beyond it.
    let mut bytes = vec![0; geometry.blocks() as usize * DIGEST_BYTES];
    file.read_exact_at(&mut bytes, geometry.digest_offset(0))
        .map_err(RawCacheProblem::io("read"))?;
    Ok(bytes.as_chunks().0.to_vec())
}

/// SHA-256 over the grid numbers and the block digests: with every block checked, over everything.
pub(super) fn content_digest(
    file: &PositionedFile,
    geometry: &Geometry,
    digests: &[Sha256Bytes],
) -> Result<Sha256Bytes> {
    let mut items = vec![0; 4 * geometry.images as usize];
    file.read_exact_at(&mut items, geometry.items_offset())
        .map_err(RawCacheProblem::io("read"))?;
    let mut hash = Sha256::new();
    hash.update(&items);
    hash.update(digests.as_flattened());
    Ok(hash.finalize().into())
}

/// Reads all images; the numbers of the blocks that do not match their digests, ascending.
pub(super) fn wrong_blocks(
    file: &PositionedFile,
    geometry: &Geometry,
    digests: &[Sha256Bytes],
) -> Result<Vec<u64>> {
    let next = AtomicU64::new(0);
    let wrong = Mutex::new(Vec::new());
    let failure = Mutex::new(None);
    on_all_processors(digests.len(), || {
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            let Some(expected) = digests.get(block as usize) else {
                return;
            };
            match block_digest(file, geometry, block) {
                Ok(found) if found == *expected => {}
                Ok(_) => lock(&wrong).push(block),
                Err(error) => {
                    next.store(digests.len() as u64, Ordering::Relaxed);
                    *lock(&failure) = Some(error);
                    return;
                }
            }
        }
    });
    if let Some(error) = unlock(failure) {
        return Err(RawCacheProblem::io("read")(error));
    }
    let mut wrong = unlock(wrong);
    wrong.sort_unstable();
    Ok(wrong)
}

/// SHA-256 of a block, as it is in the file.
fn block_digest(
    file: &PositionedFile,
    geometry: &Geometry,
    block: u64,
) -> std::io::Result<Sha256Bytes> {
    /// Bytes that are read at once.
    const PIECE: u64 = 1 << 20;
    let images = geometry.block_images(block);
    let mut offset = geometry.image_offset(images.start);
    let end = geometry.image_offset(images.end);
    let mut buffer = vec![0; PIECE.min(end - offset) as usize];
    let mut hash = Sha256::new();
    while offset < end {
        let piece = &mut buffer[..PIECE.min(end - offset) as usize];
        file.read_exact_at(piece, offset)?;
        hash.update(&*piece);
        offset += piece.len() as u64;
    }
    Ok(hash.finalize().into())
}
