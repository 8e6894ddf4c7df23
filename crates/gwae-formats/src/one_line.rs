//! Text from files and servers, made safe for error messages.

use std::fmt::Display;

/// The text on one line, with control characters written as in Rust, such as `\u{1b}`, so that
/// terminals do not obey them.
pub fn one_line(text: &(impl Display + ?Sized)) -> String {
    let text = text.to_string();
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// The text of a message with several lines, on one line: every run of white space becomes one
/// space.
pub fn folded(text: impl Display) -> String {
    let text = text.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_become_one() {
        assert_eq!(folded("error:\n   no\tfile \n"), "error: no file");
    }

    #[test]
    fn only_control_characters_change() {
        assert_eq!(one_line("häus\\`😀`"), "häus\\`😀`");
        assert_eq!(one_line("a\n\0\u{1b}[1m\u{85}"), r"a\n\u{0}\u{1b}[1m\u{85}");
    }
}
