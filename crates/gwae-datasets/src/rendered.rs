//! What the rendered and the derived datasets have in common.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::fingerprint::hexadecimal;
use crate::transform::MAX_SIZE;
use crate::{Dataset, DatasetError, Item};

/// Checks the side of a picture that is asked for.
pub(crate) fn check_size(size: usize) -> Result<(), DatasetError> {
    if (1..=MAX_SIZE).contains(&size) {
        Ok(())
    } else {
        Err(DatasetError::Size { size })
    }
}

/// Checks how many of something are asked for.
pub(crate) fn check_count(
    field: &'static str,
    count: usize,
    most: usize,
) -> Result<(), DatasetError> {
    if (1..=most).contains(&count) {
        Ok(())
    } else {
        Err(DatasetError::Count { field, count, most })
    }
}

/// Digest of all that the pictures of a renderer follow from: which renderer it is, its
/// version, and the side of the pictures.
pub(crate) fn recipe_fingerprint(renderer: &str, version: u32, size: usize) -> String {
    settings_fingerprint(&format!(
        "rendered {renderer}, version {version}, size {size}"
    ))
}

/// Digest of all that pictures follow from, written out.
pub(crate) fn settings_fingerprint(settings: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("gwae-datasets: {settings}"));
    hexadecimal(&hash.finalize())
}

/// The items at `indices`, in that order, made on all threads of the current Rayon pool. For
/// datasets whose items take work, as rendered ones do; the result is that of calling
/// [`Dataset::item`] one by one.
///
/// # Errors
/// That of an item that has one.
pub fn items_in_parallel<D: Dataset + ?Sized>(
    dataset: &D,
    indices: &[usize],
) -> Result<Vec<Item>, DatasetError> {
    indices
        .par_iter()
        .map(|&index| dataset.item(index))
        .collect()
}
