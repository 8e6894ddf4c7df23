//! Text from files and servers as errors quote it.

use std::fmt::Display;

/// The text on one line, without characters that terminals obey: those are written as Rust
/// writes them, such as `\u{1b}`.
pub(crate) fn one_line(text: &(impl Display + ?Sized)) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_change() {
        assert_eq!(one_line("häus\\`😀`"), "häus\\`😀`");
        assert_eq!(one_line("a\n\0\u{1b}[1m\u{85}"), r"a\n\u{0}\u{1b}[1m\u{85}");
    }
}
