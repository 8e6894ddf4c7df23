//! Opens the cache beside a source file, or makes a new one if it does not belong to the source.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::DatasetError;
use crate::factor_grid::FactorGrid;
use crate::published::raw_cache::{
    Geometry, ImageCache, RawCacheError, RawCacheProblem, Sha256Bytes, SourceStamp,
};

/// The path of the cache for `source`: in `directory`, or beside the file.
pub(crate) fn cache_path(source: &Path, directory: Option<&Path>) -> PathBuf {
    let mut name = source.file_name().unwrap_or_default().to_owned();
    name.push(".gwae-cache");
    match directory {
        Some(directory) => directory.join(name),
        None => source.with_file_name(name),
    }
}

/// The state of a cache before its source is read.
pub(crate) enum Found {
    /// It belongs to the source: length and modification time match, or the source is missing.
    Current(ImageCache),
    /// It may belong to the source, but the modification time of the source changed.
    Unsure(ImageCache),
    /// It is missing or cannot be used.
    Nothing,
}

/// Looks for the cache of `source` at `path`.
///
/// A file that is not a cache is an error, because it must not be overwritten.
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
        // Opening the source reports the error.
        Err(_) => return Ok(Found::Unsure(cache)),
    };
    Ok(match stamp {
        Some(stamp) if stamp != cache.header().source => Found::Unsure(cache),
        _ => Found::Current(cache),
    })
}

/// The grid numbers of a cache; all must be less than the grid's length.
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

/// The fingerprint of a dataset in one file: the hash of `kind` and the file's SHA-256. A file and
/// its cache have the same fingerprint, so a run can resume with either.
pub(crate) fn fingerprint(kind: &str, file: &Sha256Bytes) -> Sha256Bytes {
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets: ");
    hash.update(kind.as_bytes());
    hash.update(b", version 1\0");
    hash.update(file);
    hash.finalize().into()
}
