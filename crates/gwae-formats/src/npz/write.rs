//! Writes an archive of arrays atomically.

use std::io::{BufWriter, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::atomic::{FileError, write_atomically_with};
use crate::npy::header;

/// The elements of an array, row-major.
#[derive(Clone, Copy, Debug)]
pub enum ArrayValues<'a> {
    /// Single precision, `<f4`.
    F32(&'a [f32]),
    /// Integers, `<i8`.
    I64(&'a [i64]),
}

/// An array with its name in the archive.
#[derive(Clone, Copy, Debug)]
pub struct NamedArray<'a> {
    /// The name under which `numpy.load` gives it, without `.npy`.
    pub name: &'a str,
    /// Its elements.
    pub values: ArrayValues<'a>,
    /// Size of each axis; their product is the number of elements.
    pub shape: &'a [u64],
}

/// Writes arrays as an archive like `numpy.savez`, without compression. Equal arrays give equal bytes. After
/// a crash at any moment, the file has its old or its new content.
///
/// # Errors
/// When the file cannot be written.
///
/// # Panics
/// If the shape of an array does not fit its number of elements.
pub fn write_npz(path: &Path, arrays: &[NamedArray<'_>]) -> Result<(), FileError> {
    for array in arrays {
        let count = match array.values {
            ArrayValues::F32(values) => values.len(),
            ArrayValues::I64(values) => values.len(),
        };
        let expected: u64 = array.shape.iter().product();
        assert_eq!(count as u64, expected, "the shape of `{}`", array.name);
    }
    write_atomically_with(path, |file| {
        let mut archive = ZipWriter::new(BufWriter::with_capacity(1 << 16, file));
        for array in arrays {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                // The same bytes at any time of the day.
                .last_modified_time(DateTime::default())
                .large_file(true);
            archive.start_file(format!("{}.npy", array.name), options)?;
            match array.values {
                ArrayValues::F32(values) => {
                    archive.write_all(&header::encode("<f4", array.shape))?;
                    write_elements(&mut archive, values, |value| value.to_le_bytes())?;
                }
                ArrayValues::I64(values) => {
                    archive.write_all(&header::encode("<i8", array.shape))?;
                    write_elements(&mut archive, values, |value| value.to_le_bytes())?;
                }
            }
        }
        archive.finish()?.flush()
    })
}

fn write_elements<T: Copy, const N: usize>(
    to: &mut impl Write,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> std::io::Result<()> {
    for part in values.chunks(1 << 14) {
        let bytes: Vec<u8> = part.iter().flat_map(|&value| bytes(value)).collect();
        to.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npz::NpzFile;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("codes.npz");
        let arrays = [
            NamedArray {
                name: "means",
                values: ArrayValues::F32(&[0.5, -1.0, 2.0, 3.5]),
                shape: &[2, 2],
            },
            NamedArray {
                name: "indices",
                values: ArrayValues::I64(&[7, -9]),
                shape: &[2],
            },
        ];
        write_npz(&path, &arrays).unwrap();
        let first = std::fs::read(&path).unwrap();
        write_npz(&path, &arrays).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap());

        let mut file = NpzFile::open(&path).unwrap();
        {
            let mut means = file.array("means.npy", "numbers", |_| true).unwrap();
            assert_eq!(means.shape(), [2, 2]);
            let mut bytes = [0; 16];
            means.read(&mut bytes).unwrap();
            let values: Vec<f32> = bytes
                .chunks_exact(4)
                .map(|value| f32::from_le_bytes(value.try_into().unwrap()))
                .collect();
            assert_eq!(values, [0.5, -1.0, 2.0, 3.5]);
        }
        let mut indices = file.integers("indices.npy").unwrap();
        let mut bytes = [0; 16];
        indices.read(&mut bytes).unwrap();
        assert_eq!(bytes[..8], 7i64.to_le_bytes());
        assert_eq!(bytes[8..], (-9i64).to_le_bytes());
    }
}
