//! The images of a dataset in the form that a model takes.

use std::path::PathBuf;
use std::sync::Arc;

use super::by_name::{Preparation, changed, open_as_it_is, place, reporter};
use crate::config::{DataConfig, DatasetName};
use crate::dataset::Dataset;
use crate::derived::image_cache::CachedImages;
use crate::derived::transformed::Transformed;
use crate::error::DatasetError;
use crate::image_shape::ImageShape;
use crate::source::ImageSource;
use crate::split::Split;
use crate::transform::Transform;

/// The transform of every image of `data` for a model of this shape.
pub fn transform(data: &DataConfig, shape: ImageShape) -> Transform {
    let whole = Transform::to(shape).fitted(data.fit());
    match data.crop_side() {
        Some(side) => whole.cropped(side),
        None => whole,
    }
}

/// Opens the dataset that a valid `data` names, for a model that takes images of this shape. `progress` gets
/// reports about copies that are made on first use.
///
/// Images are cropped, resized, inverted, and then shuffled in patches. The shuffle comes last and works on
/// the pixels that the model sees. So a shuffled image has the pixels of the plain one (rounded to 8 bits, as
/// in a copy on disk), no patch comes from outside the crop, and resizing does not mix pixels across a seam.
///
/// # Errors
/// If files are missing or damaged, or a copy cannot be written.
pub fn open_images(
    data: &DataConfig,
    shape: ImageShape,
    progress: &mut dyn FnMut(Preparation),
) -> Result<ImageSource, DatasetError> {
    open_images_if(data, shape, progress, |_| Ok(()))
}

/// Like [`open_images`], but asks `accept` before a copy of the images at the model's size is made, which takes
/// minutes for large datasets. `accept` gets a dataset with the name, parts and fingerprint of the result.
///
/// # Errors
/// The same as [`open_images`], and the error of `accept`.
pub fn open_images_if<E: From<DatasetError>>(
    data: &DataConfig,
    shape: ImageShape,
    progress: &mut dyn FnMut(Preparation),
    accept: impl FnOnce(&dyn Dataset) -> Result<(), E>,
) -> Result<ImageSource, E> {
    let size = shape.height.max(shape.width);
    let dataset = open_as_it_is(data, size, progress)?;
    accept(changed(dataset.clone(), data)?.as_ref())?;
    Ok(images_of(dataset, data, shape, progress)?)
}

/// Like [`open_images`], but with a dataset that is already open, such as the user's own. `data` says how its
/// images are cropped and changed.
///
/// # Errors
/// If an image cannot be read or does not fit, or a copy cannot be written.
pub fn images_of(
    mut dataset: Arc<dyn Dataset>,
    data: &DataConfig,
    shape: ImageShape,
    progress: &mut dyn FnMut(Preparation),
) -> Result<ImageSource, DatasetError> {
    let mut transform = transform(data, shape);
    if let Some(directory) = resized_copy(data)? {
        let mut report = reporter(data, progress);
        let copy = CachedImages::open_or_create(dataset, transform, &directory, &mut report)?;
        dataset = Arc::new(copy);
        // The images are already cropped.
        transform.crop = None;
    } else if data.patch_shuffle.is_some() {
        dataset = Arc::new(Transformed::new(dataset, transform)?);
        transform.crop = None;
    }
    // This comes after the copy, so one copy serves all forms of the dataset.
    ImageSource::new(changed(dataset, data)?, transform)
}

/// The division of a dataset at the start of a run. Validation uses the official validation part or, if there
/// is none, a share of the training part drawn by `seed`. Each part has at most `data.limit` items.
///
/// # Errors
/// If no item is left to train on.
pub fn draw_split(
    dataset: &dyn Dataset,
    data: &DataConfig,
    seed: u64,
) -> Result<Split, DatasetError> {
    let split = match (data.validation_fraction, dataset.validation_len()) {
        (fraction, 1..) if fraction > 0.0 => Split::official(dataset)?,
        (fraction, _) => Split::draw(dataset, fraction, seed)?,
    };
    Ok(match data.limit {
        Some(limit) => split.limited(usize::try_from(limit).unwrap_or(usize::MAX), seed),
        None => split,
    })
}

/// The directory for a copy of the images at the model's size, for datasets that are slow without one.
fn resized_copy(data: &DataConfig) -> Result<Option<PathBuf>, DatasetError> {
    Ok(match data.dataset {
        DatasetName::Celeba => match &data.cache {
            Some(cache) => Some(cache.clone()),
            None => place(data)?,
        },
        DatasetName::Folder => data.cache.clone(),
        _ => None,
    })
}
