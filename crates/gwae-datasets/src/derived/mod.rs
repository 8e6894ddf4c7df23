//! Datasets made from other datasets, image by image.

pub(crate) mod image_cache;
pub(crate) mod inverted;
pub(crate) mod patch_shuffled;
pub(crate) mod source;
pub(crate) mod transformed;
