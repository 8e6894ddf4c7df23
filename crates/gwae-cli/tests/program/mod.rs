//! Runs the program as a user does.

#![allow(dead_code)] // Each test file uses only a part of it.

use std::path::Path;
use std::process::{Command, Output};

/// The program with its arguments in a working directory.
pub fn command(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwae"));
    command
        .args(arguments)
        .current_dir(directory)
        .env("XDG_CACHE_HOME", directory.join("cache-of-the-user"))
        .env_remove("GWAE_MIRROR");
    command
}

/// The result of the program with these arguments.
pub fn gwae(arguments: &[&str], directory: &Path) -> Output {
    command(arguments, directory).output().unwrap()
}

/// Printed bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Standard output of a command that must succeed.
#[track_caller]
pub fn fine(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The one-line error of a command that must fail with exit status `code`.
#[track_caller]
pub fn refused(output: &Output, code: i32) -> String {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}
