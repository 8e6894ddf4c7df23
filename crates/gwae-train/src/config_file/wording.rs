//! Serde's messages in plain words.

/// The types of serde's messages, each with the words for it.
const EXPECTED: [(&str, &str); 20] = [
    ("usize", "a whole number, at least 0"),
    ("u8", "a whole number, at least 0"),
    ("u16", "a whole number, at least 0"),
    ("u32", "a whole number, at least 0"),
    ("u64", "a whole number, at least 0"),
    ("isize", "a whole number"),
    ("i8", "a whole number"),
    ("i16", "a whole number"),
    ("i32", "a whole number"),
    ("i64", "a whole number"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("bool", "true or false"),
    ("a boolean", "true or false"),
    ("a string", "text"),
    ("path string", "a path, in quotes"),
    ("string or table", "text or a table"),
    ("a sequence", "a list"),
    ("a map", "a table"),
    ("map", "a table"),
];

/// How serde names a value that it found, and the words for it.
const FOUND: [(&str, &str); 6] = [
    ("floating point `", "the number `"),
    ("integer `", "the number `"),
    ("boolean `", "`"),
    ("string \"", "text \""),
    ("sequence", "a list"),
    ("map", "a table"),
];

/// What no configuration of a user names.
const HIDDEN: &str = "`own`";

/// The message in one line and in plain words. If a name is unknown, the most similar known one is
/// added.
pub(super) fn plain(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    // TOML's own words for a value that is no name.
    if message == "wanted string or table" {
        return "expected a name, in quotes".to_owned();
    }
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        return with_suggestion(&message.replacen("unknown variant", "unknown value", 1));
    }
    for start in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some(rest) = message.strip_prefix(start) {
            return format!("{start}{}", in_words(rest));
        }
    }
    message
}

/// The end of a message about a wrong type or value: `FOUND, expected EXPECTED`.
fn in_words(found_and_expected: &str) -> String {
    // A text that was found may hold anything.
    let Some((found, expected)) = found_and_expected.rsplit_once(", expected ") else {
        return found_and_expected.to_owned();
    };
    let found_in_words = FOUND.iter().find_map(|(serde, words)| {
        let rest = found.strip_prefix(serde)?;
        Some(format!("{words}{rest}"))
    });
    let found = found_in_words.unwrap_or_else(|| found.to_owned());
    let words = EXPECTED.iter().find(|(serde, _)| *serde == expected);
    let expected = match (words, expected.strip_prefix("an array of length ")) {
        (Some((_, words)), _) => (*words).to_owned(),
        (None, Some(length)) => format!("a list of {length}"),
        (None, None) => expected.to_owned(),
    };
    format!("{found}, expected {expected}")
}

/// Adds the most similar known name. Serde writes: unknown field `a`, expected one of `b`, `c`.
fn with_suggestion(message: &str) -> String {
    let message = message
        .replace(&format!(", {HIDDEN}"), "")
        .replace(&format!("{HIDDEN}, "), "")
        .replace("there are no fields", "nothing can be set here");
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().unwrap_or_default();
    let distance = |name: &&str| strsim::osa_distance(unknown, name);
    let nearest = names.min_by_key(distance);
    // With more changes than half of the word it is another word.
    match nearest.filter(|near| distance(near) * 2 <= unknown.chars().count() + 1) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_plain_words() {
        for (serde, expected) in [
            (
                "invalid value: integer `-3`, expected usize",
                "invalid value: the number `-3`, expected a whole number, at least 0",
            ),
            (
                "invalid type: floating point `1.5`, expected u64",
                "invalid type: the number `1.5`, expected a whole number, at least 0",
            ),
            (
                "invalid type: string \"a\", expected f64",
                "invalid type: text \"a\", expected a number",
            ),
            (
                "invalid type: integer `1`, expected a boolean",
                "invalid type: the number `1`, expected true or false",
            ),
            (
                "invalid type: boolean `true`, expected a string",
                "invalid type: `true`, expected text",
            ),
            (
                "invalid type: map, expected a sequence",
                "invalid type: a table, expected a list",
            ),
            (
                "invalid type: string \"x, expected usize\", expected path string",
                "invalid type: text \"x, expected usize\", expected a path, in quotes",
            ),
        ] {
            assert_eq!(plain(serde), expected);
        }
    }

    #[test]
    fn names_that_no_user_writes_are_not_listed() {
        assert_eq!(
            plain("unknown variant `ow`, expected one of `noise`, `own`"),
            "unknown value `ow`, expected one of `noise`"
        );
    }

    #[test]
    fn only_similar_names_are_suggested() {
        for (unknown, known, suggested) in [
            ("lerning_rate", "learning_rate", true),
            ("vea", "vae", true),
            ("mnits", "mnist", true),
            ("foo", "seed", false),
            ("a", "data", false),
        ] {
            let message = plain(&format!("unknown field `{unknown}`, expected `{known}`"));
            assert_eq!(message.contains("did you mean"), suggested, "{message}");
        }
    }
}
