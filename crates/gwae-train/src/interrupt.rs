//! Asking a running loop to finish its step, save and return.

#[cfg(feature = "signals")]
mod signals;

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

#[cfg(feature = "signals")]
pub use signals::{InterruptError, catch_file_size_limit, catch_signals};

/// Not requested.
const NO: i32 = 0;

/// Requested, but not by a signal.
const WITHOUT_SIGNAL: i32 = -1;

/// A request to stop, shared between the loop and the code that may ask. It remembers the signal that
/// asked.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicI32>);

impl StopFlag {
    /// Not requested.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the loop to finish its step, save and return.
    pub fn request(&self) {
        self.set(WITHOUT_SIGNAL);
    }

    /// As [`Self::request`], because of a signal, such as 2 for SIGINT.
    pub fn request_by(&self, signal: i32) {
        self.set(signal);
    }

    /// The first request counts.
    fn set(&self, request: i32) {
        let (relaxed, flag) = (Ordering::Relaxed, &self.0);
        let _ = flag.compare_exchange(NO, request, relaxed, relaxed);
    }

    /// Whether the loop was asked to stop.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NO
    }

    /// The exit status of a program that a signal stopped: 128 and the signal, as shells have it. So
    /// 130 for Ctrl-C and 143 for SIGTERM. `None` if no signal asked.
    pub fn exit_status(&self) -> Option<u8> {
        exit_status(self.0.load(Ordering::Relaxed))
    }
}

/// The exit status of a program that this signal stopped.
fn exit_status(signal: i32) -> Option<u8> {
    match signal {
        1..=127 => Some(128 + signal as u8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_decides_the_exit_status() {
        let flag = StopFlag::new();
        assert_eq!((flag.is_requested(), flag.exit_status()), (false, None));
        flag.clone().request_by(15);
        flag.request_by(2);
        assert_eq!((flag.is_requested(), flag.exit_status()), (true, Some(143)));
        let flag = StopFlag::new();
        flag.request();
        assert_eq!((flag.is_requested(), flag.exit_status()), (true, None));
    }
}
