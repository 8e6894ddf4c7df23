//! Lets single system calls of the program fail, or kill it, through `strace`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{Outcome, Program};

/// The calls that change files.
const CHANGING: [&str; 9] = [
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "mkdir",
    "ftruncate",
    "unlink",
    "unlinkat",
];

/// One call of the main thread: the n-th of its name.
#[derive(Clone, Debug)]
pub struct Call {
    /// Name of the system call.
    pub name: String,
    /// Its number among the calls of this name, from 1.
    pub number: u64,
}

/// Why `strace` cannot be used; `None` if it can.
pub fn is_missing() -> Option<String> {
    let tried = Command::new("strace")
        .args([
            "-f",
            "--seccomp-bpf",
            "-o",
            "/dev/null",
            "-e",
            "trace=mkdir",
            "true",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match tried {
        Ok(status) if status.success() => None,
        Ok(_) => Some("strace may not trace processes here".into()),
        Err(_) => Some("strace is not installed".into()),
    }
}

/// Runs the program once and lists the calls of its main thread that touch `directory` or print.
pub fn calls(
    program: &Program,
    arguments: &[String],
    directory: &Path,
) -> Result<Vec<Call>, String> {
    let log = directory.with_extension("strace");
    let mut command = Command::new("strace");
    command
        .args(["-f", "--seccomp-bpf", "-y", "-s", "0", "-o"])
        .arg(&log);
    command
        .arg("-e")
        .arg(format!("trace={}", CHANGING.join(",")));
    command.arg(program.path()).args(arguments);
    let scratch = directory.parent().unwrap_or(directory);
    let outcome = program.run_command(command, scratch, Duration::from_secs(300));
    if outcome.code != Some(0) {
        return Err(format!("under strace: {outcome}"));
    }
    let text = fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let touched = directory.display().to_string();
    // A short thread may end before the main thread writes anything.
    let first = text.lines().find(|line| line.contains(&touched));
    let main = first.and_then(|line| line.split_whitespace().next());
    let main = main.unwrap_or_default();
    let mut counts: HashMap<&str, u64> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, _)) = rest.trim_start().split_once('(') else {
            continue;
        };
        if process != main || !CHANGING.contains(&name) {
            continue;
        }
        let number = counts.entry(name).or_default();
        *number += 1;
        if rest.contains(&touched) || rest.contains("write(1<") || rest.contains("write(2<") {
            calls.push(Call {
                name: name.to_owned(),
                number: *number,
            });
        }
    }
    if calls.is_empty() {
        return Err("strace saw no call of the main thread that writes the run".into());
    }
    Ok(calls)
}

/// Runs the program and injects `fault`, such as `error=ENOSPC` or `signal=SIGKILL`, at a call.
pub fn inject(
    program: &Program,
    arguments: &[String],
    scratch: &Path,
    call: &Call,
    fault: &str,
    from_then_on: bool,
) -> Outcome {
    let Call { name, number } = call;
    let plus = if from_then_on { "+" } else { "" };
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-o", "/dev/null"]);
    command.arg("-e").arg(format!("trace={name}"));
    command
        .arg("-e")
        .arg(format!("inject={name}:{fault}:when={number}{plus}"));
    command.arg(program.path()).args(arguments);
    program.run_command(command, scratch, Duration::from_secs(120))
}
