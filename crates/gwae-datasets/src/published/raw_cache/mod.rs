//! A file of uncompressed images with random access.
//!
//! It is made once from a compressed source ([`convert`]) and then read at random. A complete file
//! has the final name, a complete header and the right length. A conversion writes to the same name
//! with `.partial` appended and renames the file at the very end, so an unfinished file is never
//! taken for a complete one.
//!
//! # Why images are read and not memory-mapped
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
//! Both are far faster than training needs. A memory map needs `unsafe`. If another process
//! truncates the file, a map kills this process (SIGBUS), but a read returns an error. So images
//! are read.

mod convert;
mod digests;
mod error;
mod image_cache;
mod layout;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;

use sha2::{Digest, Sha256};

pub(crate) use convert::{BlockSource, convert};
pub use error::{RawCacheError, RawCacheProblem};
pub(crate) use image_cache::ImageCache;
pub(crate) use layout::{Geometry, Header, Sha256Bytes, SourceStamp};

/// SHA-256 of a whole file.
pub(crate) fn file_digest(path: &Path) -> std::io::Result<Sha256Bytes> {
    use std::io::Read;
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
