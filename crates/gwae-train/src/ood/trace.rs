//! How scores do in the course of a training.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::OodReportError;
use super::report::file_name;
use crate::atomic::write_atomically;
use crate::report::{Line, LinePanel, LinePlot};

/// The area under the ROC curve of one score on one set at one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracePoint {
    /// Main steps done.
    pub step: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// The model.
    pub model: String,
    /// The out-of-distribution images.
    pub set: String,
    /// The score.
    pub score: String,
    /// Area under the ROC curve.
    pub auroc: f64,
}

/// The areas of all scores in the course of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// In the order in which they were measured.
    pub points: Vec<TracePoint>,
}

impl Trace {
    /// Writes `auc_over_steps.csv` and, for every model, `auc_over_steps_MODEL.png` with a panel per
    /// set and a line per score into `directory`, which exists.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), OodReportError> {
        let mut text = String::from("model,set,score,step,seconds,auroc\n");
        for point in &self.points {
            text.push_str(&format!(
                "{},{},{},{},{},{}\n",
                point.model, point.set, point.score, point.step, point.seconds, point.auroc
            ));
        }
        write_atomically(&directory.join("auc_over_steps.csv"), text.as_bytes())?;
        for (model, points) in grouped(&self.points.iter().collect::<Vec<_>>(), |p| &p.model) {
            draw(model, &points, directory)?;
        }
        Ok(())
    }
}

/// Points by a name, names in the order in which they come.
fn grouped<'a>(
    points: &[&'a TracePoint],
    name: impl Fn(&'a TracePoint) -> &'a str,
) -> Vec<(&'a str, Vec<&'a TracePoint>)> {
    let mut groups: Vec<(&str, Vec<&TracePoint>)> = Vec::new();
    for point in points {
        let name = name(point);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(point),
            None => groups.push((name, vec![point])),
        }
    }
    groups
}

fn draw(model: &str, points: &[&TracePoint], directory: &Path) -> Result<(), OodReportError> {
    // For each set, for each score, the area after so many steps.
    type Series<'a> = (&'a str, Vec<(u64, f64)>);
    let sets: Vec<(&str, Vec<Series<'_>>)> = grouped(points, |point| &point.set)
        .into_iter()
        .map(|(set, points)| {
            let scores = grouped(&points, |point| &point.score).into_iter();
            let series = scores.map(|(score, points)| {
                let points = points.iter().map(|point| (point.step, point.auroc));
                (score, points.collect())
            });
            (set, series.collect())
        })
        .collect();
    let lines: Vec<Vec<Line<'_>>> = sets
        .iter()
        .map(|(_, series)| {
            let lines = series.iter().map(|(name, points)| Line { name, points });
            lines.collect()
        })
        .collect();
    let panels: Vec<LinePanel<'_>> = sets
        .iter()
        .zip(&lines)
        .map(|((name, _), lines)| LinePanel { name, lines })
        .collect();
    let plot = LinePlot {
        title: &format!("{model}: how well each score tells other images from test images"),
        quantity: "AUROC",
        range: Some((0.0, 1.0)),
        reference: Some((0.5, "chance")),
        panels: &panels,
    };
    let name = format!("auc_over_steps_{}.png", file_name(model));
    Ok(plot.save(&directory.join(name))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_becomes_a_file_and_a_picture_per_model() {
        let point = |model: &str, set: &str, step, auroc| TracePoint {
            step,
            seconds: 1.5,
            model: model.into(),
            set: set.into(),
            score: "energy".into(),
            auroc,
        };
        let trace = Trace {
            points: vec![
                point("vae", "letters", 10, 0.5),
                point("vae", "letters", 20, 0.75),
                point("vae", "noise", 20, 1.0),
                point("A b", "noise", 20, 1.0),
            ],
        };
        let directory = tempfile::tempdir().unwrap();
        trace.write(directory.path()).unwrap();
        let text = std::fs::read_to_string(directory.path().join("auc_over_steps.csv")).unwrap();
        assert_eq!(text.lines().count(), 5);
        assert_eq!(text.lines().nth(2), Some("vae,letters,energy,20,1.5,0.75"));
        for picture in ["auc_over_steps_vae.png", "auc_over_steps_a_b.png"] {
            assert!(directory.path().join(picture).exists(), "{picture}");
        }
    }
}
