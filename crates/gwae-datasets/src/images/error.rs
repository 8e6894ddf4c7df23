//! The errors of image files, and of the folders and archives that hold them.

use std::io;
use std::path::Path;

use gwae_formats::one_line::one_line;

use crate::error::behind;

/// Maximum size of an encoded image file: 256 MiB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The error for an image file, archive or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct ImageFileError {
    /// The file or folder. A file in an archive is written as `archive.zip: path/in/archive.png`.
    pub file: String,
    /// The problem.
    pub problem: ImageFileProblem,
}

behind!(Files, ImageFileError);

/// A problem of an image file, archive or folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageFileProblem {
    /// It cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The archive, or one of its entries, is damaged or of an unsupported kind.
    #[error("damaged or unsupported zip data: {0}; download the archive again")]
    Zip(String),

    /// An entry of the archive is of a kind that is not read.
    #[error("{0}")]
    UnreadEntry(String),

    /// The name of an entry leads out of the archive.
    #[error("this name leads out of the archive; pack the archive again")]
    OutsideName,

    /// Two entries of the archive have the same name, or names of the same file.
    #[error("is in the archive twice{}; pack the archive again", also(other))]
    SameName {
        /// The other name; equal to the first one if both entries have the same.
        other: Option<String>,
    },

    /// Some images cannot be read.
    #[error(
        "{count} of {images} images cannot be read: {}; repair or remove them, or set \
         data.unreadable = \"skip\" to leave them out; `gwae data check folder --data DIRECTORY` \
         lists all",
        first_of(first, *count)
    )]
    Unreadable {
        /// Number of these images.
        count: usize,
        /// Number of all images.
        images: usize,
        /// The first of them, each with the reason.
        first: Vec<String>,
    },

    /// The folder or archive has no image.
    #[error("holds no image; give a folder with .png, .jpg, .jpeg or .webp files in it")]
    NoImages,

    /// The file is larger than the maximum for image files.
    #[error(
        "has more than {} bytes, which is no image of a dataset; remove it",
        MAX_FILE_BYTES
    )]
    TooLarge,

    /// The content is not in a supported format.
    #[error(
        "starts with bytes {}, which is neither PNG, JPEG nor WebP; convert or remove it",
        found.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
    )]
    UnknownFormat {
        /// The first bytes, at most four.
        found: Vec<u8>,
    },

    /// The header declares an image that is too large, or larger than the file can hold.
    #[error(
        "declares {width}×{height} pixels (width × height) in {bytes} bytes, which is empty, \
         above the limit of {} pixels, or impossible; the file is damaged or must be reduced",
        crate::images::limits::MAX_IMAGE_PIXELS
    )]
    Dimensions {
        /// The width in the header.
        width: usize,
        /// The height in the header.
        height: usize,
        /// Size of the file.
        bytes: usize,
    },

    /// The file ends before its end marker.
    #[error("{format} data is cut short after {bytes} bytes; download it again")]
    Truncated {
        /// `JPEG`.
        format: &'static str,
        /// Number of bytes in the file.
        bytes: usize,
    },

    /// The decoder failed.
    #[error("damaged {format} data: {message}; download it again")]
    Damaged {
        /// `PNG`, `JPEG` or `WebP`.
        format: &'static str,
        /// The message of the decoder.
        message: String,
    },

    /// The file is legal, but of a kind that is not read.
    #[error(
        "is a {format} file with {kind}, which is not read; convert it, for example with \
         `djpeg FILE | cjpeg > NEW.jpg`"
    )]
    Unsupported {
        /// `JPEG`.
        format: &'static str,
        /// What is special about it.
        kind: &'static str,
    },
}

impl ImageFileProblem {
    /// Whether the cause is the content of the file. Otherwise the system did not let it be read.
    pub(crate) fn is_of_content(&self) -> bool {
        !matches!(self, Self::Io(_))
    }

    /// The problem without the remedy, for lists.
    pub(crate) fn reason(&self) -> String {
        let message = self.to_string();
        let reason = message.split("; ").next().unwrap_or_default();
        one_line(reason)
    }
}

/// The path in the form that errors use; names in an archive may contain any characters.
pub(super) fn display(path: &Path) -> String {
    one_line(&path.display())
}

pub(super) fn io_error(path: &Path, error: io::Error) -> ImageFileError {
    ImageFileError {
        file: display(path),
        problem: ImageFileProblem::Io(error),
    }
}

fn also(other: &Option<String>) -> String {
    match other {
        Some(other) => format!(", also as {other}"),
        None => String::new(),
    }
}

fn first_of(first: &[String], count: usize) -> String {
    let mut text = first.join(", ");
    if count > first.len() {
        text.push_str(&format!(", and {} more", count - first.len()));
    }
    text
}
