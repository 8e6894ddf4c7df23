//! The names under which a published IDX file may be in a directory.
//!
//! The files are published as `train-images-idx3-ubyte.gz`. What unpacks them gives the same name without `.gz`, or
//! the name that is noted in the archive, `train-images.idx3-ubyte`, or a folder of such a name with the file in it.
//! A folder without the file and an empty file, which a failed attempt leaves, hide no other name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is known of one file in a directory.
pub(crate) enum IdxFile {
    /// The file is there.
    There(PathBuf),
    /// Only something that holds no data has one of its names.
    Useless { path: PathBuf, reason: &'static str },
    /// Nothing has one of its names.
    Missing,
}

/// Looks for a file by its published name without `.gz`.
pub(crate) fn find(directory: &Path, name: &str) -> IdxFile {
    let names: Vec<String> = spellings(name)
        .into_iter()
        .flat_map(|plain| [plain.clone(), format!("{plain}.gz")])
        .collect();
    let mut useless = IdxFile::Missing;
    for place in names.iter().map(|name| directory.join(name)) {
        let inside = || names.iter().map(|name| place.join(name));
        let reason = match look(&place) {
            Content::Data => return IdxFile::There(place),
            Content::Folder => match inside().find(|path| holds_data(path)) {
                Some(path) => return IdxFile::There(path),
                None => "is a folder without the file",
            },
            Content::Empty => "is empty",
            Content::LinkToNothing => "is a link to a file that is not there",
            Content::Nothing => continue,
        };
        if let IdxFile::Missing = useless {
            let path = place;
            useless = IdxFile::Useless { path, reason };
        }
    }
    useless
}

/// The paths that the file `name` of a manifest, with its `.gz` if it has one, may have.
pub(crate) fn paths(directory: &Path, name: &str) -> Vec<PathBuf> {
    let names = spellings(name);
    let path = |place: &String| {
        let place = directory.join(place);
        let mut inside = names.iter().map(|name| place.join(name));
        let found = inside.find(|path| names.len() > 1 && holds_data(path));
        found.unwrap_or(place)
    };
    names.iter().map(path).collect()
}

/// Whether `path` has data, so that a reader does not pass over it.
pub(crate) fn holds_data(path: &Path) -> bool {
    matches!(look(path), Content::Data)
}

/// The name and, for an IDX file, its name in the archive.
fn spellings(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if name.contains("-idx") {
        names.push(name.replacen("-idx", ".idx", 1));
    }
    names
}

enum Content {
    Data,
    Empty,
    Folder,
    LinkToNothing,
    Nothing,
}

fn look(path: &Path) -> Content {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Content::Folder,
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => Content::Empty,
        Ok(_) => Content::Data,
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Content::LinkToNothing,
            Err(_) => Content::Nothing,
        },
        Err(error) if error.kind() == ErrorKind::NotADirectory => Content::Nothing,
        // Reading the file will say what the problem is.
        Err(_) => Content::Data,
    }
}
