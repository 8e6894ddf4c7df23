//! Access for the fuzz targets in `fuzz/` to private functions.

use crate::images::decode;
use crate::images::error::{ImageFileError, ImageFileProblem};
use crate::item::Image;

/// Like [`decode_image`](crate::decode_image), but may return only the square of `side` in the
/// centre.
pub fn decode_centre(file: &str, bytes: &[u8], side: usize) -> Result<Image, ImageFileError> {
    decode::decode_centre(file, bytes, Some(side))
}

/// Decodes a JPEG file with this crate's own decoder; `None` for an unsupported kind.
pub fn decode_own_jpeg(bytes: &[u8]) -> Option<Result<Image, ImageFileProblem>> {
    decode::decode_own_jpeg(bytes, None)
}

/// Decodes a JPEG file with the general decoder.
pub fn decode_any_jpeg(bytes: &[u8]) -> Result<Image, ImageFileProblem> {
    decode::decode_any_jpeg(bytes)
}

/// The version of the file at `url` in the record of the partial download of `target`.
#[cfg(feature = "download")]
pub fn recorded_validator(
    target: &std::path::Path,
    url: &str,
) -> Result<Option<String>, crate::published::file_error::DataFileError> {
    crate::download::recorded_validator(target, url)
}
