//! Finds and decodes image files.

mod archive;
pub(crate) mod checks;
pub(crate) mod decode;
pub(crate) mod error;
mod folder;
pub(crate) mod jpeg;
mod jpeg_survey;
pub(crate) mod limits;
pub(crate) mod listing;
pub(crate) mod memory;
mod orientation;
mod passed_over;
mod png_chunks;
mod stamp;
pub(crate) mod tree;
