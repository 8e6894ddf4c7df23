//! Text from files and servers, made safe for error messages.

use std::fmt::Display;

/// The text on one line, with control characters written as in Rust, such as `\u{1b}`, so that
/// terminals do not obey them. Line separators and characters that change the direction of the text
/// are written so too: they can make a message look like another one.
pub fn one_line(text: &(impl Display + ?Sized)) -> String {
    let text = text.to_string();
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_layout(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Line and paragraph separators, and marks, embeddings, overrides and isolates of direction.
fn is_layout(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// The text of a message with several lines, on one line: every run of white space becomes one
/// space. The rest is as in [`one_line`].
pub fn folded(text: impl Display) -> String {
    let text = text.to_string();
    one_line(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The text of a message as [`folded`] gives it, without its middle if it is long: parsers quote
/// whole values of a file.
pub fn shortened(text: impl Display) -> String {
    const START: usize = 300;
    const END: usize = 100;
    let line = folded(text);
    let starts: Vec<usize> = line.char_indices().map(|(start, _)| start).collect();
    if starts.len() <= START + END {
        return line;
    }
    let (start, end) = (starts[START], starts[starts.len() - END]);
    format!("{} … {}", &line[..start], &line[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_become_one() {
        assert_eq!(folded("error:\n   no\tfile \n"), "error: no file");
    }

    #[test]
    fn long_messages_lose_their_middle() {
        let message = format!("found \"{}\" in line 7", "é\n".repeat(1 << 20));
        let short = shortened(message);
        assert_eq!(short.chars().count(), 403);
        assert!(short.starts_with("found \"é é") && short.ends_with("é \" in line 7"));
        let fits = "é".repeat(400);
        assert_eq!(shortened(&fits), fits);
    }

    #[test]
    fn only_control_characters_change() {
        assert_eq!(one_line("häus\\`😀`"), "häus\\`😀`");
        assert_eq!(one_line("a\n\0\u{1b}[1m\u{85}"), r"a\n\u{0}\u{1b}[1m\u{85}");
    }

    #[test]
    fn nothing_can_hide_or_turn_a_text() {
        assert_eq!(one_line("a\u{1b}[2Jb\u{9b}c"), "a\\u{1b}[2Jb\\u{9b}c");
        assert_eq!(one_line("a\u{202e}b\u{2028}c"), "a\\u{202e}b\\u{2028}c");
        assert_eq!(folded("a \n \u{1b}b"), "a \\u{1b}b");
        assert_eq!(one_line("Größe 数 é"), "Größe 数 é");
    }
}
