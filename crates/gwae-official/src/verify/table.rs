//! Formats differences as a table.

use super::difference::LargestDifference;

/// A heading, then one line per named difference, with a mark if it exceeds `tolerance`.
///
/// Quantities that the file does not have are marked as such.
pub fn table(rows: &[(&str, &LargestDifference)], tolerance: f64) -> String {
    let heading = ["quantity", "difference", "expected", "computed", "where"].map(str::to_owned);
    let mut cells = vec![heading];
    cells.extend(rows.iter().map(|(name, largest)| row(name, largest)));
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut text = String::new();
    for (index, [name, difference, expected, computed, at]) in cells.iter().enumerate() {
        let exceeds = index > 0 && rows[index - 1].1.value > tolerance;
        let mark = if exceeds { '✗' } else { ' ' };
        let line = format!(
            "  {mark} {name:<0$}  {difference:>1$}  {expected:>2$}  {computed:>3$}  {at}",
            widths[0], widths[1], widths[2], widths[3]
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(name: &str, largest: &LargestDifference) -> [String; 5] {
    let absent = largest.at.is_empty();
    let pair = largest.pair;
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.6}"));
    [
        name.to_owned(),
        match (absent, largest.value.is_finite()) {
            (true, _) => "–".into(),
            (false, true) => format!("{:.1e}", largest.value),
            (false, false) => "∞".into(),
        },
        number(pair.map(|pair| pair.expected)),
        number(pair.map(|pair| pair.actual)),
        if absent {
            "not in the file".into()
        } else {
            largest.at.clone()
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_large_differences_are_marked() {
        let mut small = LargestDifference::default();
        small.compare("step 2", 10.00001, 10.0);
        let mut large = LargestDifference::default();
        large.compare("step 1", 1.5, 1.0);
        let mut impossible = LargestDifference::default();
        impossible.impossible("no critic");
        let text = table(
            &[
                ("loss", &small),
                ("loss_gw", &large),
                ("norms", &LargestDifference::default()),
                ("critic", &impossible),
            ],
            1e-3,
        );
        let expected = "    quantity  difference   expected   computed  where
    loss          1.0e-6  10.000000  10.000010  step 2
  ✗ loss_gw       5.0e-1   1.000000   1.500000  step 1
    norms              –          –          –  not in the file
  ✗ critic             ∞          –          –  no critic
";
        assert_eq!(text, expected);
    }
}
