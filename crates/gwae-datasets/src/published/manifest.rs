//! Manifests: the files of a dataset, their addresses, checksums and terms.
//!
//! The manifests are the TOML files in this crate's `datasets/`. They are compiled into the
//! library. Each lists the published files. A file may also be accepted in other forms, such as the
//! same IDX data without compression, or an archive that is already unpacked into a folder. For
//! every checksum, the manifest says who published it. If no checksum is known, the manifest says
//! so, and the file counts as unverified even if its size is right.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::published::checksum::Checksum;
use crate::published::file_error::{DataFileError, DataFileProblem};
use gwae_formats::one_line::one_line;

/// The manifests of this build: name and TOML text.
const EMBEDDED: [(&str, &str); 7] = [
    ("mnist", include_str!("../../datasets/mnist.toml")),
    (
        "fashion-mnist",
        include_str!("../../datasets/fashion-mnist.toml"),
    ),
    ("kmnist", include_str!("../../datasets/kmnist.toml")),
    ("omniglot", include_str!("../../datasets/omniglot.toml")),
    ("shapes3d", include_str!("../../datasets/shapes3d.toml")),
    ("dsprites", include_str!("../../datasets/dsprites.toml")),
    ("celeba", include_str!("../../datasets/celeba.toml")),
];

static MANIFESTS: LazyLock<Vec<Manifest>> = LazyLock::new(|| {
    EMBEDDED
        .iter()
        .map(|(name, text)| {
            Manifest::parse(&format!("datasets/{name}.toml"), text)
                .expect("embedded manifests are valid: a test reads them all")
        })
        .collect()
});

/// All datasets that can be downloaded and verified, in the order of display.
pub fn manifests() -> &'static [Manifest] {
    &MANIFESTS
}

/// The manifest of the dataset `name`, such as `fashion-mnist` or `fashion_mnist`.
///
/// # Errors
/// [`DataFileProblem::UnknownDataset`] with all known names.
pub fn manifest(name: &str) -> Result<&'static Manifest, DataFileError> {
    let hyphenated = name.replace('_', "-");
    manifests()
        .iter()
        .find(|manifest| manifest.name == hyphenated)
        .ok_or_else(|| {
            let known: Vec<&str> = manifests().iter().map(|m| m.name.as_str()).collect();
            DataFileProblem::UnknownDataset {
                known: known.join(", "),
            }
            .of(name)
        })
}

/// The manifest of a dataset whose files are not part of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Short name for commands: lower-case letters, digits and hyphens.
    pub name: String,
    /// Name in the spelling of its authors.
    pub title: String,
    /// One line: number, kind and size of the images.
    pub description: String,
    /// Web page of the authors.
    pub homepage: String,
    /// SPDX identifier of the licence, or the terms in a few words.
    pub licence: String,
    /// Address of the full terms.
    pub licence_url: String,
    /// The work to cite when using it.
    pub citation: String,
    /// Folders of a user's directory in which other programs put the files, such as `MNIST/raw`.
    pub folders: Vec<String>,
    /// The published files.
    pub files: Vec<ManifestFile>,
    /// Set if a person must fetch the files.
    pub manual: Option<Manual>,
}

/// One published file of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// The published form.
    pub published: FileForm,
    /// Other forms that the readers accept.
    pub also: Vec<FileForm>,
    /// Addresses, in the order to try them.
    pub urls: Vec<String>,
    /// Whether the dataset is complete without it.
    pub optional: bool,
    /// Whether the dataset can be used if only this file is there, as a smaller one.
    pub alone: bool,
}

impl ManifestFile {
    /// The published form, then the others.
    pub fn forms(&self) -> impl Iterator<Item = &FileForm> {
        std::iter::once(&self.published).chain(&self.also)
    }
}

/// One form of a file: its name, and how to check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileForm {
    /// Name within the dataset's directory.
    pub name: String,
    /// Its size.
    pub size: FormSize,
    /// How to verify its content.
    pub proof: Proof,
}

/// The size of a form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormSize {
    /// A file of exactly this many bytes.
    Bytes(u64),
    /// A file whose exact size is not known, with at most this many bytes.
    BytesAtMost(u64),
    /// A folder with this many entries, not counting names that start with a dot.
    Entries(u64),
}

impl FormSize {
    /// The exact number of bytes, if known.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::BytesAtMost(_) | Self::Entries(_) => None,
        }
    }

    /// Whether a file of `bytes` bytes can have this form.
    pub(crate) fn admits(self, bytes: u64) -> bool {
        match self {
            Self::Bytes(exactly) => bytes == exactly,
            Self::BytesAtMost(most) => (1..=most).contains(&bytes),
            Self::Entries(_) => false,
        }
    }
}

impl fmt::Display for FormSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(formatter, "{bytes} bytes"),
            Self::BytesAtMost(bytes) => write!(formatter, "at most {bytes} bytes"),
            Self::Entries(entries) => write!(formatter, "a folder of {entries} entries"),
        }
    }
}

/// How to verify the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a published checksum.
    Checksum {
        /// The checksum.
        checksum: Checksum,
        /// Who published it, or how it was computed.
        source: String,
    },
    /// No checksum is known. Only the size is compared.
    None {
        /// Why no checksum is known.
        reason: String,
    },
}

impl Proof {
    /// The checksum, if there is one.
    pub fn checksum(&self) -> Option<&Checksum> {
        match self {
            Self::Checksum { checksum, .. } => Some(checksum),
            Self::None { .. } => None,
        }
    }
}

/// Why and how a person must fetch the files of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// Why a program may not fetch them.
    pub reason: String,
    /// The steps, in order; `{dir}` stands for the directory.
    pub steps: Vec<String>,
}

impl Manifest {
    /// Reads a manifest from TOML text. Errors call it `origin`.
    ///
    /// # Errors
    /// [`DataFileProblem::ManifestSyntax`] for invalid TOML and for missing, unknown and mistyped
    /// keys. [`DataFileProblem::ManifestValue`] for values that cannot be used: empty texts, file
    /// names that leave the directory or appear twice, checksums of the wrong length, sizes of
    /// zero, addresses that are not HTTP, and a file without an address and without manual steps.
    pub fn parse(origin: &str, text: &str) -> Result<Self, DataFileError> {
        let table: ManifestTable = toml::from_str(text).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start).min(text.len());
            DataFileProblem::ManifestSyntax {
                line: 1 + text.as_bytes()[..before]
                    .iter()
                    .filter(|&&byte| byte == b'\n')
                    .count(),
                // The message quotes the text, which may contain any characters.
                message: one_line(&error.message().replace('\n', " ")),
            }
            .of(origin)
        })?;
        table.check().map_err(|problem| problem.of(origin))
    }

    /// Total size of all published files in bytes; `None` if the size of one file is not known.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().try_fold(0u64, |sum, file| {
            sum.checked_add(file.published.size.bytes()?)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestTable {
    name: String,
    title: String,
    description: String,
    homepage: String,
    licence: String,
    licence_url: String,
    citation: String,
    #[serde(default)]
    folders: Vec<String>,
    manual: Option<Manual>,
    files: Vec<FileTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    name: String,
    bytes: Option<u64>,
    bytes_at_most: Option<u64>,
    sha256: Option<String>,
    md5: Option<String>,
    checksum_source: Option<String>,
    unverified: Option<String>,
    #[serde(default)]
    urls: Vec<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    alone: bool,
    #[serde(default)]
    also: Vec<FormTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormTable {
    name: String,
    bytes: Option<u64>,
    entries: Option<u64>,
    sha256: Option<String>,
    md5: Option<String>,
    checksum_source: Option<String>,
    unverified: Option<String>,
}

fn invalid(field: impl Into<String>, message: impl Into<String>) -> DataFileProblem {
    DataFileProblem::ManifestValue {
        field: field.into(),
        message: message.into(),
    }
}

impl ManifestTable {
    fn check(self) -> Result<Manifest, DataFileProblem> {
        if self.name.is_empty()
            || !self
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(invalid(
                "name",
                format!(
                    "{:?} is not made of lower-case letters, digits and hyphens",
                    self.name
                ),
            ));
        }
        for (field, text) in [
            ("title", &self.title),
            ("description", &self.description),
            ("licence", &self.licence),
            ("citation", &self.citation),
        ] {
            if text.trim().is_empty() || text.contains(char::is_control) {
                return Err(invalid(field, "is not one line of text"));
            }
        }
        check_url("homepage", &self.homepage)?;
        check_url("licence_url", &self.licence_url)?;
        if self.files.is_empty() {
            return Err(invalid("files", "there is none"));
        }
        if let Some(manual) = &self.manual
            && (manual.steps.is_empty() || manual.reason.trim().is_empty())
        {
            return Err(invalid("manual", "reason and steps must not be empty"));
        }
        for name in self.folders.iter().flat_map(|folder| folder.split('/')) {
            check_name("folders", name)?;
        }
        let by_hand = self.manual.is_some();
        let files = self
            .files
            .into_iter()
            .map(|file| file.check(by_hand))
            .collect::<Result<Vec<_>, _>>()?;
        let mut names = BTreeSet::new();
        for file in &files {
            // One file may have several forms with the same name, but two files may not share a
            // name.
            let own: BTreeSet<&str> = file.forms().map(|form| form.name.as_str()).collect();
            if let Some(twice) = own.iter().find(|name| !names.insert(**name)) {
                return Err(invalid(
                    "files.name",
                    format!("{twice} belongs to two files"),
                ));
            }
        }
        Ok(Manifest {
            name: self.name,
            title: self.title,
            description: self.description,
            homepage: self.homepage,
            licence: self.licence,
            licence_url: self.licence_url,
            citation: self.citation,
            folders: self.folders,
            files,
            manual: self.manual,
        })
    }
}

impl FileTable {
    fn check(self, by_hand: bool) -> Result<ManifestFile, DataFileProblem> {
        // This check comes first, because later errors name the file.
        check_name("files.name", &self.name)?;
        if self.urls.is_empty() && !by_hand {
            return Err(invalid(
                format!("{}.urls", self.name),
                "there is none, and no manual steps",
            ));
        }
        for url in &self.urls {
            check_url(&format!("{}.urls", self.name), url)?;
        }
        let size = match (self.bytes, self.bytes_at_most) {
            (Some(bytes), None) => FormSize::Bytes(bytes),
            (None, Some(bytes)) => FormSize::BytesAtMost(bytes),
            _ => {
                return Err(invalid(&self.name, "needs either bytes or bytes_at_most"));
            }
        };
        let published = form(
            self.name,
            size,
            self.sha256,
            self.md5,
            self.checksum_source,
            self.unverified,
        )?;
        if matches!(published.size, FormSize::BytesAtMost(_))
            && published.proof.checksum().is_none()
        {
            return Err(invalid(
                &published.name,
                "without an exact size it needs a checksum",
            ));
        }
        let also = self
            .also
            .into_iter()
            .map(|also| {
                check_name("files.name", &also.name)?;
                let size = match (also.bytes, also.entries) {
                    (Some(bytes), None) => FormSize::Bytes(bytes),
                    (None, Some(entries)) => FormSize::Entries(entries),
                    _ => return Err(invalid(&also.name, "needs either bytes or entries")),
                };
                let form = form(
                    also.name,
                    size,
                    also.sha256,
                    also.md5,
                    also.checksum_source,
                    also.unverified,
                )?;
                if matches!(size, FormSize::Entries(_)) && form.proof.checksum().is_some() {
                    return Err(invalid(&form.name, "a folder has no checksum"));
                }
                Ok(form)
            })
            .collect::<Result<_, _>>()?;
        Ok(ManifestFile {
            published,
            also,
            urls: self.urls,
            optional: self.optional,
            alone: self.alone,
        })
    }
}

/// Whether the name is plain. The downloader and the check join it to the user's directory.
fn check_name(field: &str, name: &str) -> Result<(), DataFileProblem> {
    let plain = !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if plain {
        return Ok(());
    }
    Err(invalid(
        field,
        format!("{name:?} is not made of letters, digits, '-', '_' and '.'"),
    ))
}

fn form(
    name: String,
    size: FormSize,
    sha256: Option<String>,
    md5: Option<String>,
    source: Option<String>,
    unverified: Option<String>,
) -> Result<FileForm, DataFileProblem> {
    let (FormSize::Bytes(amount) | FormSize::BytesAtMost(amount) | FormSize::Entries(amount)) =
        size;
    if amount == 0 {
        return Err(invalid(name, "a size of 0"));
    }
    let checksum = match (sha256, md5) {
        (Some(digits), None) => Some((64, Checksum::Sha256(digits))),
        (None, Some(digits)) => Some((32, Checksum::Md5(digits))),
        (None, None) => None,
        (Some(_), Some(_)) => return Err(invalid(name, "give one of sha256 and md5, not both")),
    };
    let proof = match (checksum, source, unverified) {
        (Some((length, checksum)), Some(source), None) => {
            let (Checksum::Sha256(digits) | Checksum::Md5(digits)) = &checksum;
            let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            if digits.len() != length || !digits.bytes().all(hexadecimal) {
                return Err(invalid(
                    name,
                    format!("{digits:?} is not {length} lower-case hexadecimal digits"),
                ));
            }
            Proof::Checksum { checksum, source }
        }
        (None, None, Some(reason)) => Proof::None { reason },
        _ => {
            return Err(invalid(
                name,
                "needs either a checksum with its checksum_source, or the reason why it stays \
                 unverified",
            ));
        }
    };
    Ok(FileForm { name, size, proof })
}

fn check_url(field: &str, url: &str) -> Result<(), DataFileProblem> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !url.contains(|c: char| c.is_whitespace()) => Ok(()),
        _ => Err(invalid(field, format!("{url:?} is no HTTP address"))),
    }
}
