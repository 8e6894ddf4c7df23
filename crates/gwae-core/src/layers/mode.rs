//! Training or evaluation behaviour, as an explicit argument.

/// How layers with batch statistics behave in a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Normalise by the statistics of the batch and update the running statistics.
    Train,
    /// Normalise by the running statistics; nothing changes.
    Evaluate,
}
