//! Encoded image files in a folder, or in a zip archive that is never unpacked.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::Crc;
use zip::ZipArchive;

use gwae_formats::positioned_file::SharedReader;
use gwae_formats::regular_file::open_regular;

use crate::images::archive::{self, io_problem, zip_error};
use crate::images::error::{ImageFileError, ImageFileProblem, MAX_FILE_BYTES, display, io_error};
use crate::images::folder;
use crate::images::listing::{FileEntry, Listing};
use crate::images::stamp::Stamp;

/// Initial capacity for a file's content. The buffer grows as data is read.
const INITIAL_CAPACITY: u64 = 1 << 20;

/// The files of one folder (with its sub-folders) or of one zip archive. Any thread can read them.
#[derive(Debug)]
pub(crate) struct FileTree {
    root: PathBuf,
    /// The archive at `root`, if it is not a folder. A clone shares the list of entries and the
    /// open file, but has its own read position.
    archive: Option<(ZipArchive<SharedReader>, Stamp)>,
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
            let archive = ZipArchive::new(file).map_err(|error| zip_error(display(root), error))?;
            Some((archive, Stamp::of(&metadata)))
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

    /// Every image, sorted by path. Hidden files and folders are left out, and so are the extra
    /// files that macOS and Windows add. Links are followed; each folder is read once.
    pub(crate) fn images(&self) -> Result<Listing, ImageFileError> {
        let mut listing = match &self.archive {
            Some((archive, stamp)) => archive::list(&self.root, archive, *stamp)?,
            None => folder::list(&self.root)?,
        };
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listing)
    }

    /// The content of a file. For an entry of an archive, the checksum is verified.
    pub(crate) fn read(&self, entry: &FileEntry) -> Result<Vec<u8>, ImageFileError> {
        match &self.archive {
            Some((archive, _)) => {
                // Cloning increases reference counts; nothing is opened or parsed again.
                let mut reader = archive.clone();
                let content = reader
                    .by_index(entry.number)
                    .map_err(|error| zip_error(self.name_of(entry), error))?;
                let size = content.size();
                read_bounded(content, size, io_problem)
                    .map_err(|problem| self.error(entry, problem))
            }
            None => {
                let path = self.root.join(&entry.path);
                open_regular(&path)
                    .map_err(ImageFileProblem::Io)
                    .and_then(|(file, _)| read_bounded(file, entry.bytes, ImageFileProblem::Io))
                    .map_err(|problem| self.error(entry, problem))
            }
        }
    }

    /// CRC-32 of the content of a file, if the file is in an archive, which stores it.
    pub(crate) fn stored_checksum(&self, entry: &FileEntry) -> Option<u32> {
        let (archive, _) = self.archive.as_ref()?;
        let listed = archive.by_index_data(entry.number).ok()?;
        Some(listed.crc32())
    }

    /// CRC-32 of the content of a file. It is computed in a folder and looked up in an archive.
    pub(crate) fn checksum(&self, entry: &FileEntry) -> Result<u32, ImageFileError> {
        match self.stored_checksum(entry) {
            Some(checksum) => Ok(checksum),
            None => Ok(crc_of(&self.read(entry)?)),
        }
    }

    /// The path of a file as the archive has it.
    pub(crate) fn stored_path(&self, entry: &FileEntry) -> PathBuf {
        let archive = self.archive.as_ref();
        let listed = archive.and_then(|(archive, _)| archive.by_index_data(entry.number).ok());
        let name = listed.and_then(|listed| listed.name().map(|name| PathBuf::from(&*name)).ok());
        name.unwrap_or_else(|| entry.path.clone())
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

/// CRC-32 of some bytes.
pub(crate) fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn read_bounded(
    reader: impl Read,
    expected: u64,
    failed: fn(io::Error) -> ImageFileProblem,
) -> Result<Vec<u8>, ImageFileProblem> {
    let mut bytes = Vec::with_capacity(expected.min(INITIAL_CAPACITY) as usize + 1);
    match reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 > MAX_FILE_BYTES => Err(ImageFileProblem::TooLarge),
        Ok(_) => Ok(bytes),
        Err(error) => Err(failed(error)),
    }
}
