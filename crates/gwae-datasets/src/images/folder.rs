//! Lists the images of a folder and its sub-folders.
//!
//! Links are followed. Each real folder is read once: folders that are no links come first, then those that links
//! lead to, in the order of the links' paths. So links that lead to each other end.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::images::error::{ImageFileError, display, io_error};
use crate::images::listing::{FileEntry, Listing, is_hidden, is_image};
use crate::images::stamp::Stamp;

/// Tells folders apart, whatever path leads to them.
#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // It can fail on other systems.
fn identity(_: &Path, metadata: &Metadata) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> io::Result<Identity> {
    fs::canonicalize(path)
}

/// A folder to read.
struct Folder {
    /// Path relative to the root.
    below: PathBuf,
    /// Path without links.
    real: PathBuf,
}

/// A link to a folder.
struct Link {
    below: PathBuf,
    /// Path without links of the folder that has the link.
    parent: PathBuf,
}

/// The images below `root`, not sorted.
pub(super) fn list(root: &Path) -> Result<Listing, ImageFileError> {
    let failed = |error| io_error(root, error);
    let real = fs::canonicalize(root).map_err(failed)?;
    let metadata = fs::metadata(root).map_err(failed)?;
    let mut walk = Walk {
        root,
        read: HashSet::from([identity(root, &metadata).map_err(failed)?]),
        links: BTreeMap::new(),
        listing: Listing::default(),
    };
    let first = Folder {
        below: PathBuf::new(),
        real: real.clone(),
    };
    walk.read_all(first)?;
    while !walk.links.is_empty() {
        let mut links: Vec<_> = std::mem::take(&mut walk.links).into_iter().collect();
        links.sort_by(|(_, a), (_, b)| a.below.cmp(&b.below));
        for (target, link) in links {
            walk.follow(target, link, &real)?;
        }
    }
    Ok(walk.listing)
}

struct Walk<'a> {
    root: &'a Path,
    /// The folders that were read.
    read: HashSet<Identity>,
    /// Links to folders that are not read yet; of several links to one folder the first.
    links: BTreeMap<Identity, Link>,
    listing: Listing,
}

impl Walk<'_> {
    /// Reads a folder and all below it that are no links.
    fn read_all(&mut self, first: Folder) -> Result<(), ImageFileError> {
        let mut open = vec![first];
        while let Some(folder) = open.pop() {
            let is_root = folder.below.as_os_str().is_empty();
            let path = match is_root {
                true => self.root.to_owned(),
                false => self.root.join(&folder.below),
            };
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                // Such as lost+found at the top of a disk. The root itself must be readable.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !is_root => {
                    let name = display(&folder.below);
                    self.listing.passed_over.closed_folder(name);
                    continue;
                }
                Err(error) => return Err(io_error(&path, error)),
            };
            for entry in entries {
                let entry = entry.map_err(|error| io_error(&path, error))?;
                open.extend(self.entry(&folder, &entry)?);
            }
        }
        Ok(())
    }

    /// Lists a file, or returns a folder to read.
    fn entry(
        &mut self,
        folder: &Folder,
        entry: &DirEntry,
    ) -> Result<Option<Folder>, ImageFileError> {
        let name = entry.file_name();
        if is_hidden(&name) {
            return Ok(None);
        }
        let below = folder.below.join(&name);
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| io_error(&path, error))?;
        // The metadata of ignored files is not read.
        if kind.is_file() && !is_image(&below) {
            self.listing.passed_over.file(&below);
            return Ok(None);
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_image(&below) => return Err(io_error(&path, error)),
            Err(_) if kind.is_dir() => {
                self.listing.passed_over.closed_folder(display(&below));
                return Ok(None);
            }
            // A link to nothing, to itself, or to where this user may not look.
            Err(_) => {
                self.listing.passed_over.broken_links += 1;
                return Ok(None);
            }
        };
        if metadata.is_dir() {
            let target = identity(&path, &metadata).map_err(|error| io_error(&path, error))?;
            if kind.is_symlink() {
                self.remember(target, below, folder);
                return Ok(None);
            }
            self.read.insert(target);
            let real = folder.real.join(&name);
            return Ok(Some(Folder { below, real }));
        }
        if !metadata.is_file() {
            self.listing.passed_over.special += 1;
        } else if is_image(&below) {
            self.listing.files.push(FileEntry {
                path: below,
                bytes: metadata.len(),
                stamp: Stamp::of(&metadata),
                number: 0,
            });
        } else {
            self.listing.passed_over.file(&below);
        }
        Ok(None)
    }

    /// Remembers a link to a folder. Of several links to one folder, the first is followed.
    fn remember(&mut self, target: Identity, below: PathBuf, folder: &Folder) {
        if self.read.contains(&target) {
            self.listing.passed_over.repeated_folders += 1;
            return;
        }
        match self.links.get_mut(&target) {
            None => {
                let parent = folder.real.clone();
                self.links.insert(target, Link { below, parent });
            }
            Some(known) => {
                self.listing.passed_over.repeated_folders += 1;
                if below < known.below {
                    known.below = below;
                    known.parent.clone_from(&folder.real);
                }
            }
        }
    }

    /// Reads the folder behind a link, unless it was read or contains the link.
    fn follow(&mut self, target: Identity, link: Link, root: &Path) -> Result<(), ImageFileError> {
        let path = self.root.join(&link.below);
        let real = fs::canonicalize(&path).map_err(|error| io_error(&path, error))?;
        let contains_link = root.starts_with(&real) || link.parent.starts_with(&real);
        if contains_link || !self.read.insert(target) {
            self.listing.passed_over.repeated_folders += 1;
            return Ok(());
        }
        self.read_all(Folder {
            below: link.below,
            real,
        })
    }
}
