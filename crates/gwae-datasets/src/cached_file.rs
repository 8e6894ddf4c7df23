//! Opening a cache beside its source file: used where it belongs to the source, else made anew.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::raw_cache::{
    Geometry, ImageCache, RawCacheError, RawCacheProblem, Sha256Bytes, SourceStamp,
};
use crate::{DatasetError, FactorGrid};

/// Where the cache of `source` lies: in `directory`, or beside it.
pub(crate) fn cache_path(source: &Path, directory: Option<&Path>) -> PathBuf {
    let mut name = source.file_name().unwrap_or_default().to_owned();
    name.push(".gwae-cache");
    match directory {
        Some(directory) => directory.join(name),
        None => source.with_file_name(name),
    }
}

/// What is known about a cache before its source is read.
pub(crate) enum Found {
    /// It belongs to the source, as far as length and time of modification tell (or the source
    /// is gone).
    Current(ImageCache),
    /// It may belong to the source: that has been touched.
    Unsure(ImageCache),
    /// It is not there or cannot be used.
    Nothing,
}

/// Looks for the cache of `source` at `path`.
///
/// A file that is no cache is an error: it is not ours to replace.
pub(crate) fn find(
    path: &Path,
    source: &Path,
    accept: impl Fn(&Geometry) -> bool,
) -> Result<Found, DatasetError> {
    let cache = match ImageCache::open(path) {
        Ok(Some(cache)) if accept(&cache.header().geometry) => cache,
        Ok(_) => return Ok(Found::Nothing),
        Err(error) if matches!(error.problem, RawCacheProblem::Damaged { .. }) => {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(error.into()),
    };
    let stamp = match std::fs::metadata(source) {
        Ok(metadata) => Some(SourceStamp::of(&metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        // Opening the source will say what is wrong with it.
        Err(_) => return Ok(Found::Unsure(cache)),
    };
    Ok(match stamp {
        Some(stamp) if stamp != cache.header().source => Found::Unsure(cache),
        _ => Found::Current(cache),
    })
}

/// The grid numbers of a cache, all of them below the grid's length.
pub(crate) fn checked_items(
    cache: &ImageCache,
    path: &Path,
    grid: &FactorGrid,
) -> Result<Vec<u32>, DatasetError> {
    let items = cache.items()?;
    if items.iter().all(|&item| (item as usize) < grid.len()) {
        return Ok(items);
    }
    Err(RawCacheError {
        file: path.display().to_string(),
        problem: RawCacheProblem::Damaged {
            reason: "it has items that are not in the factor grid",
        },
    }
    .into())
}

/// The fingerprint of a dataset that is one file: `kind` and the file's SHA-256, hashed. A file
/// and its cache have the same one, so that a run can go on with either.
pub(crate) fn fingerprint(kind: &str, file: &Sha256Bytes) -> Sha256Bytes {
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets: ");
    hash.update(kind.as_bytes());
    hash.update(b", version 1\0");
    hash.update(file);
    hash.finalize().into()
}
