//! A look at a model in the course of its training.

use std::cell::RefCell;
use std::error::Error;
use std::path::PathBuf;
use std::rc::Rc;

use gwae_metrics::auroc;

use super::part::Part;
use crate::data::RunData;
use crate::ood::{Labels, ModelScores, REFERENCE, TestSet, TracePoint, choose, score_images};
use crate::session::{Probe, Probed};

/// Images of each set that are scored in the course of a training; at its end all are.
const TRACED: usize = 300;

/// What is measured while a model trains.
#[derive(Default)]
pub(super) struct Measured {
    /// What is known of it, the sessions before this one included.
    pub part: Part,
    /// All scores after the last step, and the labels of the in-distribution images where they have some.
    pub last: Option<(ModelScores, Option<Labels>)>,
}

/// What a probe scores, and where it leaves that.
pub(super) struct Subject {
    /// The model.
    pub model: String,
    /// Images of each set, at most.
    pub images: usize,
    /// The out-of-distribution images.
    pub sets: Rc<Vec<TestSet>>,
    /// The directory of the run.
    pub run: PathBuf,
    /// What is measured.
    pub measured: Rc<RefCell<Measured>>,
}

impl Subject {
    /// Scores the model whenever it is shown, and stores its trace.
    pub fn probe(self) -> Probe {
        Box::new(move |probed| self.look(probed))
    }

    fn look(&self, probed: &Probed<'_>) -> Result<(), Box<dyn Error>> {
        let reference = choose(&probed.split.train, REFERENCE, 0);
        let reference = score_images(probed.model, probed.data, &reference, probed.device)?;
        let held_out = choose(probed.split.held_out(), self.images, 0);
        let score = |data: &RunData, indices: &[u32]| -> Result<_, Box<dyn Error>> {
            let table = score_images(probed.model, data, indices, probed.device)?;
            Ok(table.with_two_sided(&reference)?)
        };
        let inside = score(probed.data, &choose(&held_out, TRACED, 1))?;
        let mut points = Vec::new();
        for set in self.sets.iter() {
            let table = score(&set.data, &choose(&set.indices, TRACED, 1))?;
            for column in &inside.columns {
                let outside = table.get(&column.name).unwrap_or_default();
                // A model that is still far from its end may give anything.
                let Ok(auroc) = auroc(&column.values, outside) else {
                    continue;
                };
                points.push(TracePoint {
                    step: probed.step,
                    seconds: probed.seconds,
                    model: self.model.clone(),
                    set: set.name.clone(),
                    score: column.name.clone(),
                    auroc,
                });
            }
        }
        let mut measured = self.measured.borrow_mut();
        let trace = &mut measured.part.trace.points;
        // A resumed training may show a step that was seen already.
        trace.retain(|point| point.step < probed.step);
        trace.extend(points);
        measured.part.write(&self.run)?;
        if probed.last {
            let outside = self
                .sets
                .iter()
                .map(|set| Ok((set.name.clone(), score(&set.data, &set.indices)?)))
                .collect::<Result<_, Box<dyn Error>>>()?;
            let scores = ModelScores {
                model: self.model.clone(),
                inside: score(probed.data, &held_out)?,
                outside,
            };
            let labels = Labels::of(probed.data.dataset(), &held_out, 0)?;
            measured.last = Some((scores, labels));
        }
        Ok(())
    }
}
