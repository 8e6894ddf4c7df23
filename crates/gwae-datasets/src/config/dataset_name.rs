//! The names of the datasets.

use serde::{Deserialize, Serialize};

/// A dataset that can train a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DatasetName {
    /// Ten thousand handwritten digits, embedded in the program.
    #[default]
    Digits,
    /// MNIST, from a directory with its IDX files.
    Mnist,
    /// Fashion-MNIST, from files with the same names.
    #[serde(alias = "fashion-mnist", alias = "fashionmnist")]
    FashionMnist,
    /// KMNIST, from files with the same names.
    Kmnist,
    /// Omniglot, from its archives or unpacked.
    Omniglot,
    /// 3D Shapes: rendered, or read from `3dshapes.h5` if a directory is given.
    Shapes3d,
    /// dSprites: rendered, or read from its `.npz` file if a directory is given.
    Dsprites,
    /// CelebA, from its images (in an archive or unpacked) and its lists.
    Celeba,
    /// Any folder or zip archive of images.
    Folder,
    /// Invented handwritten characters, rendered: a stand-in for Omniglot.
    #[serde(alias = "invented-characters")]
    InventedCharacters,
    /// Letters of a font that look like no digit, rendered.
    Letters,
    /// Noise at several smoothness levels.
    Noise,
    /// A dataset that the user's own program provides; it cannot be opened by name.
    Own,
}

impl DatasetName {
    /// Every dataset that can be opened by name.
    pub const ALL: [Self; 12] = [
        Self::Digits,
        Self::Mnist,
        Self::FashionMnist,
        Self::Kmnist,
        Self::Omniglot,
        Self::Shapes3d,
        Self::Dsprites,
        Self::Celeba,
        Self::Folder,
        Self::InventedCharacters,
        Self::Letters,
        Self::Noise,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion_mnist",
            Self::Kmnist => "kmnist",
            Self::Omniglot => "omniglot",
            Self::Shapes3d => "shapes3d",
            Self::Dsprites => "dsprites",
            Self::Celeba => "celeba",
            Self::Folder => "folder",
            Self::InventedCharacters => "invented_characters",
            Self::Letters => "letters",
            Self::Noise => "noise",
            Self::Own => "own",
        }
    }

    /// The name of its manifest, if it can be downloaded or verified.
    pub fn manifest(self) -> Option<&'static str> {
        match self {
            Self::Digits
            | Self::Folder
            | Self::InventedCharacters
            | Self::Letters
            | Self::Noise
            | Self::Own => None,
            Self::FashionMnist => Some("fashion-mnist"),
            _ => Some(self.name()),
        }
    }

    /// The files that its directory must hold; `None` if it needs no directory.
    pub(super) fn files(self) -> Option<&'static str> {
        match self {
            Self::Digits | Self::InventedCharacters | Self::Letters | Self::Noise | Self::Own => {
                None
            }
            Self::Mnist | Self::FashionMnist | Self::Kmnist => {
                Some("its four IDX files, with or without .gz")
            }
            Self::Omniglot => Some(
                "images_background and images_evaluation, or the small images_background_small1 \
                 and _small2, each as .zip or unpacked",
            ),
            Self::Shapes3d => Some("3dshapes.h5"),
            Self::Dsprites => Some("dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"),
            Self::Celeba => Some(
                "img_align_celeba (.zip or unpacked), list_attr_celeba.txt and \
                 list_eval_partition.txt",
            ),
            Self::Folder => Some("PNG, JPEG or WebP images, in subfolders where they have classes"),
        }
    }

    pub(super) fn needs_directory(self) -> bool {
        self.files().is_some() && !matches!(self, Self::Shapes3d | Self::Dsprites)
    }

    /// Whether the dataset can be in a single file.
    pub(super) fn may_be_a_file(self) -> bool {
        matches!(
            self,
            Self::Omniglot | Self::Shapes3d | Self::Dsprites | Self::Folder
        )
    }
}

impl std::fmt::Display for DatasetName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl std::str::FromStr for DatasetName {
    type Err = UnknownDataset;

    /// Accepts hyphens for underscores, and the names of the authors' program.
    fn from_str(name: &str) -> Result<Self, UnknownDataset> {
        let plain = name.replace('-', "_");
        Self::ALL
            .into_iter()
            .chain([Self::Own])
            .find(|dataset| dataset.name() == plain)
            .or((plain == "fashionmnist").then_some(Self::FashionMnist))
            .ok_or_else(|| UnknownDataset(name.to_owned()))
    }
}

/// The error for an unknown dataset name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dataset `{0}` is not known; choose one of: {names}", names = dataset_names())]
pub struct UnknownDataset(pub String);

/// All names.
fn dataset_names() -> String {
    DatasetName::ALL.map(DatasetName::name).join(", ")
}
