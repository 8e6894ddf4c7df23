//! Finds and decodes image files.

pub(crate) mod decode;
pub(crate) mod files;
pub(crate) mod jpeg;
mod jpeg_survey;
pub(crate) mod limits;
mod orientation;
mod png_chunks;
