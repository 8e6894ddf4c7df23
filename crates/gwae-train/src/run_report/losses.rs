//! The table of losses.

use gwae_report::{Row, Table, Term};

use super::definitions::definition;
use crate::metrics_log::{MetricsRecord, Phase, loss_names, loss_series};

/// One row per loss, in the order of the log: the last training step, the last validation, and the least
/// validation with its step.
pub(super) fn table(records: &[MetricsRecord]) -> Table {
    let rows = loss_names(records).into_iter().map(|name| {
        let train = loss_series(records, Phase::Train, name);
        let validation = loss_series(records, Phase::Validation, name);
        let best = validation
            .iter()
            .filter(|(_, value)| value.is_finite())
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let newest = |values: &[(u64, f64)]| values.last().map_or("–".into(), |v| number(v.1));
        Row {
            name: Term::new(name, definition(name)),
            cells: vec![
                newest(&train),
                newest(&validation),
                best.map_or("–".into(), |(_, value)| number(*value)),
                best.map_or("–".into(), |(step, _)| step.to_string()),
            ],
        }
    });
    Table {
        columns: vec![
            "loss".into(),
            Term::new("training", "on the batch of the last step"),
            Term::new("validation", "on the validation images, last time"),
            Term::new("least validation", "the least value of all validations"),
            Term::new("at step", "the step of the least validation"),
        ],
        rows: rows.collect(),
    }
}

/// Five significant digits, in the notation that is shorter.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        format!("{value}")
    } else if (1e-3..1e6).contains(&size) {
        let digits = (4 - size.log10().floor() as i32).clamp(0, 7) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.4e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, phase: Phase, value: f64) -> MetricsRecord {
        MetricsRecord {
            step,
            epoch: 1,
            phase,
            seconds: 1.0,
            images_per_second: None,
            losses: vec![("total".into(), value)],
        }
    }

    #[test]
    fn the_least_validation_is_a_finite_one() {
        let records = [
            record(5, Phase::Train, 9.0),
            record(5, Phase::Validation, 4.0),
            record(10, Phase::Validation, f64::NAN),
            record(15, Phase::Validation, 3.0),
            record(20, Phase::Train, 2.0),
            record(20, Phase::Validation, 5.0),
        ];
        let table = table(&records);
        let cells: Vec<_> = table.rows[0].cells.iter().map(String::as_str).collect();
        assert_eq!(cells, ["2.0000", "5.0000", "3.0000", "15"]);
        assert!(!table.rows[0].name.definition.is_empty());
    }

    #[test]
    fn a_run_without_validation_has_dashes() {
        let table = table(&[record(1, Phase::Train, 2.5)]);
        assert_eq!(table.rows[0].cells[1..], ["–", "–", "–"]);
    }

    #[test]
    fn numbers_have_five_digits() {
        assert_eq!(number(21.780_94), "21.781");
        assert_eq!(number(-0.012_345_6), "-0.012346");
        assert_eq!(number(123_456.7), "123457");
        assert_eq!(number(1.5e-7), "1.5000e-7");
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
