//! IDX, the file format of the MNIST family.
//!
//! | offset | content |
//! |---|---|
//! | 0 | two zero bytes, the element type (`0x08`: u8), the number of dimensions `n` |
//! | 4 | `n` dimensions, each a big-endian u32 |
//! | 4 + 4n | the elements, last dimension fastest |
//!
//! A file may be plain or compressed with [gzip](crate::gzip); the reader looks at the content, not at the name.
//! The reader does not allocate memory for the sizes in a header before it has read the data, so a
//! damaged header costs no memory, and a small compressed file cannot expand without end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::gzip::{BytesAfterGzip, ExpandsTooMuch, GzipReader, MAGIC};
use crate::regular_file::open_regular;

/// Maximum number of elements that a file may declare: 4 GiB, 90 times MNIST. It limits how far a
/// small compressed file can expand.
pub const MAX_ELEMENTS: u64 = 1 << 32;

/// Initial capacity of the element buffer. The buffer grows as data is read.
const INITIAL_CAPACITY: u64 = 1 << 20;

const ELEMENT_U8: u8 = 0x08;

/// The error for an IDX file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct IdxError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: IdxProblem,
}

/// A problem of an IDX file. Offsets count uncompressed bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxProblem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The compressed data is damaged.
    #[error("damaged gzip data after {offset} uncompressed bytes: {source}; download it again")]
    CorruptGzip {
        /// Number of bytes that could be decompressed.
        offset: u64,
        /// The message of the decompressor.
        source: io::Error,
    },

    /// The file continues after the compressed data.
    #[error(
        "goes on after its gzip data with other bytes than zeros, after {offset} uncompressed bytes; the file is \
         damaged, download it again"
    )]
    BytesAfterGzip {
        /// Number of bytes that could be decompressed.
        offset: u64,
    },

    /// The compressed data expands far beyond what images do.
    #[error(
        "{source}, after {offset} uncompressed bytes, as no dataset of this family does; check that it is the right \
         file, or unpack it to read it anyway"
    )]
    ExpandsTooMuch {
        /// Number of bytes that could be decompressed.
        offset: u64,
        /// The message of the decompressor.
        source: io::Error,
    },

    /// The compressed data ends before its end mark.
    #[error("gzip data is cut short after {offset} uncompressed bytes; download it again")]
    TruncatedGzip {
        /// Number of bytes that could be decompressed.
        offset: u64,
    },

    /// The file ends inside the header.
    #[error("ends after {found} bytes, but the header has {expected}; download it again")]
    TruncatedHeader {
        /// Number of bytes in the file.
        found: u64,
        /// Number of bytes that the header needs.
        expected: u64,
    },

    /// The file is neither IDX nor gzip.
    #[error(
        "starts with bytes {:02x} {:02x} (offset 0), neither IDX (00 00) nor gzip (1f 8b); \
         check that it is the right file", found[0], found[1]
    )]
    WrongMagic {
        /// The first two bytes, after decompression.
        found: [u8; 2],
    },

    /// The elements are not bytes.
    #[error("element type 0x{found:02x} (offset 2) instead of 0x08 (u8); check the file")]
    WrongElementType {
        /// The byte for the element type.
        found: u8,
    },

    /// The file has another number of dimensions, for example labels where images are expected.
    #[error(
        "{found} dimension(s) (offset 3) instead of the {expected} of {kind}; \
         check that images and labels are not swapped"
    )]
    WrongDimensionCount {
        /// Number of dimensions in the header.
        found: u8,
        /// Expected number of dimensions.
        expected: u8,
        /// `images` or `labels`.
        kind: &'static str,
    },

    /// A dimension is zero.
    #[error("{field} is 0 (offset {offset}), so the file holds nothing; download it again")]
    EmptyDimension {
        /// `count`, `height` or `width`.
        field: &'static str,
        /// Offset of the dimension in the file.
        offset: u64,
    },

    /// The header declares more elements than the reader accepts.
    #[error(
        "header (offset 4) declares {} elements, more than the {MAX_ELEMENTS} that are read \
         into memory; the file is damaged or no dataset of this family",
        dimensions.iter().map(u32::to_string).collect::<Vec<_>>().join("×")
    )]
    TooLarge {
        /// The dimensions in the header.
        dimensions: Vec<u32>,
    },

    /// The file ends inside the elements.
    #[error("holds {found} bytes after the header, which declares {expected}; download it again")]
    TruncatedBody {
        /// Number of element bytes in the file.
        found: u64,
        /// Number of element bytes that the header declares.
        expected: u64,
    },

    /// The file continues after the elements.
    #[error(
        "goes on after the {expected} bytes that the header declares (offset {offset}); \
         the file is damaged, download it again"
    )]
    TrailingBytes {
        /// Number of element bytes that the header declares.
        expected: u64,
        /// Offset of the first extra byte.
        offset: u64,
    },
}

/// The content of an IDX file of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `count · height · width` bytes in `[N, H, W]` order.
    pub pixels: Vec<u8>,
}

/// The content of an IDX file of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxLabels {
    /// One label per item.
    pub labels: Vec<u8>,
}

/// Reads a file of images (u8, three dimensions), plain or gzip.
///
/// # Errors
/// [`IdxError`] if the file does not follow the format; see [`IdxProblem`].
pub fn read_images(path: &Path) -> Result<IdxImages, IdxError> {
    let file = path.display().to_string();
    read_images_from(&file, open(path, &file)?)
}

/// Reads a file of labels (u8, one dimension), plain or gzip.
///
/// # Errors
/// [`IdxError`] if the file does not follow the format; see [`IdxProblem`].
pub fn read_labels(path: &Path) -> Result<IdxLabels, IdxError> {
    let file = path.display().to_string();
    read_labels_from(&file, open(path, &file)?)
}

/// Like [`read_images`], but from any reader. Errors call it `file`.
///
/// # Errors
/// The same as [`read_images`].
pub fn read_images_from(file: &str, reader: impl BufRead) -> Result<IdxImages, IdxError> {
    let ([count, height, width], pixels) =
        read(reader, "images", ["count", "height", "width"]).map_err(named(file))?;
    Ok(IdxImages {
        count: count as usize,
        height: height as usize,
        width: width as usize,
        pixels,
    })
}

/// Like [`read_labels`], but from any reader. Errors call it `file`.
///
/// # Errors
/// The same as [`read_labels`].
pub fn read_labels_from(file: &str, reader: impl BufRead) -> Result<IdxLabels, IdxError> {
    let ([_], labels) = read(reader, "labels", ["count"]).map_err(named(file))?;
    Ok(IdxLabels { labels })
}

fn named(file: &str) -> impl FnOnce(IdxProblem) -> IdxError {
    let file = file.to_owned();
    move |problem| IdxError { file, problem }
}

fn open(path: &Path, file: &str) -> Result<BufReader<File>, IdxError> {
    match open_regular(path) {
        Ok((opened, _)) => Ok(BufReader::with_capacity(1 << 16, opened)),
        Err(error) => Err(named(file)(IdxProblem::Io(error))),
    }
}

fn read<const N: usize>(
    mut reader: impl BufRead,
    kind: &'static str,
    fields: [&'static str; N],
) -> Result<([u32; N], Vec<u8>), IdxProblem> {
    // This uses `read` and not `fill_buf`, because a reader may return one byte at a time.
    let mut start = Vec::with_capacity(2);
    (&mut reader)
        .take(2)
        .read_to_end(&mut start)
        .map_err(IdxProblem::Io)?;
    if start == MAGIC {
        parse(
            Counted::new(GzipReader::after_magic(reader), true),
            kind,
            fields,
        )
    } else {
        let whole = start.as_slice().chain(reader);
        parse(Counted::new(whole, false), kind, fields)
    }
}

fn parse<const N: usize>(
    mut reader: Counted<impl Read>,
    kind: &'static str,
    fields: [&'static str; N],
) -> Result<([u32; N], Vec<u8>), IdxProblem> {
    let header_length = 4 + 4 * N as u64;
    let magic = reader.up_to(4, header_length)?;
    if let [first, second, ..] = magic[..]
        && (first, second) != (0, 0)
    {
        return Err(IdxProblem::WrongMagic {
            found: [first, second],
        });
    }
    let [_, _, element, dimension_count] = magic[..] else {
        return Err(reader.truncated_header(header_length));
    };
    if element != ELEMENT_U8 {
        return Err(IdxProblem::WrongElementType { found: element });
    }
    if usize::from(dimension_count) != N {
        return Err(IdxProblem::WrongDimensionCount {
            found: dimension_count,
            expected: N as u8,
            kind,
        });
    }
    let encoded = reader.up_to(4 * N as u64, header_length)?;
    if encoded.len() != 4 * N {
        return Err(reader.truncated_header(header_length));
    }
    let mut dimensions = [0; N];
    for (dimension, bytes) in dimensions.iter_mut().zip(encoded.chunks_exact(4)) {
        *dimension = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    if let Some(place) = dimensions.iter().position(|&dimension| dimension == 0) {
        return Err(IdxProblem::EmptyDimension {
            field: fields[place],
            offset: 4 + 4 * place as u64,
        });
    }
    let expected = dimensions
        .iter()
        .try_fold(1u64, |product, &d| product.checked_mul(u64::from(d)))
        .filter(|&product| product <= MAX_ELEMENTS)
        .ok_or_else(|| IdxProblem::TooLarge {
            dimensions: dimensions.to_vec(),
        })?;
    // Read one byte more than declared. It shows trailing bytes; without them, the decompressor
    // checks its final checksum.
    let body = reader.up_to(expected + 1, expected)?;
    let found = body.len() as u64;
    if found < expected {
        return Err(IdxProblem::TruncatedBody { found, expected });
    }
    if found > expected {
        return Err(IdxProblem::TrailingBytes {
            expected,
            offset: header_length + expected,
        });
    }
    Ok((dimensions, body))
}

/// A reader that counts the bytes read and knows whether an error comes from the decompressor.
struct Counted<R> {
    inner: R,
    offset: u64,
    gzip: bool,
}

impl<R: Read> Counted<R> {
    fn new(inner: R, gzip: bool) -> Self {
        Self {
            inner,
            offset: 0,
            gzip,
        }
    }

    /// The next `limit` bytes, or fewer at the end of the data.
    fn up_to(&mut self, limit: u64, expected: u64) -> Result<Vec<u8>, IdxProblem> {
        let mut bytes = Vec::with_capacity(expected.min(limit).min(INITIAL_CAPACITY) as usize + 1);
        let result = (&mut self.inner).take(limit).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        match result {
            Ok(_) => Ok(bytes),
            Err(source) if self.gzip && source.kind() == ErrorKind::UnexpectedEof => {
                Err(IdxProblem::TruncatedGzip {
                    offset: self.offset,
                })
            }
            Err(source) if is_caused_by::<BytesAfterGzip>(&source) => {
                Err(IdxProblem::BytesAfterGzip {
                    offset: self.offset,
                })
            }
            Err(source) if is_caused_by::<ExpandsTooMuch>(&source) => {
                Err(IdxProblem::ExpandsTooMuch {
                    offset: self.offset,
                    source,
                })
            }
            Err(source)
                if self.gzip
                    && matches!(
                        source.kind(),
                        ErrorKind::InvalidInput | ErrorKind::InvalidData
                    ) =>
            {
                Err(IdxProblem::CorruptGzip {
                    offset: self.offset,
                    source,
                })
            }
            Err(source) => Err(IdxProblem::Io(source)),
        }
    }

    fn truncated_header(&self, expected: u64) -> IdxProblem {
        IdxProblem::TruncatedHeader {
            found: self.offset,
            expected,
        }
    }
}

/// Whether the error of a reader is of its own kind `E`.
fn is_caused_by<E: std::error::Error + 'static>(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<E>())
}
