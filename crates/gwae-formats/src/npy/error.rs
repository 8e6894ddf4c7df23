//! The errors of an `.npy` file.

use std::io;
use std::path::Path;

use super::header::MAX_AXES;
use super::size::MAX_NPY_ELEMENTS;

/// The error for a NumPy array (`.npy`) that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct NpyError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: NpyProblem,
}

/// Adds the path of the file.
pub(super) fn named(path: &Path) -> impl FnOnce(NpyProblem) -> NpyError {
    move |problem| NpyError {
        file: path.display().to_string(),
        problem,
    }
}

/// A problem of a NumPy array.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyProblem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The path is a pipe, a device or similar, so its length is unknown.
    #[error("is no regular file; save the array to a file with numpy.save and name that one")]
    NotRegular,

    /// The file is empty.
    #[error("is empty; save the array again with numpy.save")]
    Empty,

    /// The file is not a NumPy array.
    #[error("is no NumPy array but {found}; save the array with numpy.save")]
    NotNpy {
        /// What the file seems to be.
        found: &'static str,
    },

    /// The file ends inside the header.
    #[error("ends inside its header, after {found} bytes; save the array again with numpy.save")]
    TruncatedHeader {
        /// Number of bytes in the file.
        found: u64,
    },

    /// The file starts like an array but does not continue like one.
    #[error(
        "no array header as NumPy writes it: {reason}; the file is damaged, save the array again \
         with numpy.save"
    )]
    Header {
        /// The problem.
        reason: String,
    },

    /// The elements are not numbers, or are numbers of an unsupported type.
    #[error(
        "holds elements of type `{found}` ({kind}), not plain numbers; convert the array, such as \
         with array.astype(\"float64\"), and save it again with numpy.save"
    )]
    Elements {
        /// The kind of elements, such as `complex numbers`.
        kind: &'static str,
        /// Their type as NumPy writes it, such as `<c16`.
        found: String,
    },

    /// An integer that no `f64` equals.
    #[error(
        "holds {value}, an integer that a double would round, so that different ones could become \
         the same; subtract a constant or divide before saving it with numpy.save"
    )]
    Rounded {
        /// The first such integer.
        value: i128,
    },

    /// The header declares more elements than the reader accepts.
    #[error(
        "has the shape {}, more than the {MAX_NPY_ELEMENTS} elements that are read into memory; \
         save a smaller part of it with numpy.save",
        sizes(shape)
    )]
    TooLarge {
        /// The shape in the header.
        shape: Vec<u64>,
    },

    /// The system does not have enough memory for the array.
    #[error("its {elements} numbers take more memory than there is; save a smaller part of it")]
    OutOfMemory {
        /// Number of elements of the array.
        elements: u64,
    },

    /// The file ends inside the elements.
    #[error(
        "holds {found} bytes after the header, which declares {expected}; it is cut short, save \
         the array again with numpy.save"
    )]
    TruncatedElements {
        /// Number of element bytes in the file.
        found: u64,
        /// Number of element bytes that the header declares.
        expected: u64,
    },

    /// The file continues after the elements.
    #[error(
        "holds {found} bytes after the header, which declares {expected}; save one array to one \
         file with numpy.save"
    )]
    TrailingBytes {
        /// Number of element bytes in the file.
        found: u64,
        /// Number of element bytes that the header declares.
        expected: u64,
    },

    /// The number of values does not match the shape of an array to write.
    #[error(
        "{values} values cannot be written in the shape {}; give as many as the product of the \
         sizes",
        sizes(shape)
    )]
    ShapeMismatch {
        /// Number of values.
        values: usize,
        /// The shape.
        shape: Vec<u64>,
    },

    /// An array to write has more axes than NumPy can read.
    #[error("{axes} axes cannot be written; NumPy reads no more than {MAX_AXES}, merge some")]
    TooManyAxes {
        /// Number of axes.
        axes: usize,
    },

    /// The file cannot be written.
    #[error("cannot write it: {0}; check the path, its permissions and the space on the disk")]
    Write(#[source] io::Error),
}

/// A shape as NumPy writes it.
fn sizes(shape: &[u64]) -> String {
    match shape {
        [size] => format!("({size},)"),
        _ => {
            let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
            format!("({})", sizes.join(", "))
        }
    }
}
