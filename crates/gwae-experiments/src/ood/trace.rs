//! Scores during a training.

use std::path::Path;

use gwae_formats::atomic::write_atomically;
use gwae_report::{Line, LinePanel, LinePlot};
use serde::{Deserialize, Serialize};

use super::error::OodError;
use super::groups::grouped;
use super::report::file_name;

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

/// The areas of all scores during a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// In the order of measurement.
    pub points: Vec<TracePoint>,
}

impl Trace {
    /// Writes `auc_over_steps.csv` into `directory`, which must exist, and for every model
    /// `auc_over_steps_MODEL.png`, with a panel per set and a line per score.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), OodError> {
        let mut text = String::from("model,set,score,step,seconds,auroc\n");
        for TracePoint {
            step,
            seconds,
            model,
            set,
            score,
            auroc,
        } in &self.points
        {
            text.push_str(&format!("{model},{set},{score},{step},{seconds},{auroc}\n"));
        }
        write_atomically(&directory.join("auc_over_steps.csv"), text.as_bytes())?;
        for (model, points) in grouped(self.points.iter().map(|point| (&point.model, point))) {
            draw(model, &points, directory)?;
        }
        Ok(())
    }
}

fn draw(model: &str, points: &[&TracePoint], directory: &Path) -> Result<(), OodError> {
    // For each set, for each score: (steps, area).
    type Series<'a> = (&'a str, Vec<(u64, f64)>);
    let sets: Vec<(&str, Vec<Series<'_>>)> =
        grouped(points.iter().map(|point| (&*point.set, point)))
            .into_iter()
            .map(|(set, points)| {
                let points = points.into_iter();
                let areas = points.map(|point| (&*point.score, (point.step, point.auroc)));
                (set, grouped(areas))
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
