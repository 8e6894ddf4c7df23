//! Helpers for tests in which a process crashes in the middle of its work.

use std::path::{Path, PathBuf};

/// Runs one test of this binary in a child process, which must crash.
pub(crate) fn run_crashing_child(test: &str, directory: &Path) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("GWAE_TEST_CRASH_IN", directory)
        .output()
        .unwrap();
    assert!(!output.status.success(), "the child was to crash");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("about to crash"), "{text}");
}

/// The directory to crash in, in a child of [`run_crashing_child`]; `None` otherwise.
pub(crate) fn crash_directory() -> Option<PathBuf> {
    std::env::var_os("GWAE_TEST_CRASH_IN").map(PathBuf::from)
}

pub(crate) fn crash() -> ! {
    println!("about to crash");
    std::process::abort()
}

#[cfg(target_os = "linux")]
pub(crate) fn fill_the_disk() -> std::io::Result<()> {
    use std::io::Write;
    std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")?
        .write_all(b"x")
}
