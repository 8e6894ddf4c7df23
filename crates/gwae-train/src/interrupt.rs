//! Asking a running loop to finish its step, save and return.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// The signal handler could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("cannot catch Ctrl-C: {0}")]
pub struct InterruptError(String);

/// Catches Ctrl-C, and on Unix SIGTERM, for the whole process: the first one sets the flag and says
/// on standard error what happens now, the second one ends the process with [`EXIT_STATUS`].
///
/// The hang-up of a terminal is left as it is, so that `nohup` works. Signals belong to the
/// program, so only binaries call this, once; the library never does.
///
/// # Errors
///
/// When the system refuses.
pub fn catch_signals() -> Result<StopFlag, InterruptError> {
    let flag = StopFlag::new();
    let handler = SignalHandler {
        flag: flag.clone(),
        received: false,
    };
    install(handler)?;
    Ok(flag)
}

#[cfg(unix)]
fn install(mut handler: SignalHandler) -> Result<(), InterruptError> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let refused = |error: std::io::Error| InterruptError(error.to_string());
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).map_err(refused)?;
    let thread = std::thread::Builder::new().name("gwae-signals".into());
    thread
        .spawn(move || signals.forever().for_each(|_| handler.receive()))
        .map_err(refused)?;
    Ok(())
}

#[cfg(not(unix))]
fn install(mut handler: SignalHandler) -> Result<(), InterruptError> {
    ctrlc::set_handler(move || handler.receive()).map_err(|error| InterruptError(error.to_string()))
}

struct SignalHandler {
    flag: StopFlag,
    /// Whether a signal came; others may set the flag too.
    received: bool,
}

impl SignalHandler {
    fn receive(&mut self) {
        if self.received {
            std::process::exit(EXIT_STATUS);
        }
        self.received = true;
        self.flag.request();
        // Standard error may be gone by now, which is no reason not to save.
        let _ = writeln!(
            std::io::stderr(),
            "\nfinishing this step, then saving; press Ctrl-C again to quit at once"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a child process: catches signals, says when it is ready and when it was asked to stop,
    /// and would then run for a minute.
    #[cfg(unix)]
    fn run_as_child() {
        use std::time::{Duration, Instant};
        let flag = catch_signals().unwrap();
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
