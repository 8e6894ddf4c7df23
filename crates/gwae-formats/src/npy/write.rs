//! Writes an array atomically.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::error::{NpyError, NpyProblem, named};
use super::header::{self, MAX_AXES};
use super::size::element_count;
use crate::atomic::write_atomically_with;

/// Writes `values` as an array of `shape` in row-major order, in little-endian double precision.
/// The bytes equal those of `numpy.save` in NumPy 2. An existing file is replaced. After a crash at
/// any moment, the file has its old or its new content.
///
/// # Errors
/// [`NpyProblem::ShapeMismatch`] if `shape` has another number of elements than `values`,
/// [`NpyProblem::TooManyAxes`] if it has more axes than NumPy reads, [`NpyProblem::Write`] if the
/// file cannot be written. After an error, the old file is unchanged.
pub fn write_npy_f64(path: &Path, values: &[f64], shape: &[u64]) -> Result<(), NpyError> {
    write(path, values, shape).map_err(named(path))
}

fn write(path: &Path, values: &[f64], shape: &[u64]) -> Result<(), NpyProblem> {
    if shape.len() > MAX_AXES {
        return Err(NpyProblem::TooManyAxes { axes: shape.len() });
    }
    if element_count(shape) != Some(values.len() as u64) {
        return Err(NpyProblem::ShapeMismatch {
            values: values.len(),
            shape: shape.to_vec(),
        });
    }
    write_atomically_with(path, |file| {
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        writer.write_all(&header::encode("<f8", shape))?;
        for value in values {
            writer.write_all(&value.to_le_bytes())?;
        }
        writer.flush()
    })
    .map_err(|error| NpyProblem::Write(error.source))
}
