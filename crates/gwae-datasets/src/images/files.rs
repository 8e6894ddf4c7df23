//! Encoded image files in a folder, or in a zip archive that is never unpacked.

use crate::error::behind;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::Crc;
use zip::ZipArchive;

use gwae_formats::one_line::one_line;
use gwae_formats::positioned_file::SharedReader;
use gwae_formats::regular_file::open_regular;

/// Maximum size of an encoded image file: 256 MiB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Initial capacity for a file's content. The buffer grows as data is read.
const INITIAL_CAPACITY: u64 = 1 << 20;

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

    /// A folder that contains itself.
    #[error("is a link to a folder that contains it; remove the link")]
    LinkLoop,

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

/// The files of one folder (with its sub-folders) or of one zip archive. Any thread can read them.
#[derive(Debug)]
pub(crate) struct FileTree {
    root: PathBuf,
    /// The archive at `root`, if it is not a folder. A clone shares the list of entries and the
    /// open file, but has its own read position.
    archive: Option<ZipArchive<SharedReader>>,
}

/// One file of a [`FileTree`].
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    /// Path relative to the root.
    pub(crate) path: PathBuf,
    /// Size in bytes, uncompressed.
    pub(crate) bytes: u64,
    /// Position among the archive's entries; 0 in a folder.
    number: usize,
}

impl FileTree {
    /// Opens the folder or zip archive at `root`. The list of an archive's entries is read once,
    /// here.
    pub(crate) fn open(root: &Path) -> Result<Self, ImageFileError> {
        let metadata = fs::metadata(root).map_err(|error| io_error(root, error))?;
        let archive = if metadata.is_dir() {
            None
        } else {
            let file = open_regular(root)
                .and_then(|(file, _)| SharedReader::new(file))
                .map_err(|error| io_error(root, error))?;
            Some(ZipArchive::new(file).map_err(|error| zip_error(display(root), error))?)
        };
        Ok(Self {
            root: root.to_owned(),
            archive,
        })
    }

    /// The folder or archive.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Every file whose path passes `keep`, sorted by path. Hidden files and folders are left out,
    /// and so are the extra files that macOS adds to archives. Links are followed.
    pub(crate) fn files(
        &self,
        keep: impl Fn(&Path) -> bool,
    ) -> Result<Vec<FileEntry>, ImageFileError> {
        let mut found = Vec::new();
        match &self.archive {
            Some(archive) => self.list(archive, &keep, &mut found)?,
            None => walk(
                &self.root,
                Path::new(""),
                &keep,
                &mut Vec::new(),
                &mut found,
            )?,
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn list(
        &self,
        archive: &ZipArchive<SharedReader>,
        keep: &impl Fn(&Path) -> bool,
        found: &mut Vec<FileEntry>,
    ) -> Result<(), ImageFileError> {
        let directory = archive.metadata();
        for number in 0..directory.len() {
            let named =
                |error| zip_error(format!("{}: entry {number}", display(&self.root)), error);
            let entry = directory.entry(number).map_err(named)?;
            let name = entry.name().map_err(named)?;
            let path = Path::new(name.as_ref());
            let hidden = path
                .iter()
                .any(|part| is_hidden(part) || part == "__MACOSX");
            if !entry.is_dir() && !hidden && keep(path) {
                found.push(FileEntry {
                    path: path.to_owned(),
                    bytes: entry.size(),
                    number,
                });
            }
        }
        Ok(())
    }

    /// The content of a file. For an entry of an archive, the checksum is verified.
    pub(crate) fn read(&self, entry: &FileEntry) -> Result<Vec<u8>, ImageFileError> {
        match &self.archive {
            Some(archive) => {
                // Cloning increases reference counts; nothing is opened or parsed again.
                let mut reader = archive.clone();
                let content = reader
                    .by_index(entry.number)
                    .map_err(|error| zip_error(self.name_of(entry), error))?;
                let size = content.size();
                read_bounded(content, size).map_err(|problem| self.error(entry, problem))
            }
            None => {
                let path = self.root.join(&entry.path);
                open_regular(&path)
                    .map_err(ImageFileProblem::Io)
                    .and_then(|(file, _)| read_bounded(file, entry.bytes))
                    .map_err(|problem| self.error(entry, problem))
            }
        }
    }

    /// CRC-32 of the content of a file. It is computed in a folder and looked up in an archive.
    pub(crate) fn checksum(&self, entry: &FileEntry) -> Result<u32, ImageFileError> {
        if let Some(archive) = &self.archive {
            return archive
                .metadata()
                .entry(entry.number)
                .map(|entry| entry.crc32())
                .map_err(|error| zip_error(self.name_of(entry), error));
        }
        let mut crc = Crc::new();
        crc.update(&self.read(entry)?);
        Ok(crc.sum())
    }

    /// The name of a file in errors.
    pub(crate) fn name_of(&self, entry: &FileEntry) -> String {
        match self.archive {
            Some(_) => format!("{}: {}", display(&self.root), display(&entry.path)),
            None => display(&self.root.join(&entry.path)),
        }
    }

    fn error(&self, entry: &FileEntry, problem: ImageFileProblem) -> ImageFileError {
        ImageFileError {
            file: self.name_of(entry),
            problem,
        }
    }
}

/// Whether the name has the extension of a supported image format.
pub(crate) fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["png", "jpg", "jpeg", "webp"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn walk(
    root: &Path,
    below: &Path,
    keep: &impl Fn(&Path) -> bool,
    // The real paths of the folders that contain this one.
    parents: &mut Vec<PathBuf>,
    found: &mut Vec<FileEntry>,
) -> Result<(), ImageFileError> {
    let folder = root.join(below);
    let failed = |error| io_error(&folder, error);
    let real = fs::canonicalize(&folder).map_err(failed)?;
    if parents.contains(&real) {
        return Err(ImageFileError {
            file: display(&folder),
            problem: ImageFileProblem::LinkLoop,
        });
    }
    parents.push(real);
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if is_hidden(&entry.file_name()) {
            continue;
        }
        let path = below.join(entry.file_name());
        let is_file = entry.file_type().map_err(failed)?.is_file();
        // The metadata of ignored files is not read.
        if is_file && !keep(&path) {
            continue;
        }
        let metadata =
            fs::metadata(entry.path()).map_err(|error| io_error(&entry.path(), error))?;
        if metadata.is_dir() {
            walk(root, &path, keep, parents, found)?;
        } else if metadata.is_file() && keep(&path) {
            found.push(FileEntry {
                path,
                bytes: metadata.len(),
                number: 0,
            });
        }
    }
    parents.pop();
    Ok(())
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn read_bounded(reader: impl Read, expected: u64) -> Result<Vec<u8>, ImageFileProblem> {
    let mut bytes = Vec::with_capacity(expected.min(INITIAL_CAPACITY) as usize + 1);
    match reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 > MAX_FILE_BYTES => Err(ImageFileProblem::TooLarge),
        Ok(_) => Ok(bytes),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Err(ImageFileProblem::Zip(error.to_string()))
        }
        Err(error) => Err(ImageFileProblem::Io(error)),
    }
}

/// The path in the form that errors use; names in an archive may contain any characters.
fn display(path: &Path) -> String {
    one_line(&path.display())
}

fn io_error(path: &Path, error: io::Error) -> ImageFileError {
    ImageFileError {
        file: display(path),
        problem: ImageFileProblem::Io(error),
    }
}

fn zip_error(file: String, error: zip::result::ZipError) -> ImageFileError {
    let problem = match error {
        zip::result::ZipError::Io(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidData
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::UnexpectedEof
            ) =>
        {
            ImageFileProblem::Io(error)
        }
        error => ImageFileProblem::Zip(one_line(&error)),
    };
    ImageFileError { file, problem }
}
