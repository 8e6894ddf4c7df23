//! What the fuzz targets in `fuzz/` reach besides the public interface.

use crate::decode;
use crate::{Image, ImageFileError, ImageFileProblem};

/// As [`decode_image`](crate::decode_image), perhaps only the square of `side` in the centre.
pub fn decode_centre(file: &str, bytes: &[u8], side: usize) -> Result<Image, ImageFileError> {
    decode::decode_centre(file, bytes, Some(side))
}

/// A JPEG file by this crate's own decoder; `None` for a kind that it does not read.
pub fn decode_own_jpeg(bytes: &[u8]) -> Option<Result<Image, ImageFileProblem>> {
    decode::decode_own_jpeg(bytes, None)
}

/// A JPEG file by the general decoder.
pub fn decode_any_jpeg(bytes: &[u8]) -> Result<Image, ImageFileProblem> {
    decode::decode_any_jpeg(bytes)
}

/// The version of the file at `url` that the partial download of `target` says it is of.
#[cfg(feature = "download")]
pub fn recorded_validator(
    target: &std::path::Path,
    url: &str,
) -> Result<Option<String>, crate::DataFileError> {
    crate::download::recorded_validator(target, url)
}
