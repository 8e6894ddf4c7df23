//! Finds and decodes image files.

pub(crate) mod decode;
pub(crate) mod files;
pub(crate) mod jpeg;
pub(crate) mod limits;
