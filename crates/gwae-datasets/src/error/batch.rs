//! Errors of making batches.

use crate::position::Position;

/// The error for batches that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The batch size is zero.
    #[error("batch_size: 0 makes no batch; use 1 or more, such as 64")]
    ZeroBatch,

    /// A batch is larger than the number of items.
    #[error(
        "batch_size: {batch_size} is larger than the {items} items to draw from; \
         use {items} or less, or more data"
    )]
    BatchTooLarge {
        /// The value given.
        batch_size: usize,
        /// Number of items that the stream draws from.
        items: usize,
    },

    /// There are no items to draw batches from.
    #[error("indices: there is no item to draw batches from; give the split a larger part")]
    NoItems,

    /// A position is beyond the batches of an epoch.
    #[error(
        "position: batch {} of epoch {} does not exist, an epoch has {batches_per_epoch} batches; \
         resume with the data and the batch size of the original run",
        position.batch, position.epoch
    )]
    Position {
        /// The value given.
        position: Position,
        /// Number of batches of every epoch.
        batches_per_epoch: u64,
    },

    /// The system refused the thread that prepares batches.
    #[error("cannot start a thread that prepares batches: {0}; free some memory or threads")]
    Worker(#[source] std::io::Error),

    /// A thread that prepares batches panicked.
    #[error("a thread that prepares batches panicked: {message}; please report this as a bug")]
    WorkerPanicked {
        /// The message of the panic.
        message: String,
    },

    /// A stream was asked for another batch after it had failed.
    #[error("the batch stream has ended after an earlier error; start a new one")]
    StreamEnded,
}
