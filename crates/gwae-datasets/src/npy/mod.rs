//! Plain numbers in NumPy's format for one array, `.npy`, such as scores that another program
//! computed.
//!
//! | offset | what |
//! |---|---|
//! | 0 | the [`header`]: type of the elements, order, shape |
//! | then | the elements, the last axis varying fastest; or the first, in Fortran order |
//!
//! What a header declares is compared with the length of the file before memory is reserved.

mod elements;
mod error;
pub(crate) mod header;
mod write;

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use elements::Elements;
pub use error::{NpyError, NpyProblem};
use header::{HeaderError, MAGIC};
pub use write::write_npy_f64;

/// Most elements that an array may have: 1 GiB in memory.
pub const MAX_NPY_ELEMENTS: u64 = 1 << 27;

/// Bytes of elements read at a time; a multiple of every element's size.
const BLOCK: usize = 1 << 16;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyNumbers {
    /// All values, the last axis varying fastest.
    pub values: Vec<f64>,
    /// Size of each axis; none for a single number.
    pub shape: Vec<u64>,
}

/// Reads an array of numbers: floating-point of 2, 4 or 8 bytes, integers of 1, 2, 4 or 8 bytes with
/// or without sign, or truth values (0 and 1), of any byte order and shape.
///
/// An array that a shape such as `(0, 4)` makes empty is read as such. An array in Fortran order is
/// put in row-major order.
///
/// # Errors
/// [`NpyError`] for every deviation from the format, for elements that are no numbers, for integers
/// beyond 2⁵³ that no `f64` is equal to, and for more than [`MAX_NPY_ELEMENTS`]; see [`NpyProblem`].
pub fn read_npy_numbers(path: &Path) -> Result<NpyNumbers, NpyError> {
    read_file(path).map_err(named(path))
}

fn named(path: &Path) -> impl FnOnce(NpyProblem) -> NpyError {
    move |problem| NpyError {
        file: path.display().to_string(),
        problem,
    }
}

fn read_file(path: &Path) -> Result<NpyNumbers, NpyProblem> {
    // Before opening, which waits for a writer where the file is a pipe.
    let kind = std::fs::metadata(path).map_err(NpyProblem::Io)?;
    if kind.is_dir() {
        return Err(NpyProblem::Io(ErrorKind::IsADirectory.into()));
    }
    if !kind.is_file() {
        return Err(NpyProblem::NotRegular);
    }
    let file = File::open(path).map_err(NpyProblem::Io)?;
    let length = file.metadata().map_err(NpyProblem::Io)?.len();
    read(BufReader::with_capacity(BLOCK, file), length)
}

/// Reads an array from a file of `length` bytes.
fn read(mut reader: impl Read, length: u64) -> Result<NpyNumbers, NpyProblem> {
    let mut start = [0; MAGIC.len()];
    let start = &mut start[..length.min(MAGIC.len() as u64) as usize];
    reader.read_exact(start).map_err(NpyProblem::Io)?;
    if start.is_empty() {
        return Err(NpyProblem::Empty);
    }
    if !MAGIC.starts_with(start) {
        return Err(NpyProblem::NotNpy {
            found: guess(start),
        });
    }
    let (header, header_length) =
        header::read(&mut (&*start).chain(&mut reader)).map_err(|error| match error {
            HeaderError::Format(reason) => NpyProblem::Header { reason },
            HeaderError::Fields => NpyProblem::Elements {
                kind: "records of named fields",
                found: "[…]".to_owned(),
            },
            HeaderError::Read(error) if error.kind() == ErrorKind::UnexpectedEof => {
                NpyProblem::TruncatedHeader { found: length }
            }
            HeaderError::Read(error) => NpyProblem::Io(error),
        })?;
    let elements = Elements::parse(&header.elements).map_err(|kind| NpyProblem::Elements {
        kind,
        found: header::shown(&header.elements),
    })?;
    let shape = header.shape;
    let Some(count) = element_count(&shape).filter(|&count| count <= MAX_NPY_ELEMENTS) else {
        return Err(NpyProblem::TooLarge { shape });
    };
    let found = length.saturating_sub(header_length);
    let expected = count * elements.size() as u64;
    if found < expected {
        return Err(NpyProblem::TruncatedElements { found, expected });
    }
    if found > expected {
        return Err(NpyProblem::TrailingBytes { found, expected });
    }
    let mut values = Vec::new();
    values
        .try_reserve_exact(count as usize)
        .map_err(|_| NpyProblem::OutOfMemory { elements: count })?;
    if header.fortran_order && shape.len() > 1 {
        values.resize(count as usize, 0.0);
        let mut places = FortranPlaces::new(&shape);
        read_elements(reader, elements, count, |number| {
            values[places.next_place()] = number;
        })?;
    } else {
        read_elements(reader, elements, count, |number| values.push(number))?;
    }
    Ok(NpyNumbers { values, shape })
}

/// What a file that is no array seems to be.
fn guess(start: &[u8]) -> &'static str {
    match start {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => {
            "a zip archive (several arrays, or one that PyTorch saved)"
        }
        [0x80, 2..=5, ..] => "a pickled Python object",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file",
        _ if start
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) =>
        {
            "a text"
        }
        _ => "something else",
    }
}

/// The number of elements, if it fits into 64 bits.
fn element_count(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        // Also where the other sizes multiply to more than 64 bits.
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size))
}

/// Hands out the next `count` elements.
fn read_elements(
    mut reader: impl Read,
    elements: Elements,
    count: u64,
    mut take: impl FnMut(f64),
) -> Result<(), NpyProblem> {
    let expected = count * elements.size() as u64;
    let mut block = vec![0; expected.min(BLOCK as u64) as usize];
    let mut done = 0;
    while done < expected {
        let piece = (expected - done).min(BLOCK as u64) as usize;
        let piece = &mut block[..piece];
        reader
            .read_exact(piece)
            .map_err(|error| shortened(error, done, expected))?;
        for bytes in piece.chunks_exact(elements.size()) {
            let number = elements.number(bytes);
            take(number.map_err(|value| NpyProblem::Rounded { value })?);
        }
        done += piece.len() as u64;
    }
    Ok(())
}

/// An error in the middle of the elements: another program may cut the file while it is read.
fn shortened(error: io::Error, found: u64, expected: u64) -> NpyProblem {
    if error.kind() == ErrorKind::UnexpectedEof {
        NpyProblem::TruncatedElements { found, expected }
    } else {
        NpyProblem::Io(error)
    }
}

/// The places in row-major order of elements that come in Fortran order, the first axis varying
/// fastest.
struct FortranPlaces {
    /// Size of each axis, index in it, and places from one index to the next.
    axes: Vec<(usize, usize, usize)>,
    place: usize,
}

impl FortranPlaces {
    /// `shape` has no more elements than memory was reserved for.
    fn new(shape: &[u64]) -> Self {
        let mut step = 1usize;
        let mut axes: Vec<_> = shape
            .iter()
            .rev()
            .map(|&size| {
                // In an empty array, whose places nobody asks for, sizes can be of any magnitude.
                let axis = (size as usize, 0, step);
                step = step.wrapping_mul(size as usize);
                axis
            })
            .collect();
        axes.reverse();
        Self { axes, place: 0 }
    }

    fn next_place(&mut self) -> usize {
        let place = self.place;
        for (size, index, step) in &mut self.axes {
            *index += 1;
            self.place += *step;
            if index < size {
                break;
            }
            self.place -= *index * *step;
            *index = 0;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_cut_while_it_is_read_is_named_so() {
        let mut bytes = header::encode("<f8", &[3]);
        let length = bytes.len() as u64 + 24;
        bytes.extend([0; 17]);
        assert!(matches!(
            read(bytes.as_slice(), length),
            Err(NpyProblem::TruncatedElements { expected: 24, .. })
        ));
    }
}
