//! Shared code of generated datasets: checks, fingerprints, and items in parallel.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::dataset::Dataset;
use crate::error::{DatasetError, SettingError};
use crate::image_shape::MAX_SIZE;
use crate::item::Item;
use gwae_formats::hexadecimal::hexadecimal;

/// Checks the side of an image.
pub(crate) fn check_size(size: usize) -> Result<(), DatasetError> {
    if (1..=MAX_SIZE).contains(&size) {
        Ok(())
    } else {
        Err(DatasetError::Setting(SettingError::Size { size }))
    }
}

/// Checks a count.
pub(crate) fn check_count(
    field: &'static str,
    count: usize,
    most: usize,
) -> Result<(), DatasetError> {
    if (1..=most).contains(&count) {
        Ok(())
    } else {
        Err(DatasetError::Setting(SettingError::Count {
            field,
            count,
            most,
        }))
    }
}

/// The digest of everything that determines a renderer's images: its name, its version, and the
/// side of the images.
pub(crate) fn recipe_fingerprint(renderer: &str, version: u32, size: usize) -> String {
    settings_fingerprint(&format!(
        "rendered {renderer}, version {version}, size {size}"
    ))
}

/// The digest of a text with everything that determines the images.
pub(crate) fn settings_fingerprint(settings: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("gwae-datasets: {settings}"));
    hexadecimal(&hash.finalize())
}

/// The items at `indices`, in that order, made on all threads of the current Rayon pool. For
/// datasets whose items take much work, such as rendered ones. The result equals that of calling
/// [`Dataset::item`] one by one.
///
/// # Errors
/// The error of an item that fails.
pub fn items_in_parallel<D: Dataset + ?Sized>(
    dataset: &D,
    indices: &[usize],
) -> Result<Vec<Item>, DatasetError> {
    indices
        .par_iter()
        .map(|&index| dataset.item(index))
        .collect()
}
