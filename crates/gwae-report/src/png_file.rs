//! Pictures as PNG files, written atomically.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, RgbImage};

use crate::error::ReportError;
use gwae_formats::atomic::write_atomically;

/// Encodes `picture` and replaces `path` with it.
pub(crate) fn save(picture: &RgbImage, path: &Path) -> Result<(), ReportError> {
    Ok(write_atomically(path, &encode(picture)?)?)
}

/// The bytes of a PNG file.
pub(crate) fn encode(picture: &RgbImage) -> Result<Vec<u8>, ReportError> {
    let mut encoded = Cursor::new(Vec::new());
    picture
        .write_to(&mut encoded, ImageFormat::Png)
        .map_err(|error| ReportError::Draw(error.to_string()))?;
    Ok(encoded.into_inner())
}
