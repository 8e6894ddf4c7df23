//! The tested program as a child process, with limits on time and memory.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time after which a run of the program counts as endless.
const LONGEST: Duration = Duration::from_secs(120);

/// Memory, in MB, at which a process is killed before it harms the machine.
pub const MOST_MEGABYTES: u64 = 1_000;

/// The program `gwae`.
pub struct Program {
    path: PathBuf,
    numbers: AtomicU64,
}

/// How a run of the program ended.
pub struct Outcome {
    /// Exit status; `None` after a signal.
    pub code: Option<i32>,
    /// Standard error.
    pub errors: String,
    /// Standard output.
    pub output: String,
    /// Largest memory in use, in MB, as far as it was seen.
    pub megabytes: u64,
    /// Whether it ran until it was stopped from outside.
    pub too_long: bool,
    /// How long it ran.
    pub duration: Duration,
}

impl Program {
    /// The program at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            numbers: AtomicU64::new(0),
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[String], scratch: &Path) -> Outcome {
        let mut command = Command::new(&self.path);
        command.args(arguments);
        self.run_command(command, scratch, LONGEST)
    }

    /// Runs the program and kills it after `time`.
    pub fn run_for(&self, arguments: &[String], scratch: &Path, time: Duration) -> Outcome {
        let mut command = Command::new(&self.path);
        command.args(arguments);
        self.run_command(command, scratch, time)
    }

    /// Starts the program and does not wait for it.
    pub fn start(&self, arguments: &[String], errors: &Path) -> std::io::Result<Child> {
        Command::new(&self.path)
            .args(arguments)
            .env("RAYON_NUM_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(errors)?)
            .spawn()
    }

    /// Runs any command with the program's environment.
    pub fn run_command(&self, mut command: Command, scratch: &Path, time: Duration) -> Outcome {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let file = |name: &str| scratch.join(format!("{name}-{number}.txt"));
        let (output, errors) = (file("output"), file("errors"));
        let create = |path: &Path| File::create(path).expect("a file for the program's output");
        let began = Instant::now();
        let mut child = command
            // One thread per process: the results are the same, and several cases run at once.
            .env("RAYON_NUM_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(create(&output))
            .stderr(create(&errors))
            .spawn()
            .expect("the program starts");
        let (status, megabytes, too_long) = wait(&mut child, began + time);
        let read = |path: &Path| {
            let bytes = fs::read(path).unwrap_or_default();
            let _ = fs::remove_file(path);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Outcome {
            code: status,
            errors: read(&errors),
            output: read(&output),
            megabytes,
            too_long,
            duration: began.elapsed(),
        }
    }
}

/// Waits for the end of a child; kills it at `end`, or if it takes too much memory. Returns its exit status, its largest memory in
/// MB, and whether it was killed.
pub fn wait(child: &mut Child, end: Instant) -> (Option<i32>, u64, bool) {
    let mut megabytes = 0;
    loop {
        megabytes = megabytes.max(peak_megabytes(&child.id().to_string()));
        match child.try_wait() {
            Ok(Some(status)) => return (status.code(), megabytes, false),
            Ok(None) if Instant::now() < end && megabytes < MOST_MEGABYTES => {
                sleep(Duration::from_millis(2))
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return (None, megabytes, true);
            }
        }
    }
}

/// The largest memory that a process (`self` or its number) has used, in MB; 0 if it is unknown.
pub fn peak_megabytes(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

impl Outcome {
    /// A failure has to be one line that names a cause; neither failure nor success may come with
    /// a panic or with control characters.
    pub fn check_messages(&self) -> Result<(), String> {
        let text = format!("{}{}", self.errors, self.output);
        let wrong = |what: &str| Err(format!("{what}: {self}"));
        if text.contains("bug in gwae") || text.contains("panicked") {
            return wrong("a panic");
        }
        if text.contains(|character: char| character.is_control() && character != '\n') {
            return wrong("control characters");
        }
        if self.megabytes >= MOST_MEGABYTES {
            return wrong("more than 1000 MB of memory");
        }
        if self.too_long {
            return wrong("no end");
        }
        match self.code {
            None => wrong("ended by a signal"),
            Some(0) => Ok(()),
            Some(_) => {
                let errors = self
                    .errors
                    .lines()
                    .filter(|line| line.starts_with("error: "));
                match errors.count() {
                    1 => Ok(()),
                    _ => wrong("not one line `error: …`"),
                }
            }
        }
    }

    /// As [`Self::check_messages`], and within 500 MB and 10 seconds.
    pub fn check_limits(&self) -> Result<(), String> {
        self.check_messages()?;
        if self.megabytes > 500 {
            return Err(format!("{} MB of memory: {self}", self.megabytes));
        }
        if self.duration > Duration::from_secs(10) {
            return Err(format!("{:.0?}: {self}", self.duration));
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(formatter, "exit status {code}")?,
            None => write!(formatter, "no exit status")?,
        }
        let lines: Vec<_> = self.errors.lines().rev().take(2).collect();
        for line in lines.into_iter().rev() {
            let line: String = line.chars().take(400).collect();
            write!(formatter, "; {}", line.escape_debug())?;
        }
        Ok(())
    }
}
