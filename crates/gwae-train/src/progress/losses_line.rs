//! Losses in a line of limited length.

use super::number_text;

/// The loss that is always shown.
const TOTAL: &str = "total";

/// Losses in one line after another: the total, and as many others as fit of those that changed since
/// the line before. The largest changes come first. The log of the run has all losses.
#[derive(Clone, Debug, Default)]
pub(super) struct LossesLine {
    before: Vec<(String, f64)>,
}

impl LossesLine {
    /// A text such as `total 34.44  gw 1.234`, of at most `columns` characters unless the total alone
    /// is longer.
    pub fn text(&mut self, losses: &[(&str, f64)], columns: usize) -> String {
        let mut order: Vec<usize> = (0..losses.len()).collect();
        let change = |index: usize| match losses[index] {
            (TOTAL, _) => f64::INFINITY,
            (name, value) => self.change(name, value),
        };
        order.sort_by(|a, b| change(*b).total_cmp(&change(*a)));
        let cell = |index: usize| {
            let (name, value) = losses[index];
            format!("{name} {}", number_text(value))
        };
        let mut length = 0;
        let mut shown: Vec<usize> = Vec::new();
        for index in order {
            let added = cell(index).chars().count() + if shown.is_empty() { 0 } else { 2 };
            let fits = length + added <= columns && change(index) > 0.0;
            if shown.is_empty() || fits {
                length += added;
                shown.push(index);
            }
        }
        // In the order of the log behind the total.
        if let Some((_, others)) = shown.split_first_mut() {
            others.sort_unstable();
        }
        self.before = losses
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect();
        shown.into_iter().map(cell).collect::<Vec<_>>().join("  ")
    }

    /// How much a loss changed, relative to its size; 0 if its text is the same.
    fn change(&self, name: &str, value: f64) -> f64 {
        let before = self.before.iter().find(|(known, _)| known == name);
        match before {
            None => f64::MAX,
            Some((_, before)) if number_text(*before) == number_text(value) => 0.0,
            // What is no longer finite is worth a look.
            Some((_, before)) if !value.is_finite() || !before.is_finite() => f64::MAX,
            Some((_, before)) => (value - before).abs() / value.abs().max(before.abs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_and_what_changed() {
        let mut line = LossesLine::default();
        let first = [("gw", 1.0), ("a", 2.0), ("total", 3.0), ("b", 4.0)];
        assert_eq!(
            line.text(&first, 100),
            "total 3.000  gw 1.000  a 2.000  b 4.000"
        );
        let then = [("gw", 1.1), ("a", 2.0), ("total", 3.0), ("b", 8.0)];
        assert_eq!(line.text(&then, 100), "total 3.000  gw 1.100  b 8.000");
        assert_eq!(line.text(&then, 100), "total 3.000");
    }

    #[test]
    fn the_largest_changes_fit() {
        let mut line = LossesLine::default();
        line.text(&[("total", 1.0), ("a", 1.0), ("b", 1.0)], 100);
        let text = line.text(&[("total", 2.0), ("a", 1.1), ("b", 9.0)], 22);
        assert_eq!(text, "total 2.000  b 9.000");
        let names: Vec<String> = (0..40).map(|k| format!("some_loss_{k}")).collect();
        let many: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
        assert!(line.text(&many, 60).chars().count() <= 60);
        assert_eq!(line.text(&[("total", f64::NAN)], 1), "total NaN");
        assert_eq!(line.text(&[], 10), "");
    }
}
