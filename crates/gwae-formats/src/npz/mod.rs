//! NumPy archives (`.npz`): zip archives of `.npy` arrays. Each array is read as a stream.

mod error;
mod write;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::npy::elements::Elements;
use crate::npy::header::{self, Header, HeaderError};
pub use error::{NpzError, NpzProblem};
pub use write::{ArrayValues, NamedArray, write_npz};

use crate::one_line::one_line;
use crate::regular_file::open_regular;
use crate::zip_entry::why_unread;

type Result<T> = std::result::Result<T, NpzProblem>;

/// An archive that is open for reading.
pub struct NpzFile {
    archive: ZipArchive<BufReader<File>>,
}

/// One array of an archive: its shape, and a stream of its elements from the first to the last.
pub struct NpyStream<'a> {
    entry: ZipFile<'a, BufReader<File>>,
    name: &'static str,
    shape: Vec<u64>,
    elements: Elements,
    /// Number of bytes of all elements.
    length: u64,
    /// Number of bytes before the elements, and number of element bytes that were read.
    header_length: u64,
    position: u64,
}

impl NpzFile {
    /// Opens an archive and reads the list of its entries.
    ///
    /// # Errors
    /// [`NpzProblem::Io`] and [`NpzProblem::NotZip`].
    pub fn open(path: &Path) -> Result<Self> {
        let (file, _) = open_regular(path).map_err(NpzProblem::Io)?;
        let archive = ZipArchive::new(BufReader::with_capacity(1 << 16, file));
        let archive = archive.map_err(|error| NpzProblem::NotZip {
            reason: one_line(&error),
        })?;
        Ok(Self { archive })
    }

    /// The names of the first entries.
    fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().take(10);
        names
            .map(|name| name.map_or_else(|error| one_line(&error), |name| name.into_owned()))
            .collect()
    }

    /// Opens the array `name`, whose elements must be unsigned bytes or booleans in row-major order.
    ///
    /// # Errors
    /// Every way in which the entry differs from that; see [`NpzProblem`].
    pub fn bytes(&mut self, name: &'static str) -> Result<NpyStream<'_>> {
        self.array(name, "|u1", Elements::is_byte)
    }

    /// Opens the array `name`, whose elements must be integers or booleans of any size in row-major order.
    ///
    /// # Errors
    /// Every way in which the entry differs from that; see [`NpzProblem`].
    pub fn integers(&mut self, name: &'static str) -> Result<NpyStream<'_>> {
        self.array(name, "integers", Elements::is_integer)
    }

    fn array(
        &mut self,
        name: &'static str,
        expected: &str,
        fits: fn(Elements) -> bool,
    ) -> Result<NpyStream<'_>> {
        let Some(place) = self.archive.index_for_name(name) else {
            return Err(NpzProblem::NoEntry {
                entry: name,
                known: self.names(),
            });
        };
        let damaged = |error| NpzProblem::Damaged {
            entry: name,
            offset: 0,
            reason: one_line(&error),
        };
        let listed = self.archive.by_index_data(place).map_err(damaged)?;
        if let Some(reason) = why_unread(listed.compression(), listed.encrypted()) {
            return Err(NpzProblem::Unread {
                entry: name,
                reason,
            });
        }
        let mut entry = self.archive.by_index(place).map_err(damaged)?;
        let (header, header_length) = header::read(&mut entry).map_err(|error| match error {
            HeaderError::Format(reason) => NpzProblem::Header {
                entry: name,
                reason,
            },
            HeaderError::Compound(kind) => NpzProblem::Array {
                entry: name,
                found: kind.to_owned(),
                expected: format!("{expected} in C order"),
            },
            HeaderError::Read(error) => NpzProblem::Damaged {
                entry: name,
                offset: 0,
                reason: one_line(&error),
            },
        })?;
        let elements = match Elements::parse(&header.elements) {
            Ok(elements) if fits(elements) && is_row_major(&header) => elements,
            _ => {
                let order = |fortran| if fortran { "Fortran" } else { "C" };
                return Err(NpzProblem::Array {
                    entry: name,
                    found: format!(
                        "{} in {} order",
                        header::shown(&header.elements),
                        order(header.fortran_order)
                    ),
                    expected: format!("{expected} in C order"),
                });
            }
        };
        let length = header
            .shape
            .iter()
            .try_fold(elements.size() as u64, |product, &size| {
                product.checked_mul(size)
            })
            .ok_or_else(|| NpzProblem::Header {
                entry: name,
                reason: "sizes beyond 64 bits".to_owned(),
            })?;
        Ok(NpyStream {
            entry,
            name,
            shape: header.shape,
            elements,
            length,
            header_length,
            position: 0,
        })
    }
}

/// Whether the elements are in row-major order. With at most one axis of several elements, both orders are the
/// same.
fn is_row_major(header: &Header) -> bool {
    let axes = header.shape.iter().filter(|&&size| size > 1).count();
    !header.fortran_order || axes < 2
}

impl NpyStream<'_> {
    /// Size of each axis.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Number of element bytes read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Fills `buffer` with the next bytes. The read that reaches the end also checks the entry's
    /// checksum.
    ///
    /// # Errors
    /// [`NpzProblem::Damaged`] and [`NpzProblem::Length`].
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.some(&mut buffer[filled..])? {
                0 => return Err(self.wrong_length(false)),
                count => filled += count,
            }
        }
        self.position += filled as u64;
        // The zip reader compares the checksum at the end of the entry.
        if self.position == self.length && self.some(&mut [0])? != 0 {
            return Err(self.wrong_length(true));
        }
        Ok(())
    }

    /// Fills `numbers` with the next elements of an array of [integers](NpzFile::integers).
    ///
    /// # Errors
    /// The same as [`NpyStream::read`].
    pub fn read_integers(&mut self, numbers: &mut [i128]) -> Result<()> {
        let size = self.elements.size();
        let mut bytes = vec![0; numbers.len() * size];
        self.read(&mut bytes)?;
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(size)) {
            *number = self.elements.integer(bytes);
        }
        Ok(())
    }

    /// Skips the next bytes.
    ///
    /// # Errors
    /// The same as [`NpyStream::read`].
    pub fn skip(&mut self, count: u64) -> Result<()> {
        let mut buffer = vec![0; count.min(1 << 16) as usize];
        let mut left = count;
        while left > 0 {
            let piece = left.min(buffer.len() as u64) as usize;
            self.read(&mut buffer[..piece])?;
            left -= piece as u64;
        }
        Ok(())
    }

    fn some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.entry.read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(NpzProblem::Damaged {
                        entry: self.name,
                        offset: self.header_length + self.position,
                        reason: one_line(&error),
                    });
                }
            }
        }
    }

    fn wrong_length(&self, longer: bool) -> NpzProblem {
        NpzProblem::Length {
            entry: self.name,
            expected: self.length,
            longer,
        }
    }
}
