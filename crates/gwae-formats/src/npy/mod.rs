//! Arrays of numbers in NumPy's format `.npy`, such as scores from another program.
//!
//! | offset | content |
//! |---|---|
//! | 0 | the header: type of the elements, order, shape |
//! | then | the elements in row-major order, or in column-major order (Fortran order) |
//!
//! The size in a header is compared with the length of the file before memory is reserved.

pub(crate) mod elements;
mod error;
pub(crate) mod header;
mod size;
mod write;

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use elements::Elements;
use error::named;
pub use error::{NpyError, NpyProblem};
use header::{HeaderError, MAGIC};
pub use size::MAX_NPY_ELEMENTS;
use size::element_count;
pub use write::write_npy_f64;

/// Number of element bytes read at a time; a multiple of every element size.
const BLOCK: usize = 1 << 16;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyNumbers {
    /// All values in row-major order.
    pub values: Vec<f64>,
    /// Size of each axis; empty for a single number.
    pub shape: Vec<u64>,
}

/// Reads an array of numbers: floating-point of 2, 4 or 8 bytes, signed or unsigned integers of 1,
/// 2, 4 or 8 bytes, or booleans (0 and 1), of any byte order and shape. Numbers without a byte order have that of
/// the machine that reads them, as in NumPy.
///
/// A shape such as `(0, 4)` gives an empty array. An array in Fortran order is converted to
/// row-major order.
///
/// # Errors
/// [`NpyError`] if the file does not follow the format, if its elements are not numbers, if an
/// integer beyond 2⁵³ has no equal `f64`, or if the array has more than [`MAX_NPY_ELEMENTS`]
/// elements; see [`NpyProblem`].
pub fn read_npy_numbers(path: &Path) -> Result<NpyNumbers, NpyError> {
    read_file(path).map_err(named(path))
}

fn read_file(path: &Path) -> Result<NpyNumbers, NpyProblem> {
    // This check comes before opening: opening a pipe waits for its writer.
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
pub(crate) fn read(mut reader: impl Read, length: u64) -> Result<NpyNumbers, NpyProblem> {
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
            HeaderError::Compound(kind) => NpyProblem::Elements {
                kind,
                found: "…".to_owned(),
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

/// What a file seems to be, if it is not an array.
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

/// Returns the next `count` elements.
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

/// Another program may shorten the file while it is read.
fn shortened(error: io::Error, found: u64, expected: u64) -> NpyProblem {
    if error.kind() == ErrorKind::UnexpectedEof {
        NpyProblem::TruncatedElements { found, expected }
    } else {
        NpyProblem::Io(error)
    }
}

/// Iterates over the row-major positions of elements that are stored in Fortran order.
struct FortranPlaces {
    /// For each axis: its size, the current index, and the step in positions per index.
    axes: Vec<(usize, usize, usize)>,
    place: usize,
}

impl FortranPlaces {
    /// The memory for all elements of `shape` has been reserved.
    fn new(shape: &[u64]) -> Self {
        let mut step = 1usize;
        let mut axes: Vec<_> = shape
            .iter()
            .rev()
            .map(|&size| {
                // In an empty array the other sizes may be of any magnitude; nobody uses its
                // positions.
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
