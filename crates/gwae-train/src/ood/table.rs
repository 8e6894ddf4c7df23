//! Tables of comparisons.

use std::collections::HashMap;
use std::fmt::Write;

use super::{Comparison, ExperimentOutcome, MEAN_BRIGHTNESS};

/// A Markdown table: a row per model, score and set.
pub fn comparison_table(rows: &[(String, Comparison)]) -> String {
    let mut text = String::from(
        "| model | score | out-of-distribution | AUROC | 95 % interval | AUPR | FPR at 95 % TPR |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (
        model,
        Comparison {
            set, score, report, ..
        },
    ) in rows
    {
        let _ = writeln!(
            text,
            "| {model} | {score} | {set} | {:.3} | {:.3} to {:.3} | {:.3} | {:.3} |",
            report.auroc,
            report.interval.low,
            report.interval.high,
            report.aupr,
            report.fpr_at_95_tpr,
        );
    }
    text
}

/// The same as comma-separated values, with all digits and the numbers of images.
pub fn comparison_csv(rows: &[(String, Comparison)]) -> String {
    let mut text = String::from(
        "model,score,out_of_distribution,auroc,interval_low,interval_high,aupr,fpr_at_95_tpr,\
         images_in,images_out\n",
    );
    for (
        model,
        Comparison {
            set, score, report, ..
        },
    ) in rows
    {
        let _ = writeln!(
            text,
            "{model},{score},{set},{},{},{},{},{},{},{}",
            report.auroc,
            report.interval.low,
            report.interval.high,
            report.aupr,
            report.fpr_at_95_tpr,
            report.count_in,
            report.count_out,
        );
    }
    text
}

/// Rows of a model's comparisons, each beside the name of whose score it is, that `rows` does not have
/// yet: what needs no model is the same beside every model, and no model's.
pub fn further_rows(
    rows: &[(String, Comparison)],
    model: &str,
    comparisons: &[Comparison],
) -> Vec<(String, Comparison)> {
    let further = comparisons.iter().filter_map(|comparison| {
        let owner = owner(model, &comparison.score);
        let known = rows.iter().any(|(other, row)| {
            other == owner && row.score == comparison.score && row.set == comparison.set
        });
        (!known).then(|| (owner.to_owned(), comparison.clone()))
    });
    further.collect()
}

/// Whose score it is: every model's comparisons have the brightness beside its own scores.
fn owner<'a>(model: &'a str, score: &str) -> &'a str {
    if score == MEAN_BRIGHTNESS {
        "no model"
    } else {
        model
    }
}

/// A Markdown table of the areas under the ROC curve: a row per model and score for which `shown` holds,
/// a column per set; over several seeds the mean. What needs no model has one row.
pub fn scores_matrix(outcome: &ExperimentOutcome, shown: &dyn Fn(&str, &str) -> bool) -> String {
    let mut sets: Vec<&str> = Vec::new();
    let mut rows: Vec<(&str, &str)> = Vec::new();
    let mut cells: HashMap<(&str, &str, &str), Vec<f64>> = HashMap::new();
    for model in &outcome.models {
        for Comparison {
            set, score, report, ..
        } in &model.comparisons
        {
            if !shown(&model.model, score) {
                continue;
            }
            let row = (owner(&model.model, score), score.as_str());
            if !rows.contains(&row) {
                rows.push(row);
            }
            if !sets.contains(&set.as_str()) {
                sets.push(set);
            }
            cells
                .entry((row.0, row.1, set))
                .or_default()
                .push(report.auroc);
        }
    }
    let mut text = String::from("| AUROC of | by |");
    for set in &sets {
        let _ = write!(text, " {set} |");
    }
    let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(sets.len()));
    for (model, score) in rows {
        let _ = write!(text, "| {model} | {score} |");
        for set in &sets {
            let values = cells
                .get(&(model, score, *set))
                .map_or(&[][..], Vec::as_slice);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let _ = write!(text, " {mean:.3} |");
        }
        text.push('\n');
    }
    text
}

/// A Markdown table over several seeds: for every model, score and set the mean, the least and the
/// largest area under the ROC curve.
pub fn seeds_table(rows: &[(String, Comparison)]) -> String {
    let mut text = String::from(
        "| model | score | out-of-distribution | seeds | mean AUROC | least | largest |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut groups: Vec<([&str; 3], Vec<f64>)> = Vec::new();
    for (
        model,
        Comparison {
            set, score, report, ..
        },
    ) in rows
    {
        let name = [model.as_str(), score, set];
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(report.auroc),
            None => groups.push((name, vec![report.auroc])),
        }
    }
    for ([model, score, set], values) in groups {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let _ = writeln!(
            text,
            "| {model} | {score} | {set} | {count} | {mean:.3} | {least:.3} | {largest:.3} |"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ood::ModelOutcome;
    use gwae_metrics::{BootstrapConfig, DetectionReport};

    #[test]
    fn a_row_has_every_figure() {
        let comparison = Comparison {
            set: "letters".into(),
            score: "energy".into(),
            report: DetectionReport::new(&[1.0, 2.0], &[3.0], &BootstrapConfig::default()).unwrap(),
            curve: Vec::new(),
        };
        let rows = [("vae".to_owned(), comparison)];
        let table = comparison_table(&rows);
        let row = "| vae | energy | letters | 1.000 | 1.000 to 1.000 | 1.000 | 0.000 |";
        assert_eq!(table.lines().nth(2), Some(row));
        let csv = comparison_csv(&rows);
        assert_eq!(csv.lines().nth(1), Some("vae,energy,letters,1,1,1,1,0,2,1"));
        assert_eq!(
            csv.lines().next().unwrap().split(',').count(),
            csv.lines().nth(1).unwrap().split(',').count()
        );
    }

    #[test]
    fn what_needs_no_model_has_one_row() {
        let comparison = |score: &str| Comparison {
            set: "noise".into(),
            score: score.into(),
            report: DetectionReport::new(&[1.0], &[2.0], &BootstrapConfig::default()).unwrap(),
            curve: Vec::new(),
        };
        let comparisons = [comparison("energy"), comparison(MEAN_BRIGHTNESS)];
        let mut rows = Vec::new();
        for model in ["vae", "dagmm"] {
            let further = further_rows(&rows, model, &comparisons);
            rows.extend(further);
        }
        let owners: Vec<_> = rows
            .iter()
            .map(|(owner, row)| (owner.as_str(), row.score.as_str()))
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
        let comparison = |outside: &[f64]| Comparison {
            set: "noise".into(),
            score: "energy".into(),
            report: DetectionReport::new(&[1.0, 2.0], outside, &BootstrapConfig::default())
                .unwrap(),
            curve: Vec::new(),
        };
        let rows = [
            ("vae".to_owned(), comparison(&[3.0])),
            ("vae".to_owned(), comparison(&[1.5])),
            ("dagmm".to_owned(), comparison(&[0.0])),
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
        let comparison = |set: &str, score: &str, outside: &[f64]| Comparison {
            set: set.into(),
            score: score.into(),
            report: DetectionReport::new(&[1.0, 2.0], outside, &BootstrapConfig::default())
                .unwrap(),
            curve: Vec::new(),
        };
        let model = |name: &str, energy: &[f64]| ModelOutcome {
            model: name.into(),
            seed: 0,
            seconds: 1.0,
            psnr: None,
            comparisons: vec![
                comparison("noise", "energy", energy),
                comparison("noise", MEAN_BRIGHTNESS, &[3.0]),
                comparison("letters", "hidden", &[0.0]),
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
