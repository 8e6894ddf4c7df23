//! Why a run ended.

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// All steps are done.
    Finished,
    /// The monitored value no longer improved.
    Converged,
    /// A callback stopped it.
    Stopped,
    /// The user stopped it.
    Interrupted,
}
