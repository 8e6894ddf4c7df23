//! Paths in commands that a user may paste into a shell.

use std::path::Path;

/// The path as one word of a command line, in quotes if it has characters that a shell reads.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    // A program would read it as an option.
    let text = match text.starts_with('-') {
        true => format!("./{text}"),
        false => text,
    };
    let is_plain = |character: char| {
        character.is_alphanumeric() || "_./+:@%,=-".contains(character) || is_separator(character)
    };
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => in_quotes(&text),
    }
}

#[cfg(windows)]
fn is_separator(character: char) -> bool {
    character == '\\'
}

#[cfg(not(windows))]
fn is_separator(_: char) -> bool {
    false
}

#[cfg(windows)]
fn in_quotes(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(not(windows))]
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_path_back() {
        for path in [
            "runs/digits",
            "my runs/a",
            "it's",
            "a\"b",
            "$HOME",
            "a;b&c",
            "~/x",
            "back\\slash",
            "two\nlines",
            "*",
            "Größe",
            "a(b)",
        ] {
            let script = format!("printf %s {}", quoted(Path::new(path)));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            assert_eq!(String::from_utf8_lossy(&output.unwrap().stdout), path);
        }
        assert_eq!(quoted(Path::new("runs/a")), "runs/a");
        assert_eq!(quoted(Path::new("-n")), "./-n");
        assert_eq!(quoted(Path::new("")), "''");
    }
}
