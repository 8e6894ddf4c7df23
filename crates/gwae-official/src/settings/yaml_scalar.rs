//! What PyYAML reads in a plain scalar where a YAML 1.2 parser reads something else.
//!
//! The authors' program uses PyYAML's `safe_load`, which knows YAML 1.1. The rules are those of its
//! `resolver.py`.

/// A scalar as YAML 1.1 reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// Both versions read the same, or it is no plain scalar.
    Other,
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Switch(bool),
    /// A text, which YAML 1.2 takes for a number.
    Text(String),
}

/// Reads the scalar at a line and column, both from 1, of a YAML text.
pub(super) fn scalar_at(text: &str, (line, column): (u64, u64)) -> Scalar {
    let from_zero = |number: u64| usize::try_from(number).ok()?.checked_sub(1);
    let token = from_zero(line)
        .zip(from_zero(column))
        .and_then(|(line, column)| {
            let line = text.lines().nth(line)?;
            let (start, _) = line.char_indices().nth(column)?;
            Some(&line[start..])
        });
    let Some(token) = token else {
        return Scalar::Other;
    };
    // A plain scalar ends at a comment, and inside braces at a comma or brace.
    let end = token
        .find([' ', '\t', ',', '}', ']', '#'])
        .unwrap_or(token.len());
    // A scalar of several words is a text in both versions.
    let rest = token[end..].trim_start();
    match rest.is_empty() || rest.starts_with([',', '}', ']', '#']) {
        true => resolve(&token[..end]),
        false => Scalar::Other,
    }
}

fn resolve(token: &str) -> Scalar {
    match token {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Switch(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Switch(false);
        }
        _ => {}
    }
    let (sign, digits) = match token.strip_prefix(['-', '+']) {
        Some(digits) if token.starts_with('-') => (-1, digits),
        Some(digits) => (1, digits),
        None => (1, token),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Scalar::Other;
    }
    let only = |text: &str, allowed: fn(char) -> bool| {
        !text.is_empty() && text.chars().all(|c| c == '_' || allowed(c))
    };
    let (radix, digits) = if let Some(rest) = digits.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = digits.strip_prefix("0x") {
        (16, rest)
    } else if digits.contains(':') {
        return sexagesimal(sign, digits);
    } else if digits.len() > 1 && digits.starts_with('0') && !digits.contains('.') {
        // Octal. With an 8 or a 9, or in the manner of YAML 1.2 (`0o20`), it is a text.
        match only(&digits[1..], |c| c.is_digit(8)) {
            true => (8, &digits[1..]),
            false => return Scalar::Text(token.to_owned()),
        }
    } else if only(digits, |c| c.is_ascii_digit()) {
        (10, digits)
    } else {
        return Scalar::Other;
    };
    let number = i64::from_str_radix(&digits.replace('_', ""), radix);
    number.map_or_else(
        |_| Scalar::Text(token.to_owned()),
        |number| Scalar::Integer(sign * number),
    )
}

/// `1:30` is 90: numbers to the base 60. The first must not begin with 0, the others are below 60.
fn sexagesimal(sign: i64, digits: &str) -> Scalar {
    let mut number = 0i64;
    for (place, part) in digits.split(':').enumerate() {
        let allowed = match place {
            0 => !part.starts_with('0'),
            _ => part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit()),
        };
        let part = part.replace('_', "").parse::<i64>().ok();
        let part = part.filter(|&part| allowed && (place == 0 || part < 60));
        let next = part.and_then(|part| number.checked_mul(60)?.checked_add(part));
        let Some(next) = next else {
            return Scalar::Other;
        };
        number = next;
    }
    Scalar::Integer(sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_those_of_pyyaml() {
        // yaml.safe_load of PyYAML 6.0.4; `Other`: both versions read the same.
        let integer = Scalar::Integer;
        let text = |text: &str| Scalar::Text(text.into());
        for (token, expected) in [
            ("020", integer(16)),
            ("-020", integer(-16)),
            ("0_20", integer(16)),
            ("00", integer(0)),
            ("20", integer(20)),
            ("1_000", integer(1000)),
            ("0x1F", integer(31)),
            ("0b101", integer(5)),
            ("1:30", integer(90)),
            ("-1:30", integer(-90)),
            ("190:20:30", integer(685_230)),
            ("0:30", Scalar::Other),
            ("0o20", text("0o20")),
            ("089", text("089")),
            ("yes", Scalar::Switch(true)),
            ("Off", Scalar::Switch(false)),
            ("y", Scalar::Other),
            ("1e-4", Scalar::Other),
            ("0.5", Scalar::Other),
            ("1:75", Scalar::Other),
            ("\"020\"", Scalar::Other),
            ("neural", Scalar::Other),
            ("~", Scalar::Other),
        ] {
            assert_eq!(resolve(token), expected, "{token}");
        }
    }

    #[test]
    fn a_scalar_is_found_by_its_place() {
        let text = "a: 1\nb:  020  # comment\nc: {d: 010, e: on}\nf: 020 apples\n";
        assert_eq!(scalar_at(text, (2, 5)), Scalar::Integer(16));
        assert_eq!(scalar_at(text, (3, 8)), Scalar::Integer(8));
        assert_eq!(scalar_at(text, (3, 16)), Scalar::Switch(true));
        assert_eq!(scalar_at(text, (4, 4)), Scalar::Other);
        for outside in [(0, 0), (9, 1), (1, 99)] {
            assert_eq!(scalar_at(text, outside), Scalar::Other);
        }
    }
}
