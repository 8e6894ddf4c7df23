//! The errors of an `.npz` file.

use std::io;

use crate::one_line::one_line;

/// The error for a NumPy archive (`.npz`) that cannot be used.
#[derive(Debug, thiserror::Error)]
// The messages quote names and texts from the file.
#[error("{file}: {}", one_line(problem))]
pub struct NpzError {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The problem.
    pub problem: NpzProblem,
}

/// A problem of a NumPy archive. Offsets count uncompressed bytes of an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzProblem {
    /// The file cannot be opened or read.
    #[error("cannot read it: {0}; check the path and its permissions")]
    Io(#[source] io::Error),

    /// The file is not a zip archive, or its end, which holds the list of entries, is missing.
    #[error("is no complete zip archive ({reason}); check the file, or download it again")]
    NotZip {
        /// The message of the zip reader.
        reason: String,
    },

    /// The archive does not have this array.
    #[error("holds no `{entry}`, only: {}; check that it is the right file", known.join(", "))]
    NoEntry {
        /// The entry looked for.
        entry: &'static str,
        /// The entries of the archive.
        known: Vec<String>,
    },

    /// An entry is encrypted, or compressed by another method than deflate.
    #[error("{entry}: {reason}")]
    Unread {
        /// The entry.
        entry: &'static str,
        /// The method, and what to do.
        reason: String,
    },

    /// An entry cannot be decompressed, or its checksum does not match.
    #[error("{entry}: damaged after {offset} bytes ({reason}); download the file again")]
    Damaged {
        /// The entry.
        entry: &'static str,
        /// Number of bytes that could be decompressed.
        offset: u64,
        /// The message of the zip reader.
        reason: String,
    },

    /// An entry does not start like an array.
    #[error("{entry}: no array header as NumPy writes it: {reason}; the file is damaged")]
    Header {
        /// The entry.
        entry: &'static str,
        /// The problem.
        reason: String,
    },

    /// An array has another element type, order or shape than expected.
    #[error("{entry}: holds {found} instead of {expected}; check that it is the right file")]
    Array {
        /// The entry.
        entry: &'static str,
        /// The type, order or shape in the file.
        found: String,
        /// The expected ones.
        expected: String,
    },

    /// An array has too few or too many bytes.
    #[error(
        "{entry}: {} {expected} bytes that its header declares; download the file again",
        if *longer { "goes on after the" } else { "ends before the" }
    )]
    Length {
        /// The entry.
        entry: &'static str,
        /// Size of the array in bytes.
        expected: u64,
        /// True if there are more bytes than that, false if there are fewer.
        longer: bool,
    },
}
