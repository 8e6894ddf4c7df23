//! Any folder of images as a dataset, for your own data.

use std::ffi::OsStr;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, out_of_range};
use crate::error::DatasetError;
use crate::images::decode::decode_centre;
use crate::images::files::{FileEntry, FileTree, is_image};
use crate::images::files::{ImageFileError, ImageFileProblem};
use crate::item::{FactorKind, FactorSpec, Item};
use gwae_formats::hexadecimal::hexadecimal;

/// All PNG, JPEG and WebP images below a folder or in a zip archive, sorted by path. All of them
/// are the training part.
///
/// Images are files named `.png`, `.jpg`, `.jpeg` or `.webp`, in lower or upper case. Other files
/// and hidden ones (names that start with a dot) are ignored. Links are followed. Images may have
/// any size and may be grey or coloured; see [`decode_image`](crate::decode_image).
///
/// If every image is in a sub-folder, the first-level folders are the values of the factor `class`,
/// as in torchvision's `ImageFolder`. Otherwise there is no factor.
///
/// The fingerprint covers paths and file sizes, not contents: reading a large folder takes minutes
/// at every start, and a change of a compressed image nearly always changes its size.
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
}

impl ImageFolder {
    /// Lists the images below `path`. The last component of `path` becomes the dataset's name.
    ///
    /// # Errors
    /// [`ImageFileError`] if a folder cannot be read, a link leads back to a folder that contains
    /// it, the archive is damaged, or there is no image.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let tree = FileTree::open(path)?;
        let files = tree.files(is_image)?;
        if files.is_empty() {
            return Err(ImageFileError {
                file: path.display().to_string(),
                problem: ImageFileProblem::NoImages,
            }
            .into());
        }
        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets: image folder, version 1\0");
        for file in &files {
            hash.update(file.path.as_os_str().as_encoded_bytes());
            hash.update([0]);
            hash.update(file.bytes.to_le_bytes());
        }
        let (labels, classes) = classes(&files).unwrap_or_default();
        let factors = match classes.len() {
            0 => Vec::new(),
            values => vec![FactorSpec {
                name: "class".to_owned(),
                kind: FactorKind::Categorical,
                values: values as u32,
            }],
        };
        let name = path.file_stem().unwrap_or(OsStr::new("images"));
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            tree,
            files,
            labels,
            factors,
            classes,
            fingerprint: hexadecimal(&hash.finalize()),
        })
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
}

/// The class of every file and the names of the classes, if every file is in a sub-folder.
fn classes(files: &[FileEntry]) -> Option<(Vec<u32>, Vec<String>)> {
    let mut labels = Vec::with_capacity(files.len());
    let mut names: Vec<&OsStr> = Vec::new();
    for file in files {
        let mut parts = file.path.iter();
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
