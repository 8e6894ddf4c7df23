//! Asking a running loop to finish its step, save and return.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Exit status of a program that a second signal ended: 128 + SIGINT, as shells count.
pub const EXIT_STATUS: i32 = 130;

/// A request to stop, shared between whoever may ask and the loop that looks.
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

    /// Whether the loop was asked to.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicBool>> for StopFlag {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}

/// The signal handler could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("cannot catch Ctrl-C: {0}")]
pub struct InterruptError(#[from] ctrlc::Error);

/// Catches Ctrl-C and SIGTERM for the whole process: the first signal calls `on_first` (say, to
/// print that a second one exits at once) and sets the flag, the second one ends the process with
/// [`EXIT_STATUS`].
///
/// Signals belong to the program, so only binaries call this, once; the library never does.
///
/// # Errors
///
/// When a handler is installed already, or the system refuses.
pub fn catch_signals(on_first: impl Fn() + Send + 'static) -> Result<StopFlag, InterruptError> {
    let flag = StopFlag::new();
    let handler = SignalHandler {
        flag: flag.clone(),
        signals: AtomicU32::new(0),
    };
    ctrlc::set_handler(move || match handler.receive() {
        Reaction::Stop => on_first(),
        Reaction::Exit => std::process::exit(EXIT_STATUS),
    })?;
    Ok(flag)
}

#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    Stop,
    Exit,
}

/// Counts signals of its own, because others may set the flag too.
struct SignalHandler {
    flag: StopFlag,
    signals: AtomicU32,
}

impl SignalHandler {
    fn receive(&self) -> Reaction {
        self.flag.request();
        match self.signals.fetch_add(1, Ordering::Relaxed) {
            0 => Reaction::Stop,
            _ => Reaction::Exit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_stops_and_the_second_exits() {
        let shared = Arc::new(AtomicBool::new(false));
        let flag = StopFlag::from(shared.clone());
        let handler = SignalHandler {
            flag: flag.clone(),
            signals: AtomicU32::new(0),
        };
        assert!(!flag.is_requested());
        assert_eq!(handler.receive(), Reaction::Stop);
        assert!(flag.is_requested() && shared.load(Ordering::Relaxed));
        assert_eq!(handler.receive(), Reaction::Exit);
    }

    #[test]
    fn a_stop_asked_for_elsewhere_does_not_count_as_a_signal() {
        let handler = SignalHandler {
            flag: StopFlag::new(),
            signals: AtomicU32::new(0),
        };
        handler.flag.request();
        assert_eq!(handler.receive(), Reaction::Stop);
    }

    /// In a child process: catches signals, says when it is ready and when it was asked to stop,
    /// and would then run for a minute.
    #[cfg(unix)]
    fn run_as_child() {
        use std::time::{Duration, Instant};
        let flag = catch_signals(|| println!("first")).unwrap();
        assert!(catch_signals(|| ()).is_err(), "only one handler");
        println!("ready");
        let start = Instant::now();
        let mut told = false;
        while start.elapsed() < Duration::from_secs(60) {
            if flag.is_requested() && !told {
                println!("stopping");
                told = true;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    #[cfg(unix)]
    fn real_signals_do_the_same() {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};
        if std::env::var_os("GWAE_TEST_SIGNALS").is_some() {
            return run_as_child();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "interrupt::tests::real_signals_do_the_same"])
            .args(["--nocapture", "--test-threads=1"])
            .env("GWAE_TEST_SIGNALS", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut wait_for = |expected: &str| {
            let found = lines.any(|line| line.unwrap().ends_with(expected));
            assert!(found, "no line `{expected}`");
        };
        let signal = |name: &str| {
            let command = format!("kill -{name} {}", child.id());
            let status = Command::new("sh").args(["-c", &command]).status().unwrap();
            assert!(status.success());
        };
        wait_for("ready");
        signal("TERM");
        wait_for("stopping");
        signal("INT");
        assert_eq!(child.wait().unwrap().code(), Some(EXIT_STATUS));
    }
}
