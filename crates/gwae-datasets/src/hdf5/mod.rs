//! HDF5: the part of the format that datasets of images and labels are published in.
//!
//! Read are the datasets of the root group (symbol tables or link messages, superblock
//! versions 0 to 3, object headers 1 and 2) whose elements are unsigned bytes or little-endian
//! floats, contiguous or chunked (layout versions 3 to 5: B-tree, fixed array, single chunk, no
//! index), with the filters deflate, shuffle and Fletcher-32. That is what h5py writes for
//! arrays of fixed size, with its defaults and with `libver="latest"`. Everything else
//! is refused by name. The format: <https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>.
//!
//! # Why a reader of our own
//!
//! Four crates in pure Rust were tried in November 2026 on three small files by h5py 3.16
//! (contiguous; gzip, shuffle and Fletcher-32; `libver="latest"`) and 900 damaged copies
//! of each, cut short or with bytes changed, in a release build:
//!
//! | crate | crates it brings | lines of Rust | what was seen |
//! |---|---|---|---|
//! | `hdf5-pure` 0.47 | 8 | 127,000 | no panic; refuses `libver="latest"` (layout version 5); a breaking version about once a week; panics on crafted files are open issues |
//! | `hdf5-reader` 0.12 | 43 | 30,000 | reads all three, no panic; took 462 MB for a damaged file of 0.3 MB |
//! | `rust-hdf5` 0.7 | 16 | 102,000 | process aborted: it allocates what a damaged header declares |
//! | `oxih5` 0.2 | 17 | 20,000 | loads the whole file, or maps it (a truncated map kills the process) |
//!
//! The subset above takes some 2,000 lines without a new dependency, reads a file that is never
//! in memory as a whole, names the offset in every error, and allocates nothing on a header's
//! word alone: a block of metadata (16 MiB at most) or a stored chunk must lie inside the file
//! before it gets memory, and a chunk (64 MiB at most) grows to the size that its header states.

mod checksum;
mod chunk_cache;
mod chunk_index;
mod dataset;
mod error;
mod filter;
mod group;
mod message;
mod object_header;
mod source;
mod superblock;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use dataset::{HDF5_CHUNK_CACHE_BYTES, Hdf5Dataset};
pub use error::{Hdf5Error, Hdf5Problem};
pub use message::Hdf5Element;

use crate::positioned_file::PositionedFile;
use source::Source;

/// An HDF5 file, open for reading, and the names in its root group.
#[derive(Debug)]
pub struct Hdf5File {
    file: Arc<str>,
    source: Arc<Source>,
    links: Vec<(String, u64)>,
}

impl Hdf5File {
    /// Opens a file and reads the names of its datasets.
    ///
    /// # Errors
    /// A file that cannot be read, is no HDF5, is shorter than it declares, or is damaged
    /// where the names stand; see [`Hdf5Problem`].
    pub fn open(path: &Path) -> Result<Self, Hdf5Error> {
        let file = path.display().to_string();
        match Self::open_source(path) {
            Ok((source, links)) => Ok(Self {
                file: file.into(),
                source: Arc::new(source),
                links,
            }),
            Err(problem) => Err(Hdf5Error { file, problem }),
        }
    }

    fn open_source(path: &Path) -> error::Result<(Source, Vec<(String, u64)>)> {
        let file = File::open(path).map_err(Hdf5Problem::Io)?;
        let metadata = file.metadata().map_err(Hdf5Problem::Io)?;
        if metadata.is_dir() {
            return Err(Hdf5Problem::Io(std::io::ErrorKind::IsADirectory.into()));
        }
        let source = Source {
            file: PositionedFile::new(file),
            length: metadata.len(),
        };
        let root = superblock::root_group(&source)?;
        let links = group::links(&source, root)?;
        Ok((source, links))
    }

    /// The names in the root group, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.links.iter().map(|(name, _)| name.as_str())
    }

    /// Length of the file in bytes.
    pub fn file_length(&self) -> u64 {
        self.source.length
    }

    /// The dataset of that name in the root group. Its chunks are looked up, not read.
    ///
    /// # Errors
    /// [`Hdf5Problem::NoDataset`], and everything that can be wrong with it.
    pub fn dataset(&self, name: &str) -> Result<Hdf5Dataset, Hdf5Error> {
        let link = self.links.iter().find(|(link, _)| link == name);
        let dataset = match link {
            Some(&(_, address)) => {
                Hdf5Dataset::open(self.file.clone(), self.source.clone(), name, address)
            }
            None => Err(Hdf5Problem::NoDataset {
                name: name.to_owned(),
                known: self.names().map(str::to_owned).collect(),
            }),
        };
        dataset.map_err(|problem| Hdf5Error {
            file: self.file.to_string(),
            problem,
        })
    }
}
