//! What can be wrong with an `.npy` file.

use std::io;

use super::MAX_NPY_ELEMENTS;
use super::header::MAX_AXES;

/// A NumPy array (`.npy`) that cannot be read or written, and why.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct NpyError {
    /// The file, as given.
    pub file: String,
    /// What is wrong with it.
    pub problem: NpyProblem,
}

/// What is wrong with a NumPy array.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyProblem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The path leads to a pipe, a device or the like, whose length is not known.
    #[error("is no regular file; save the array to a file with numpy.save and name that one")]
    NotRegular,

    /// The file has no bytes.
    #[error("is empty; save the array again with numpy.save")]
    Empty,

    /// The file is no NumPy array.
    #[error("is no NumPy array but {found}; save the array with numpy.save")]
    NotNpy {
        /// What it seems to be.
        found: &'static str,
    },

    /// The file ends inside the header.
    #[error("ends inside its header, after {found} bytes; save the array again with numpy.save")]
    TruncatedHeader {
        /// Bytes there are.
        found: u64,
    },

    /// The file begins like an array, but goes on differently.
    #[error(
        "no array header as NumPy writes it: {reason}; the file is damaged, save the array again \
         with numpy.save"
    )]
    Header {
        /// What is wrong with it.
        reason: String,
    },

    /// The elements are no numbers, or numbers that are not read.
    #[error(
        "holds elements of type `{found}` ({kind}), not plain numbers; convert the array, such as \
         with array.astype(\"float64\"), and save it again with numpy.save"
    )]
    Elements {
        /// What they are, such as `complex numbers`.
        kind: &'static str,
        /// Their type as NumPy writes it, such as `<c16`.
        found: String,
    },

    /// An integer that no double is equal to.
    #[error(
        "holds {value}, an integer that a double would round, so that different ones could become \
         the same; subtract a constant or divide before saving it with numpy.save"
    )]
    Rounded {
        /// The first such integer.
        value: i128,
    },

    /// More elements declared than the reader accepts.
    #[error(
        "has the shape {}, more than the {MAX_NPY_ELEMENTS} elements that are read into memory; \
         save a smaller part of it with numpy.save",
        sizes(shape)
    )]
    TooLarge {
        /// The shape declared.
        shape: Vec<u64>,
    },

    /// The system has not enough memory for the array.
    #[error("its {elements} numbers take more memory than there is; save a smaller part of it")]
    OutOfMemory {
        /// Elements of the array.
        elements: u64,
    },

    /// The file ends inside the elements.
    #[error(
        "holds {found} bytes after the header, which declares {expected}; it is cut short, save \
         the array again with numpy.save"
    )]
    TruncatedElements {
        /// Bytes there are.
        found: u64,
        /// Bytes declared.
        expected: u64,
    },

    /// The file goes on after the elements.
    #[error(
        "holds {found} bytes after the header, which declares {expected}; save one array to one \
         file with numpy.save"
    )]
    TrailingBytes {
        /// Bytes there are.
        found: u64,
        /// Bytes declared.
        expected: u64,
    },

    /// An array to write has another number of values than its shape.
    #[error(
        "{values} values cannot be written in the shape {}; give as many as the product of the \
         sizes",
        sizes(shape)
    )]
    ShapeMismatch {
        /// Values given.
        values: usize,
        /// Shape given.
        shape: Vec<u64>,
    },

    /// An array to write has more axes than NumPy can read.
    #[error("{axes} axes cannot be written; NumPy reads no more than {MAX_AXES}, merge some")]
    TooManyAxes {
        /// Axes given.
        axes: usize,
    },

    /// The file cannot be written.
    #[error("cannot write it: {0}; check the path, its permissions and the space on the disk")]
    Write(#[source] io::Error),
}

/// A shape as NumPy shows it.
fn sizes(shape: &[u64]) -> String {
    match shape {
        [size] => format!("({size},)"),
        _ => {
            let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
            format!("({})", sizes.join(", "))
        }
    }
}
