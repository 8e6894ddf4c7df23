//! Tables of comparisons.

use std::fmt::Write;

use gwae_metrics::DetectionReport;

use super::comparison::Comparison;
use super::groups::grouped;
use super::outcome::ExperimentOutcome;
use super::scoring::HEADLINE;

/// What the columns of [`comparison_table`] mean, in one line.
pub const COLUMNS: &str = "AUROC: share of pairs, one image of each kind, that the score orders rightly (0.5 is chance, 1 is \
    all), with the 95 % interval of resampling; AUPR: area under precision over recall; FPR at 95 % \
    TPR: share of in-distribution images called foreign when 95 % of the foreign ones are found";

/// A Markdown table with a row per model, score and set. The score to trust, [`HEADLINE`], is bold.
pub fn comparison_table(rows: &[Comparison]) -> String {
    let mut text = String::from(
        "| model | score | out-of-distribution | AUROC | 95 % interval | AUPR | FPR at 95 % TPR |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Comparison {
            model, set, score, ..
        } = row;
        let DetectionReport {
            auroc,
            interval,
            aupr,
            fpr_at_95_tpr,
            ..
        } = &row.report;
        let (low, high) = (interval.low, interval.high);
        let score = match score.as_str() {
            HEADLINE => format!("**{HEADLINE}**"),
            other => other.to_owned(),
        };
        let _ = writeln!(
            text,
            "| {model} | {score} | {set} | {auroc:.3} | {low:.3} to {high:.3} | {aupr:.3} | \
             {fpr_at_95_tpr:.3} |",
        );
    }
    text
}

/// The same as comma-separated values, with all digits and the numbers of images.
pub fn comparison_csv(rows: &[Comparison]) -> String {
    let mut text = String::from(
        "model,score,out_of_distribution,auroc,interval_low,interval_high,aupr,fpr_at_95_tpr,\
         images_in,images_out\n",
    );
    for row in rows {
        let report = &row.report;
        let figures = [
            report.auroc,
            report.interval.low,
            report.interval.high,
            report.aupr,
            report.fpr_at_95_tpr,
        ];
        let _ = write!(text, "{},{},{}", row.model, row.score, row.set);
        for figure in figures {
            let _ = write!(text, ",{figure}");
        }
        let _ = writeln!(text, ",{},{}", report.count_in, report.count_out);
    }
    text
}

/// The `comparisons` that are not yet in `rows`. A score without a model is the same for every
/// model, so it appears only once.
pub fn new_comparisons(rows: &[Comparison], comparisons: &[Comparison]) -> Vec<Comparison> {
    let key = |row: &Comparison| (row.model.clone(), row.score.clone(), row.set.clone());
    let is_new = |row: &&Comparison| rows.iter().all(|known| key(known) != key(row));
    comparisons.iter().filter(is_new).cloned().collect()
}

/// A Markdown table of the areas under the ROC curve, with a row per model and score selected by
/// `shown`, and a column per set. Over several seeds it has the mean. A score without a model has
/// one row.
pub fn scores_matrix(outcome: &ExperimentOutcome, shown: &dyn Fn(&str, &str) -> bool) -> String {
    let comparisons = outcome.models.iter().flat_map(|model| &model.comparisons);
    let shown: Vec<_> = comparisons
        .filter(|row| shown(&row.model, &row.score))
        .collect();
    let sets = grouped(shown.iter().map(|row| (&row.set, ())));
    let mut text = String::from("| AUROC of | by |");
    for (set, _) in &sets {
        let _ = write!(text, " {set} |");
    }
    let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(sets.len()));
    for ((model, score), row) in grouped(shown.iter().map(|row| ((&row.model, &row.score), row))) {
        let _ = write!(text, "| {model} | {score} |");
        for (set, _) in &sets {
            let of_set = row.iter().filter(|row| row.set == **set);
            let areas: Vec<f64> = of_set.map(|row| row.report.auroc).collect();
            let _ = write!(text, " {:.3} |", mean(&areas));
        }
        text.push('\n');
    }
    text
}

/// A Markdown table over several seeds, with the mean, smallest and largest area under the ROC
/// curve for every model, score and set.
pub fn seeds_table(rows: &[Comparison]) -> String {
    let mut text = String::from(
        "| model | score | out-of-distribution | seeds | mean AUROC | least | largest |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let named = rows
        .iter()
        .map(|row| ((&row.model, &row.score, &row.set), row.report.auroc));
    for ((model, score, set), areas) in grouped(named) {
        let (count, mean) = (areas.len(), mean(&areas));
        let least = areas.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = areas.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let _ = writeln!(
            text,
            "| {model} | {score} | {set} | {count} | {mean:.3} | {least:.3} | {largest:.3} |"
        );
    }
    text
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ood::{MEAN_BRIGHTNESS, ModelOutcome, NO_MODEL};
    use gwae_metrics::BootstrapConfig;

    fn comparison(model: &str, set: &str, score: &str, outside: &[f64]) -> Comparison {
        Comparison {
            model: model.into(),
            set: set.into(),
            score: score.into(),
            report: DetectionReport::new(&[1.0, 2.0], outside, &BootstrapConfig::default())
                .unwrap(),
            curve: Vec::new(),
        }
    }

    #[test]
    fn a_row_has_every_figure() {
        let rows = [comparison("vae", "letters", "energy", &[3.0])];
        let table = comparison_table(&rows);
        let row = "| vae | energy | letters | 1.000 | 1.000 to 1.000 | 1.000 | 0.000 |";
        assert_eq!(table.lines().nth(2), Some(row));
        let trusted = comparison_table(&[comparison("vae", "letters", HEADLINE, &[3.0])]);
        assert!(
            trusted.contains("| **relative_error** | letters |"),
            "{trusted}"
        );
        let csv = comparison_csv(&rows);
        assert_eq!(csv.lines().nth(1), Some("vae,energy,letters,1,1,1,1,0,2,1"));
        assert_eq!(
            csv.lines().next().unwrap().split(',').count(),
            csv.lines().nth(1).unwrap().split(',').count()
        );
    }

    #[test]
    fn what_needs_no_model_has_one_row() {
        let mut rows = Vec::new();
        for model in ["vae", "dagmm"] {
            let comparisons = [
                comparison(model, "noise", "energy", &[2.0]),
                comparison(NO_MODEL, "noise", MEAN_BRIGHTNESS, &[2.0]),
            ];
            rows.extend(new_comparisons(&rows, &comparisons));
        }
        let owners: Vec<_> = rows
            .iter()
            .map(|row| (row.model.as_str(), row.score.as_str()))
            .collect();
        assert_eq!(
            owners,
            [
                ("vae", "energy"),
                ("no model", MEAN_BRIGHTNESS),
                ("dagmm", "energy")
            ]
        );
    }

    #[test]
    fn seeds_are_summed_up() {
        let rows = [
            comparison("vae", "noise", "energy", &[3.0]),
            comparison("vae", "noise", "energy", &[1.5]),
            comparison("dagmm", "noise", "energy", &[0.0]),
        ];
        let table = seeds_table(&rows);
        let lines: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| vae | energy | noise | 2 | 0.750 | 0.500 | 1.000 |",
                "| dagmm | energy | noise | 1 | 0.000 | 0.000 | 0.000 |"
            ]
        );
    }

    #[test]
    fn the_matrix_has_a_cell_per_score_and_set() {
        let model = |name: &str, energy: &[f64]| ModelOutcome {
            model: name.into(),
            seed: 0,
            seconds: 1.0,
            psnr: None,
            comparisons: vec![
                comparison(name, "noise", "energy", energy),
                comparison(NO_MODEL, "noise", MEAN_BRIGHTNESS, &[3.0]),
                comparison(name, "letters", "hidden", &[0.0]),
            ],
            clusters: None,
        };
        let outcome = ExperimentOutcome {
            models: vec![model("a", &[3.0]), model("a", &[1.5]), model("b", &[0.0])],
            interrupted: false,
        };
        let table = scores_matrix(&outcome, &|_, score| score != "hidden");
        assert_eq!(
            table,
            "| AUROC of | by | noise |\n|---|---|---|\n| a | energy | 0.750 |\n\
             | no model | mean_brightness | 1.000 |\n| b | energy | 0.000 |\n"
        );
    }
}
