//! CelebA: 202,599 faces with forty attributes each, as JPEG.
//!
//! The files are those published at <https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html>: the
//! aligned and cropped images (178×218), `list_attr_celeba.txt` and `list_eval_partition.txt`.
//! Models see the central 144×144 pixels at 64×64: [`Celeba::transform`].

mod tables;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sha2::{Digest, Sha256};

pub use tables::{CelebaError, CelebaProblem, MAX_ATTRIBUTES};

use crate::dataset::{Dataset, out_of_range};
use crate::error::DatasetError;
use crate::images::checks::{Depth, check};
use crate::images::decode::decode_centre;
use crate::images::listing::FileEntry;
use crate::images::tree::FileTree;
use crate::item::{FactorKind, FactorSpec, Item};
use crate::transform::Transform;
use gwae_formats::hexadecimal::hexadecimal;
use tables::{Attributes, Partition, read_attributes, read_partition};

const IMAGES: &str = "img_align_celeba";
const ATTRIBUTES: &str = "list_attr_celeba.txt";
const PARTITION: &str = "list_eval_partition.txt";

/// CelebA. Each image is read and decoded when it is asked for.
///
/// Items are ordered by official part (training, validation, test), then by file name.
/// [`Split::official`](crate::Split::official) takes the parts unchanged. Every attribute is a
/// factor with the values 0 (absent, `-1` in the file) and 1 (present).
///
/// The fingerprint covers names, sizes and contents (CRC-32) of the images, attributes and parts. It
/// is the same for folder and archive.
#[derive(Debug)]
pub struct Celeba {
    tree: FileTree,
    images: Vec<FileEntry>,
    /// Bit `n` is attribute `n`.
    attributes: Vec<u64>,
    factors: Vec<FactorSpec>,
    value_names: [String; 2],
    /// Numbers of training, validation and test images.
    part_lens: [usize; 3],
    fingerprint: String,
    former_fingerprint: String,
}

impl Celeba {
    /// The transform of the official program: the central 144×144 pixels, resized with antialiasing
    /// to 64×64, in colour.
    ///
    /// torchvision gives the same result up to rounding: decoded pixels are equal, but its filter
    /// rounds to levels of 255 after each step. Over 1,000 photographs, the results differ by 0.26
    /// levels on average and by at most 1.0.
    pub fn transform() -> Transform {
        Transform::new(64, 3).cropped(144)
    }

    /// Opens the dataset in `directory`: `img_align_celeba.zip` or, if it is missing, the folder
    /// `img_align_celeba`, with `list_attr_celeba.txt` and `list_eval_partition.txt` in the same
    /// directory.
    ///
    /// # Errors
    /// [`ImageFileError`](crate::ImageFileError) if the images or the folder cannot be read;
    /// [`CelebaError`] if a list is missing or damaged, or if the lists and the images do not have
    /// exactly the same names.
    pub fn open(directory: &Path) -> Result<Self, DatasetError> {
        Self::open_with(directory, None, &mut |_, _| {})
    }

    /// Like [`Celeba::open`]. The checksums of images in a folder are kept in the directory `memory`:
    /// an image whose size and times have not changed since is not read again. `progress` gets the
    /// numbers of images read and to be read, if that takes longer than a second.
    ///
    /// # Errors
    /// The same as [`Celeba::open`].
    pub fn open_with(
        directory: &Path,
        memory: Option<&Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, DatasetError> {
        let archive = directory.join(format!("{IMAGES}.zip"));
        let images = match archive.exists() {
            true => archive,
            false => directory.join(IMAGES),
        };
        let lists = [ATTRIBUTES, PARTITION].map(|list| directory.join(list));
        Self::open_all(&images, &lists[0], &lists[1], memory, progress)
    }

    /// Opens the dataset from a folder or zip archive of images and the two lists.
    ///
    /// # Errors
    /// The same as [`Celeba::open`].
    pub fn open_files(
        images: &Path,
        attributes: &Path,
        partition: &Path,
    ) -> Result<Self, DatasetError> {
        Self::open_all(images, attributes, partition, None, &mut |_, _| {})
    }

    fn open_all(
        images: &Path,
        attributes: &Path,
        partition: &Path,
        memory: Option<&Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, DatasetError> {
        // The small files are read first, so that their errors show at once.
        let partition = read_partition(partition)?;
        let attributes = read_attributes(attributes)?;
        let tree = FileTree::open(images)?;
        let files = by_name(&tree, tree.images()?.files)?;
        let mut celeba = join(tree, files, &attributes, &partition)?;
        let (tree, images) = (&celeba.tree, &celeba.images);
        let known = check(tree, images, Depth::Checksum, memory, progress)?;
        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets: celeba, version 2\0");
        hash.update(celeba.former_fingerprint.as_bytes());
        for known in known {
            hash.update(known.crc.to_le_bytes());
        }
        celeba.fingerprint = hexadecimal(&hash.finalize());
        Ok(celeba)
    }

    fn read(&self, index: usize, crop: Option<usize>) -> Result<Item, DatasetError> {
        let Some(file) = self.images.get(index) else {
            return Err(out_of_range(self, index));
        };
        let bytes = self.tree.read(file)?;
        let attributes = self.attributes[index];
        Ok(Item {
            image: decode_centre(&self.tree.name_of(file), &bytes, crop)?,
            factors: (0..self.factors.len())
                .map(|attribute| (attributes >> attribute & 1) as u32)
                .collect(),
        })
    }
}

impl Dataset for Celeba {
    fn name(&self) -> &str {
        "celeba"
    }

    fn len(&self) -> usize {
        self.images.len()
    }

    fn train_len(&self) -> usize {
        self.part_lens[0]
    }

    fn validation_len(&self) -> usize {
        self.part_lens[1]
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
        (factor < self.factors.len()).then_some(&self.value_names)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn former_fingerprints(&self) -> Vec<String> {
        vec![self.former_fingerprint.clone()]
    }
}

/// The images by file name, from any level of the folder or archive.
fn by_name(
    tree: &FileTree,
    files: Vec<FileEntry>,
) -> Result<BTreeMap<String, FileEntry>, CelebaError> {
    let mut images = BTreeMap::new();
    for file in files {
        let name = file.path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        if images.contains_key(&name) {
            return Err(CelebaError {
                file: tree.name_of(&file),
                problem: CelebaProblem::RepeatedImage,
            });
        }
        images.insert(name, file);
    }
    Ok(images)
}

/// Every image with its part and attributes; all three sources must have the same names. The fingerprint over the
/// contents is left out.
fn join(
    tree: FileTree,
    mut files: BTreeMap<String, FileEntry>,
    attributes: &Attributes,
    partition: &Partition,
) -> Result<Celeba, CelebaError> {
    let mut rows: HashMap<&str, (usize, u64)> = attributes
        .rows
        .iter()
        .map(|row| (row.image.as_str(), (row.line, row.bits)))
        .collect();
    let mut items = Vec::with_capacity(partition.rows.len());
    for row in &partition.rows {
        let failed = |problem| CelebaError {
            file: partition.file.clone(),
            problem,
        };
        let image = || row.image.clone();
        let Some(file) = files.remove(&row.image) else {
            return Err(failed(CelebaProblem::AbsentImage {
                line: row.line,
                image: image(),
                images: tree.root().display().to_string(),
            }));
        };
        let Some((_, bits)) = rows.remove(row.image.as_str()) else {
            return Err(failed(CelebaProblem::NoRow {
                line: row.line,
                image: image(),
                other: attributes.file.clone(),
            }));
        };
        items.push((row.part, &row.image, file, bits));
    }
    // The remaining attributes have no part. The error names the first line.
    if let Some((image, (line, _))) = rows.into_iter().min_by_key(|(_, (line, _))| *line) {
        return Err(CelebaError {
            file: attributes.file.clone(),
            problem: CelebaProblem::NoRow {
                line,
                image: image.to_owned(),
                other: partition.file.clone(),
            },
        });
    }
    if let Some(file) = files.values().next() {
        return Err(CelebaError {
            file: tree.name_of(file),
            problem: CelebaProblem::UnlistedImage {
                list: partition.file.clone(),
            },
        });
    }
    items.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));

    let mut part_lens = [0; 3];
    // The fingerprint before version 2, without the contents of the images.
    let mut hash = Sha256::new();
    hash.update(b"gwae-datasets: celeba, version 1\0");
    for name in &attributes.names {
        hash.update(name.as_bytes());
        hash.update([0]);
    }
    for (part, name, file, bits) in &items {
        part_lens[usize::from(*part)] += 1;
        hash.update([*part]);
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(file.bytes.to_le_bytes());
        hash.update(bits.to_le_bytes());
    }
    if part_lens[0] == 0 {
        return Err(CelebaError {
            file: partition.file.clone(),
            problem: CelebaProblem::NoTraining,
        });
    }
    let factors = attributes.names.iter().map(|name| FactorSpec {
        name: name.clone(),
        kind: FactorKind::Categorical,
        values: 2,
    });
    Ok(Celeba {
        tree,
        factors: factors.collect(),
        attributes: items.iter().map(|(_, _, _, bits)| *bits).collect(),
        images: items.into_iter().map(|(_, _, file, _)| file).collect(),
        value_names: ["absent".to_owned(), "present".to_owned()],
        part_lens,
        fingerprint: String::new(),
        former_fingerprint: hexadecimal(&hash.finalize()),
    })
}
