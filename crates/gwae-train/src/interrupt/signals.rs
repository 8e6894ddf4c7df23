//! Ctrl-C and other signals as a request to stop.

use std::io::Write;

use super::{StopFlag, exit_status};

/// SIGINT, which Ctrl-C sends; Windows has no other.
#[cfg(any(test, not(unix)))]
const INTERRUPT: i32 = 2;

/// The signal handler could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("cannot catch signals: {0}")]
pub struct InterruptError(String);

/// Catches Ctrl-C, and on Unix SIGTERM, for the whole process, and does
/// [`catch_file_size_limit`]. The first signal sets the flag and
/// prints on standard error what happens next. The second one ends the process with the exit status
/// of [`StopFlag::exit_status`].
///
/// The hang-up signal of a terminal is not caught, so `nohup` works. Signals belong to the program:
/// only binaries call this, once. The library never does.
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
    catch_file_size_limit()?;
    Ok(flag)
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) fail like one on a full disk, with
/// an error that names the file. Without this, the system ends the process.
///
/// # Errors
///
/// When the system refuses.
pub fn catch_file_size_limit() -> Result<(), InterruptError> {
    #[cfg(unix)]
    {
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;

        use signal_hook::consts::SIGXFSZ;
        // Nobody reads the flag: that the signal has a handler is enough.
        signal_hook::flag::register(SIGXFSZ, Arc::<AtomicBool>::default())
            .map_err(|error| InterruptError(error.to_string()))?;
    }
    Ok(())
}

#[cfg(unix)]
fn install(mut handler: SignalHandler) -> Result<(), InterruptError> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let refused = |error: std::io::Error| InterruptError(error.to_string());
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).map_err(refused)?;
    let thread = std::thread::Builder::new().name("gwae-signals".into());
    thread
        .spawn(move || signals.forever().for_each(|signal| handler.receive(signal)))
        .map_err(refused)?;
    Ok(())
}

#[cfg(not(unix))]
fn install(mut handler: SignalHandler) -> Result<(), InterruptError> {
    ctrlc::set_handler(move || handler.receive(INTERRUPT))
        .map_err(|error| InterruptError(error.to_string()))
}

struct SignalHandler {
    flag: StopFlag,
    /// Whether a signal arrived; other code may set the flag too.
    received: bool,
}

impl SignalHandler {
    fn receive(&mut self, signal: i32) {
        if self.received {
            let status = exit_status(signal).map_or(1, i32::from);
            std::process::exit(status);
        }
        self.received = true;
        self.flag.request_by(signal);
        // Standard error may already be closed; saving must go on.
        let _ = writeln!(
            std::io::stderr(),
            "\nfinishing this step, then saving; press Ctrl-C again to quit at once"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a child process: catches signals, reports when it is ready and when it was asked to stop.
    /// Otherwise it would run for a minute.
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
            .args([
                "--exact",
                "interrupt::signals::tests::real_signals_do_the_same",
            ])
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
        assert_eq!(child.wait().unwrap().code(), Some(128 + INTERRUPT));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_beyond_the_limit_is_an_error() {
        if let Some(file) = std::env::var_os("GWAE_TEST_FILE_SIZE") {
            catch_file_size_limit().unwrap();
            let error = std::fs::write(file, [0; 1 << 20]).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", "ulimit -f 8 && exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "interrupt::signals::tests::a_file_beyond_the_limit_is_an_error",
            ])
            .env("GWAE_TEST_FILE_SIZE", directory.path().join("file"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 passed"), "{text}");
    }
}
