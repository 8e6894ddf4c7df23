//! Errors of dividing a dataset into parts.

/// The error for a split that cannot be drawn or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A dataset is too large for 32-bit indices.
    #[error(
        "dataset {dataset}: {len} items, but splits and batches hold at most {}",
        u32::MAX
    )]
    TooManyItems {
        /// Name of the dataset.
        dataset: String,
        /// Number of items.
        len: usize,
    },

    /// A validation fraction is out of range, or leaves nothing to train on.
    #[error(
        "validation fraction {fraction} of {train_len} training items leaves nothing to train on \
         or is no fraction; use at least 0 and less than 1, such as 0.1"
    )]
    ValidationFraction {
        /// The value given.
        fraction: f64,
        /// Number of items in the official training part.
        train_len: usize,
    },

    /// A stored split belongs to other data.
    #[error(
        "split: drawn over data with fingerprint {expected}, but dataset {dataset} now has \
         {found}; restore the original data, or start a new run"
    )]
    FingerprintMismatch {
        /// Name of the dataset.
        dataset: String,
        /// The fingerprint in the split.
        expected: String,
        /// The fingerprint of the dataset.
        found: String,
    },

    /// A stored split names an item that does not exist.
    #[error(
        "split.{part}[{position}]: index {index} is out of range, dataset {dataset} has {len} \
         items; restore the stored split, or start a new run"
    )]
    OutOfRange {
        /// Name of the dataset.
        dataset: String,
        /// `train`, `validation` or `test`.
        part: &'static str,
        /// Position in that part.
        position: usize,
        /// The index at that position.
        index: u32,
        /// Number of items.
        len: usize,
    },

    /// A stored split names an item twice.
    #[error(
        "split.{part}[{position}]: index {index} is already in {other}; no item may be in two \
         places; restore the stored split, or start a new run"
    )]
    Overlap {
        /// The part with the second occurrence.
        part: &'static str,
        /// Position in that part.
        position: usize,
        /// The index.
        index: u32,
        /// The part with the first occurrence.
        other: &'static str,
    },
}
