//! What can be wrong with an `.npz` file.

use std::io;

use crate::one_line::one_line;

/// A NumPy archive (`.npz`) that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
// Problems quote names and texts from the file.
#[error("{file}: {}", one_line(problem))]
pub struct NpzError {
    /// The file, as given.
    pub file: String,
    /// What is wrong with it.
    pub problem: NpzProblem,
}

/// What is wrong with a NumPy archive. Offsets count uncompressed bytes of an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzProblem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The file is no zip archive, or cut short: the list of entries is at its end.
    #[error("is no complete zip archive ({reason}); check the file, or download it again")]
    NotZip {
        /// What the zip reader says.
        reason: String,
    },

    /// An array is not in the archive.
    #[error("holds no `{entry}`, only: {}; check that it is the right file", known.join(", "))]
    NoEntry {
        /// The entry looked for.
        entry: &'static str,
        /// The entries there are.
        known: Vec<String>,
    },

    /// An entry cannot be decompressed, or its checksum does not match.
    #[error("{entry}: damaged after {offset} bytes ({reason}); download the file again")]
    Damaged {
        /// The entry.
        entry: &'static str,
        /// Bytes that could be decompressed.
        offset: u64,
        /// What the zip reader says.
        reason: String,
    },

    /// An entry does not begin as an array does.
    #[error("{entry}: no array header as NumPy writes it: {reason}; the file is damaged")]
    Header {
        /// The entry.
        entry: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// An array of other elements or another order than expected.
    #[error("{entry}: holds {found} instead of {expected}; check that it is the right file")]
    Array {
        /// The entry.
        entry: &'static str,
        /// Elements, order or shape found.
        found: String,
        /// Those expected.
        expected: String,
    },

    /// An array that ends too early or too late.
    #[error(
        "{entry}: {} {expected} bytes that its header declares; download the file again",
        if *longer { "goes on after the" } else { "ends before the" }
    )]
    Length {
        /// The entry.
        entry: &'static str,
        /// Bytes of the array.
        expected: u64,
        /// Whether there is more than that, not less.
        longer: bool,
    },
}
