//! Asking a running loop to finish its step, save and return.

#[cfg(feature = "signals")]
mod signals;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "signals")]
pub use signals::{EXIT_STATUS, InterruptError, catch_file_size_limit, catch_signals};

/// A request to stop, shared between the loop and the code that may ask.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Not requested.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the loop to finish its step, save and return.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the loop was asked to stop.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
