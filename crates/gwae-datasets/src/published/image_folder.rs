//! Any folder of images as a dataset, for your own data.

use std::ffi::OsStr;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, out_of_range};
use crate::error::DatasetError;
use crate::images::checks::{Depth, check};
use crate::images::decode::decode_centre;
use crate::images::error::{ImageFileError, ImageFileProblem};
use crate::images::listing::{FileEntry, Listing};
use crate::images::memory::{Decoded, file_of};
use crate::images::tree::FileTree;
use crate::item::{FactorKind, FactorSpec, Item};
use crate::unreadable::Unreadable;
use gwae_formats::atomic::write_atomically;
use gwae_formats::hexadecimal::hexadecimal;
use gwae_formats::one_line::one_line;

/// Number of images that an error or a note names.
const NAMED: usize = 3;

/// All PNG, JPEG and WebP images below a folder or in a zip archive, sorted by path. All of them
/// are the training part.
///
/// Images are files named `.png`, `.jpg`, `.jpeg` or `.webp`, in lower or upper case. Other files
/// and hidden ones (names that start with a dot) are ignored. Links are followed, and each folder is
/// read once. Images may have any size and may be grey or coloured; see
/// [`decode_image`](crate::decode_image).
///
/// If every image is in a sub-folder, the first-level folders are the values of the factor `class`,
/// as in torchvision's `ImageFolder`. Otherwise there is no factor. A single folder that holds
/// everything and has sub-folders, as `zip -r pets.zip pets` makes it, does not count as a level.
///
/// The fingerprint covers paths, sizes and contents (CRC-32). It is the same for an archive and the
/// folder unpacked from it.
#[derive(Debug)]
pub struct ImageFolder {
    name: String,
    tree: FileTree,
    files: Vec<FileEntry>,
    /// The class of each file; empty without classes.
    labels: Vec<u32>,
    factors: Vec<FactorSpec>,
    classes: Vec<String>,
    fingerprint: String,
    former_fingerprint: String,
    /// Number of images that are not square.
    not_square: usize,
    notes: Vec<String>,
}

/// What [`ImageFolder::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderReport {
    /// Number of images.
    pub images: usize,
    /// The images that cannot be read, each with the reason.
    pub unreadable: Vec<(String, String)>,
    /// The files that are no images, counted by kind.
    pub passed_over: Option<String>,
}

impl ImageFolder {
    /// Opens the images below `path`. The last component of `path` becomes the dataset's name.
    /// All images are read and decoded once, on all cores.
    ///
    /// # Errors
    /// [`ImageFileError`] if a folder or an image cannot be read, the archive is damaged, or there
    /// is no image.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        Self::open_with(path, Unreadable::Refuse, None, &mut |_, _| {})
    }

    /// Like [`ImageFolder::open`], but with a choice of what becomes of images that cannot be
    /// decoded. What was learnt about the images is kept in the directory `memory`: an image whose
    /// size and times have not changed since is not read again. `progress` gets the numbers of
    /// images read and to be read, if that takes longer than a second.
    ///
    /// # Errors
    /// The same as [`ImageFolder::open`].
    pub fn open_with(
        path: &Path,
        unreadable: Unreadable,
        memory: Option<&Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, DatasetError> {
        let (tree, Listing { files, passed_over }) = listed(path)?;
        let known = check(&tree, &files, Depth::Image, memory, progress)?;
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for (file, known) in files.into_iter().zip(known) {
            match known.image {
                Some(Decoded::Unreadable(reason)) => left_out.push((file, known.crc, reason)),
                Some(Decoded::Size(height, width)) => kept.push((file, known.crc, height == width)),
                None => {}
            }
        }
        let images = kept.len() + left_out.len();
        let refused = unreadable == Unreadable::Refuse || kept.is_empty();
        if refused && !left_out.is_empty() {
            let first = left_out.iter().take(NAMED);
            return Err(failed(
                path,
                ImageFileProblem::Unreadable {
                    count: left_out.len(),
                    images,
                    first: first
                        .map(|(file, _, reason)| described(file, reason))
                        .collect(),
                },
            ));
        }
        let mut notes = Vec::new();
        let passed = passed_over.text();
        notes.extend(passed.map(|passed| format!("{}: passed over: {passed}", path.display())));
        if !left_out.is_empty() {
            notes.push(left_out_note(path, images, &left_out, memory));
        }
        Ok(Self::of(path, tree, kept, &left_out, notes))
    }

    /// Reads and decodes all images below `path`, whatever is known about them.
    ///
    /// # Errors
    /// [`ImageFileError`] if the folder cannot be read, the archive is damaged, there is no image,
    /// or the system refuses to read an image.
    pub fn check(
        path: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<FolderReport, DatasetError> {
        let (tree, Listing { files, passed_over }) = listed(path)?;
        let known = check(&tree, &files, Depth::Image, None, progress)?;
        let images = files.len();
        let unreadable = files.iter().zip(known);
        let unreadable = unreadable.filter_map(|(file, known)| match known.image {
            Some(Decoded::Unreadable(reason)) => Some((tree.name_of(file), reason)),
            _ => None,
        });
        Ok(FolderReport {
            images,
            unreadable: unreadable.collect(),
            passed_over: passed_over.text(),
        })
    }

    /// `files`: each with its checksum, and whether it is square.
    fn of(
        path: &Path,
        tree: FileTree,
        files: Vec<(FileEntry, u32, bool)>,
        left_out: &[(FileEntry, u32, String)],
        notes: Vec<String>,
    ) -> Self {
        let not_square = files.iter().filter(|(_, _, is_square)| !is_square).count();
        let all = files.iter().map(|(file, _, _)| file);
        let all = all.chain(left_out.iter().map(|(file, _, _)| file));
        let levels = common_levels(&all.map(|file| &*file.path).collect::<Vec<_>>());
        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets: image folder, version 2\0");
        for (file, crc, _) in &files {
            add_file(&mut hash, file, *crc, levels.all);
        }
        // With other files left out, it is another dataset.
        for (file, crc, _) in left_out {
            hash.update(b"left out\0");
            add_file(&mut hash, file, *crc, levels.all);
        }
        let files: Vec<FileEntry> = files.into_iter().map(|(file, _, _)| file).collect();
        let (labels, classes) = classes(&files, levels.before_classes).unwrap_or_default();
        let factors = match classes.len() {
            0 => Vec::new(),
            values => vec![FactorSpec {
                name: "class".to_owned(),
                kind: FactorKind::Categorical,
                values: values as u32,
            }],
        };
        let name = path.file_stem().unwrap_or(OsStr::new("images"));
        Self {
            name: name.to_string_lossy().into_owned(),
            fingerprint: hexadecimal(&hash.finalize()),
            former_fingerprint: former_fingerprint(&tree, &files),
            tree,
            files,
            labels,
            factors,
            classes,
            not_square,
            notes,
        }
    }

    /// Number of images that are not square.
    pub fn not_square(&self) -> usize {
        self.not_square
    }

    /// Adds a line to [`Dataset::notes`].
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Path of the image at `index`, relative to the folder; `None` beyond the end.
    pub fn path(&self, index: usize) -> Option<&Path> {
        self.files.get(index).map(|file| file.path.as_path())
    }

    fn read(&self, index: usize, crop: Option<usize>) -> Result<Item, DatasetError> {
        let Some(file) = self.files.get(index) else {
            return Err(out_of_range(self, index));
        };
        let bytes = self.tree.read(file)?;
        Ok(Item {
            image: decode_centre(&self.tree.name_of(file), &bytes, crop)?,
            factors: self.labels.get(index).copied().into_iter().collect(),
        })
    }
}

impl Dataset for ImageFolder {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.files.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        self.read(index, None)
    }

    fn cropped_item(&self, index: usize, side: usize) -> Result<Item, DatasetError> {
        self.read(index, Some(side))
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.factors
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        (factor < self.factors.len()).then_some(&self.classes)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn former_fingerprints(&self) -> Vec<String> {
        vec![self.former_fingerprint.clone()]
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

/// The folder or archive at `path` and its images, at least one.
fn listed(path: &Path) -> Result<(FileTree, Listing), DatasetError> {
    let tree = FileTree::open(path)?;
    let listing = tree.images()?;
    if listing.files.is_empty() {
        return Err(failed(path, ImageFileProblem::NoImages));
    }
    Ok((tree, listing))
}

fn failed(path: &Path, problem: ImageFileProblem) -> DatasetError {
    let file = one_line(&path.display());
    ImageFileError { file, problem }.into()
}

fn described(file: &FileEntry, reason: &str) -> String {
    format!("{} ({reason})", one_line(&file.path.display()))
}

/// The line for images that are left out. All of them are listed in a file in the directory `memory`.
fn left_out_note(
    path: &Path,
    images: usize,
    left_out: &[(FileEntry, u32, String)],
    memory: Option<&Path>,
) -> String {
    let lines = left_out
        .iter()
        .map(|(file, _, reason)| described(file, reason));
    let lines: Vec<String> = lines.collect();
    let count = lines.len();
    let start = format!(
        "{}: {count} of {images} images cannot be read and are left out",
        path.display()
    );
    let list = memory.and_then(|directory| {
        let file = file_of(directory, path).with_extension("txt");
        std::fs::create_dir_all(directory).ok()?;
        write_atomically(&file, (lines.join("\n") + "\n").as_bytes()).ok()?;
        Some(file)
    });
    match list {
        Some(file) => format!("{start}; {} lists them", file.display()),
        None => format!("{start}: {}", lines[..count.min(NAMED)].join(", ")),
    }
}

fn add_file(hash: &mut Sha256, file: &FileEntry, crc: u32, levels: usize) {
    for part in file.path.iter().skip(levels) {
        hash.update(part.as_encoded_bytes());
        hash.update(b"/");
    }
    hash.update([0]);
    hash.update(file.bytes.to_le_bytes());
    hash.update(crc.to_le_bytes());
}

/// The fingerprint before version 2. It covers the paths and sizes of the files, in their order.
fn former_fingerprint(tree: &FileTree, files: &[FileEntry]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets: image folder, version 1\0");
    for file in files {
        hash.update(tree.stored_path(file).as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(file.bytes.to_le_bytes());
    }
    hexadecimal(&hash.finalize())
}

/// Numbers of folders that all files have in common.
struct CommonLevels {
    all: usize,
    /// Without a last one that directly holds all files: it is their class.
    before_classes: usize,
}

fn common_levels(paths: &[&Path]) -> CommonLevels {
    let parents: Vec<Vec<&OsStr>> = paths
        .iter()
        .map(|path| path.parent().unwrap_or(Path::new("")).iter().collect())
        .collect();
    let shortest = parents.iter().map(Vec::len).min().unwrap_or(0);
    let all = (0..shortest)
        .take_while(|&level| {
            parents
                .iter()
                .all(|parent| parent[level] == parents[0][level])
        })
        .count();
    let has_sub_folders = parents.iter().any(|parent| parent.len() > all);
    CommonLevels {
        all,
        before_classes: if has_sub_folders {
            all
        } else {
            all.saturating_sub(1)
        },
    }
}

/// The class of every file and the names of the classes, if every file is in a sub-folder below the first `levels`
/// levels.
fn classes(files: &[FileEntry], levels: usize) -> Option<(Vec<u32>, Vec<String>)> {
    let mut labels = Vec::with_capacity(files.len());
    let mut names: Vec<&OsStr> = Vec::new();
    for file in files {
        let mut parts = file.path.iter().skip(levels);
        let class = parts.next()?;
        // A file below the first component: so that component is a folder.
        parts.next()?;
        // Files are sorted by path, so those of one folder are adjacent.
        if names.last() != Some(&class) {
            names.push(class);
        }
        labels.push(names.len() as u32 - 1);
    }
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    Some((labels, names.collect()))
}
