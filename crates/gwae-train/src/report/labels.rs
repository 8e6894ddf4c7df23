//! Words and numbers short enough for a picture.

/// One line of at most `limit` characters.
pub(super) fn printable(words: &str, limit: usize) -> String {
    let line: Vec<char> = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.len() <= limit {
        line.into_iter().collect()
    } else {
        line[..limit - 1].iter().chain(&['…']).collect()
    }
}

/// A training step, in thousands where it is long.
pub(super) fn step_label(step: f64) -> String {
    let thousands = step / 1000.0;
    if step.abs() >= 10_000.0 {
        format!("{}k", trimmed(format!("{thousands:.3}")))
    } else {
        trimmed(format!("{step:.3}"))
    }
}

/// A loss, in scientific notation where it is tiny or huge.
pub(super) fn value_label(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&size) {
        trimmed(format!("{value:.5}"))
    } else {
        let scientific = format!("{value:.3e}");
        match scientific.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits.to_owned())),
            None => scientific,
        }
    }
}

/// Without zeros at the end of the decimals.
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
}
