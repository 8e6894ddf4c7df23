//! Shortens words and numbers for pictures.

use std::ops::Range;

use super::font::{has_character, text_width};

/// Longer words do not fit in any picture.
const MOST_LETTERS: usize = 400;

/// Replaces a character that the typeface lacks.
const UNKNOWN: char = '□';

/// One line of at most `limit` drawable characters.
pub(crate) fn printable(words: &str, limit: usize) -> String {
    let line: Vec<char> = words
        .chars()
        .map(|c| match c {
            _ if c.is_control() => ' ',
            _ if has_character(c) => c,
            _ => UNKNOWN,
        })
        .collect();
    if line.len() <= limit {
        line.into_iter().collect()
    } else {
        line[..limit - 1].iter().chain(&['…']).collect()
    }
}

/// One line, at most `room` pixels wide in letters of `size` pixels.
pub(crate) fn fitted(words: &str, size: i32, room: i32) -> String {
    let room = usize::try_from(room).unwrap_or(0);
    let line = printable(words, MOST_LETTERS);
    if text_width(&line, size) <= room {
        return line;
    }
    let letters: Vec<char> = line.chars().collect();
    let cut = |length: usize| -> String {
        let kept: String = letters[..length].iter().collect();
        format!("{}…", kept.trim_end())
    };
    // Find the longest beginning that fits; all shorter ones fit too.
    let (mut fits, mut too_long) = (0, letters.len());
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        if text_width(&cut(middle), size) <= room {
            fits = middle;
        } else {
            too_long = middle;
        }
    }
    cut(fits)
}

/// At most `lines` lines, each at most `room` pixels wide in letters of `size` pixels, broken
/// between words. The last line is cut if words are left.
pub(crate) fn wrapped(words: &str, size: i32, room: i32, lines: usize) -> Vec<String> {
    let words = printable(words, MOST_LETTERS);
    let mut rest: Vec<&str> = words.split_whitespace().collect();
    let mut wrapped = Vec::new();
    while wrapped.len() + 1 < lines && !rest.is_empty() {
        let fitting = (1..=rest.len())
            .take_while(|&count| text_width(&rest[..count].join(" "), size) as i32 <= room)
            .last();
        // A word longer than the line is cut.
        let count = fitting.unwrap_or(1);
        wrapped.push(fitted(&rest[..count].join(" "), size, room));
        rest.drain(..count);
    }
    if !rest.is_empty() {
        wrapped.push(fitted(&rest.join(" "), size, room));
    }
    wrapped
}

/// A training step, in thousands if it is long.
pub(crate) fn step_label(step: f64) -> String {
    let thousands = step / 1000.0;
    if step.abs() >= 10_000.0 {
        format!("{}k", trimmed(format!("{thousands:.3}")))
    } else {
        trimmed(format!("{step:.3}"))
    }
}

/// A loss, in scientific notation if it is tiny or huge.
pub(crate) fn value_label(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&size) {
        trimmed(format!("{value:.5}"))
    } else {
        scientific(value, 3)
    }
}

/// A number along an axis of `range`, with enough digits to differ from its neighbours.
pub(crate) fn tick_label(value: f64, range: &Range<f64>) -> String {
    let largest = range.start.abs().max(range.end.abs());
    // Numbers along an axis have at least this distance.
    let spacing = (range.end - range.start) / 10.0;
    if value.abs() < 1e-3 * spacing {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&largest) {
        trimmed(format!("{value:.0$}", decimals(1.0 / spacing)))
    } else {
        scientific(value, decimals(largest / spacing))
    }
}

fn decimals(ratio: f64) -> usize {
    ratio.log10().ceil().clamp(0.0, 12.0) as usize
}

fn scientific(value: f64, decimals: usize) -> String {
    let number = format!("{value:.decimals$e}");
    match number.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits.to_owned())),
        None => number,
    }
}

/// Removes zeros at the end of the decimals.
fn trimmed(number: String) -> String {
    if number.contains('.') {
        let short = number.trim_end_matches('0').trim_end_matches('.');
        return short.to_owned();
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_on_one_line() {
        assert_eq!(printable("gw\nloss", 10), "gw loss");
        assert_eq!(printable("reconstruction", 14), "reconstruction");
        assert_eq!(printable("reconstruction", 6), "recon…");
    }

    #[test]
    fn what_cannot_be_drawn_is_seen_to_be_there() {
        for drawn in [
            "Smørrebrød",
            "Ελληνικά: ψ Ω",
            "Щука Їжак",
            "10 µm² − ½ …",
            "e\u{301}",
        ] {
            assert_eq!(printable(drawn, 40), drawn);
        }
        assert_eq!(printable("émoji😀", 40), "émoji□");
        assert_eq!(printable("日本語\tclass", 40), "□□□ class");
        // Every character has some width.
        for c in ["□", "…", "ψ", "Щ", "é"] {
            assert!(text_width(c, 40) > 5, "{c}");
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, label) in [
            (0.0, "0"),
            (0.30000000000000004, "0.3"),
            (-2.5, "-2.5"),
            (120.0, "120"),
            (1e-5, "1e-5"),
            (2.5e7, "2.5e7"),
        ] {
            assert_eq!(value_label(value), label);
        }
        for (step, label) in [(0.0, "0"), (500.0, "500"), (12_500.0, "12.5k")] {
            assert_eq!(step_label(step), label);
        }
    }

    #[test]
    fn words_fit_their_room() {
        let title = "receiver operating characteristics of all scores";
        let whole = text_width(title, 40) as i32;
        assert_eq!(fitted(title, 40, whole), title);
        for room in [whole - 1, whole / 2, 100, 40] {
            let cut = fitted(title, 40, room);
            assert!(text_width(&cut, 40) as i32 <= room, "{cut}");
            let beginning = cut.strip_suffix('…').unwrap();
            assert!(title.starts_with(beginning), "{cut}");
            // One more letter would not have fitted, unless a space was left out.
            let longer = &title[..title.len().min(beginning.len() + 2)];
            assert!(text_width(&format!("{longer}…"), 40) as i32 > room, "{cut}");
        }
        assert_eq!(fitted(title, 40, -5), "…");
        assert_eq!(fitted("", 40, 0), "");
    }

    #[test]
    fn words_are_broken_into_lines() {
        let words = "  distance of the potential\nfrom its median ";
        assert_eq!(
            wrapped(words, 30, 10_000, 3),
            ["distance of the potential from its median"]
        );
        let room = text_width("distance of the", 30) as i32;
        assert_eq!(
            wrapped(words, 30, room, 9),
            ["distance of the", "potential from", "its median"]
        );
        let two = wrapped(words, 30, room, 2);
        assert_eq!((two.len(), &two[0][..]), (2, "distance of the"));
        assert!(two[1].starts_with("potential") && two[1].ends_with('…'));
        // A word that does not fit is cut, and the next words follow.
        let long = wrapped("reconstructionerror of x", 30, room / 2, 3);
        assert!(long[0].ends_with('…') && long[1] == "of x", "{long:?}");
        assert!(wrapped(" \n", 30, room, 3).is_empty());
    }

    #[test]
    fn neighbours_along_an_axis_differ() {
        for (value, range, label) in [
            (0.2, 0.0..1.0, "0.2"),
            (1e-17, -1.0..1.0, "0"),
            (-1500.0, -2000.0..3000.0, "-1500"),
            (123_456.2, 123_456.0..123_457.0, "1.234562e5"),
            (0.12345, 0.1234..0.1235, "0.12345"),
            (2e-7, 0.0..1e-6, "2e-7"),
            (1e30, -1e30..1e30, "1e30"),
        ] {
            assert_eq!(tick_label(value, &range), label);
        }
    }
}
