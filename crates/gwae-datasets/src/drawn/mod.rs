//! Datasets that are drawn from random numbers and a seed.

pub(crate) mod invented_characters;
pub(crate) mod letters;
pub(crate) mod noise_images;
pub(crate) mod pen;
