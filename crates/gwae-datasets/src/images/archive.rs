//! Lists the images of a zip archive.
//!
//! Names become the paths that unpacking gives. `./` means the same directory, and a leading `/` or drive is left
//! out. In entries made on MS-DOS or Windows, where no name contains a backslash, it separates as `/` does.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use zip::{System, ZipArchive};

use gwae_formats::one_line::one_line;
use gwae_formats::positioned_file::SharedReader;
use gwae_formats::zip_entry::why_unread;

use crate::images::error::{ImageFileError, ImageFileProblem, display};
use crate::images::listing::{FileEntry, Listing, is_hidden, is_image};
use crate::images::stamp::Stamp;

/// The images of an archive, not sorted. `stamp` is that of the archive.
pub(super) fn list(
    root: &Path,
    archive: &ZipArchive<SharedReader>,
    stamp: Stamp,
) -> Result<Listing, ImageFileError> {
    let mut listing = Listing::default();
    // The names of the images as they are stored.
    let mut names: HashMap<PathBuf, String> = HashMap::new();
    let repeated = repeated_names(archive);
    let directory = archive.metadata();
    for number in 0..directory.len() {
        let named = |error| zip_error(format!("{}: entry {number}", display(root)), error);
        let entry = directory.entry(number).map_err(named)?;
        let name = entry.name().map_err(named)?;
        let failed = |problem| ImageFileError {
            file: format!("{}: {}", display(root), one_line(&name)),
            problem,
        };
        let backslashes = has_backslashes(entry.system());
        let path = match place(&name, backslashes) {
            Some(path) => path,
            None if is_image(Path::new(name.as_ref())) => {
                return Err(failed(ImageFileProblem::OutsideName));
            }
            None => continue,
        };
        let is_folder = entry.is_dir() || backslashes && name.ends_with('\\');
        if is_folder || path.iter().any(is_hidden) {
            continue;
        }
        if entry.is_symlink() {
            listing.passed_over.links += 1;
            continue;
        }
        if !is_image(&path) {
            listing.passed_over.file(&path);
            continue;
        }
        if let Some(reason) = why_unread(entry.compression(), entry.encrypted()) {
            return Err(failed(ImageFileProblem::UnreadEntry(reason)));
        }
        if repeated.contains(entry.name_raw()) {
            return Err(failed(ImageFileProblem::SameName { other: None }));
        }
        if let Some(other) = names.insert(path.clone(), name.clone().into_owned()) {
            let other = Some(one_line(&other));
            return Err(failed(ImageFileProblem::SameName { other }));
        }
        listing.files.push(FileEntry {
            path,
            bytes: entry.size(),
            stamp,
            number,
        });
    }
    Ok(listing)
}

/// Whether entries of this system use backslashes as separators.
fn has_backslashes(system: System) -> bool {
    matches!(
        system,
        System::Dos | System::Os2 | System::WindowsNTFS | System::VFAT
    )
}

/// The path at which unpacking puts an entry; `None` if it is outside of the folder.
fn place(name: &str, backslashes: bool) -> Option<PathBuf> {
    let is_separator = |character| character == '/' || backslashes && character == '\\';
    let mut parts: Vec<&str> = Vec::new();
    for (number, part) in name.split(is_separator).enumerate() {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            drive if number == 0 && backslashes && is_drive(drive) => {}
            part => parts.push(part),
        }
    }
    let path: PathBuf = parts.iter().collect();
    // On Windows, a part such as `c:x` leads elsewhere.
    let is_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    is_inside.then_some(path)
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// The names that more than one entry has. The reader keeps only one entry of each name, so the directory is read
/// again if there are any.
fn repeated_names(archive: &ZipArchive<SharedReader>) -> HashSet<Vec<u8>> {
    /// Length of an entry of the directory before its name, and the places of three lengths in it.
    const FIXED: usize = 46;
    const LENGTHS: [usize; 3] = [28, 30, 32];
    let mut repeated = HashSet::new();
    if !archive.has_duplicate_names() {
        return repeated;
    }
    let mut seen = HashSet::new();
    let mut offset = archive.central_directory_start();
    let reader = archive.clone().into_inner();
    let mut head = [0; FIXED];
    while reader.read_exact_at(&mut head, offset).is_ok() && head.starts_with(b"PK\x01\x02") {
        let [name, extra, comment] =
            LENGTHS.map(|place| u16::from_le_bytes([head[place], head[place + 1]]));
        let mut bytes = vec![0; usize::from(name)];
        offset += FIXED as u64;
        if reader.read_exact_at(&mut bytes, offset).is_err() {
            break;
        }
        offset += u64::from(name) + u64::from(extra) + u64::from(comment);
        if let Some(bytes) = seen.replace(bytes) {
            repeated.insert(bytes);
        }
    }
    repeated
}

pub(super) fn zip_error(file: String, error: zip::result::ZipError) -> ImageFileError {
    let problem = match error {
        zip::result::ZipError::Io(error) => io_problem(error),
        error => ImageFileProblem::Zip(one_line(&error)),
    };
    ImageFileError { file, problem }
}

/// The problem for a failed read. Some kinds of errors mean that the archive is damaged.
pub(super) fn io_problem(error: std::io::Error) -> ImageFileProblem {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof => ImageFileProblem::Zip(error.to_string()),
        _ => ImageFileProblem::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_paths_that_unpacking_gives() {
        for (name, backslashes, path) in [
            ("cats/1.png", false, Some("cats/1.png")),
            ("./cats/./1.png", false, Some("cats/1.png")),
            ("././1.png", false, Some("1.png")),
            ("/etc/1.png", false, Some("etc/1.png")),
            ("cats//1.png", false, Some("cats/1.png")),
            ("cats/../dogs/1.png", false, Some("dogs/1.png")),
            ("../1.png", false, None),
            ("cats/../../1.png", false, None),
            ("cats\\1.png", true, Some("cats/1.png")),
            (".\\cats\\1.png", true, Some("cats/1.png")),
            ("pets/cats\\1.png", true, Some("pets/cats/1.png")),
            ("C:\\cats\\1.png", true, Some("cats/1.png")),
            ("\\\\server\\cats\\1.png", true, Some("server/cats/1.png")),
            ("..\\1.png", true, None),
            ("", false, Some("")),
        ] {
            assert_eq!(place(name, backslashes), path.map(PathBuf::from), "{name}");
        }
        // On Unix, a backslash is a character like any other.
        #[cfg(unix)]
        assert_eq!(place("a\\1.png", false), Some("a\\1.png".into()));
    }
}
