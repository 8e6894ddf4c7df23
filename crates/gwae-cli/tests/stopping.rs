//! Signals, exit statuses and the limits of resumed runs.
#![cfg(unix)]

mod program;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use program::{command, fine, gwae, refused};

const LONG: &str = "\
[model]
image_size = 32
channels = 1
latent_dim = 4
width = 0.1
[training]
batch_size = 8
steps = 100000
critic_steps = 1
patience = 0
[data]
validation_fraction = 0.002
";

/// Runs the program, sends it a signal after its first step, and returns its exit status and what it
/// printed.
fn signalled(arguments: &[&str], signal: &str, directory: &Path) -> (Option<i32>, String) {
    let mut command = command(arguments, directory);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("images/s") {
        assert_ne!(errors.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    let kill = format!("kill -{signal} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    errors.read_to_string(&mut seen).unwrap();
    let Output { status, stdout, .. } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[test]
fn a_signal_decides_the_exit_status_and_the_run_goes_on() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("long.toml"), LONG).unwrap();
    let run = "my runs/it's";
    let (status, printed) = signalled(&["train", "long.toml", "--out", run], "INT", root.path());
    assert_eq!(status, Some(130), "{printed}");
    let (status, printed) = signalled(&["resume", run], "TERM", root.path());
    assert_eq!(status, Some(143), "{printed}");
    // The last line can be pasted into a shell.
    let line = printed.lines().last().unwrap();
    let pasted = line.strip_prefix("go on: gwae ").unwrap();
    let script = format!("\"$0\" {pasted} --steps 1");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_gwae")]);
    let message = refused(&shell.current_dir(root.path()).output().unwrap(), 1);
    assert!(message.contains("steps = 1 is less than the "), "{message}");
}

#[test]
fn a_limit_below_what_is_done_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("long.toml"), LONG).unwrap();
    fine(&gwae(
        &["train", "long.toml", "--steps", "4", "--out", "run"],
        root.path(),
    ));
    let files = ["config.toml", "run.json", "metrics.jsonl"];
    let read = || files.map(|file| std::fs::read(root.path().join("run").join(file)).unwrap());
    let before = read();
    let message = refused(&gwae(&["resume", "run", "--steps", "2"], root.path()), 1);
    assert!(
        message.contains("steps = 2") && message.contains("4 steps"),
        "{message}"
    );
    assert_eq!(read(), before);
    // As many as are done are no fewer.
    let printed = fine(&gwae(&["resume", "run", "--steps", "4"], root.path()));
    assert!(
        printed.contains("go on: gwae resume run --steps 8"),
        "{printed}"
    );
}
