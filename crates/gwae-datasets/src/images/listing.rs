//! The files of a folder or an archive.

use std::path::{Path, PathBuf};

use crate::images::passed_over::PassedOver;
use crate::images::stamp::Stamp;

/// One image file.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    /// Path relative to the folder or archive, without `.` and `..`.
    pub(crate) path: PathBuf,
    /// Size in bytes, uncompressed.
    pub(crate) bytes: u64,
    /// State of the file, or of the archive.
    pub(crate) stamp: Stamp,
    /// Position among the archive's entries; 0 in a folder.
    pub(super) number: usize,
}

/// All image files, sorted by path, and what was passed over.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<FileEntry>,
    pub(crate) passed_over: PassedOver,
}

/// Whether the name has the extension of a supported image format.
pub(super) fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["png", "jpg", "jpeg", "webp"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Whether a file or folder of this name is hidden, or one that systems add to folders and archives.
pub(super) fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
        || ["__MACOSX", "Thumbs.db", "desktop.ini"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
}
