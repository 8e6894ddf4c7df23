//! The scores of a model during its training.

use std::cell::RefCell;
use std::error::Error;
use std::path::PathBuf;
use std::rc::Rc;

use gwae_datasets::DatasetError;
use gwae_metrics::auroc;
use gwae_models::Autoencoder;
use gwae_train::callback::{Callback, CallbackError, Flow, Validation, View};

use super::model_record::ModelRecord;
use crate::ood::clusters::Labels;
use crate::ood::comparison::{REFERENCE, TestSet, random_indices};
use crate::ood::report::ModelScores;
use crate::ood::scoring::score_images;
use crate::ood::trace::TracePoint;

/// Images of each set to score during a training; at its end all are scored.
const TRACED: usize = 300;

/// The results of a [`ScoreTracker`] so far.
#[derive(Default)]
pub(super) struct TrackedScores {
    /// The trace of the training, including earlier sessions.
    pub record: ModelRecord,
    /// All scores after the last step, and the labels of the in-distribution images if they have
    /// labels.
    pub last: Option<(ModelScores, Option<Labels>)>,
}

/// Scores a model after each validation.
pub(super) struct ScoreTracker {
    /// The name of the model in tables.
    pub model: String,
    /// Most images of each set.
    pub images: usize,
    /// The out-of-distribution images.
    pub sets: Rc<Vec<TestSet>>,
    /// The directory of the run.
    pub run: PathBuf,
    /// The result, which the caller reads after the training.
    pub tracked: Rc<RefCell<TrackedScores>>,
}

impl Callback<dyn Autoencoder> for ScoreTracker {
    /// Scores the model, and stores the trace.
    fn on_validation(
        &mut self,
        validation: &Validation<'_, dyn Autoencoder>,
    ) -> Result<Flow, CallbackError> {
        self.score(&validation.view)?;
        Ok(Flow::Continue)
    }
}

impl ScoreTracker {
    fn score(&self, view: &View<'_, dyn Autoencoder>) -> Result<(), Box<dyn Error>> {
        let (model, device) = (view.model, view.device);
        let reference = random_indices(&view.split.train, REFERENCE, 0);
        let reference = score_images(model, view.data, &reference, device)?;
        let held_out = random_indices(view.split.held_out(), self.images, 0);
        // The same scores, of all images or of some.
        let scores = |some: &dyn Fn(&[u32]) -> Vec<u32>| -> Result<ModelScores, Box<dyn Error>> {
            let sets = self.sets.iter().map(|set| {
                let table = score_images(model, &set.data, &some(&set.indices), device)?;
                Ok((set.name.clone(), table))
            });
            let scores = ModelScores {
                model: self.model.clone(),
                inside: score_images(model, view.data, &some(&held_out), device)?,
                outside: sets.collect::<Result<_, DatasetError>>()?,
            };
            Ok(scores.with_two_sided(&reference)?)
        };
        let traced = scores(&|indices| random_indices(indices, TRACED, 1))?;
        let mut tracked = self.tracked.borrow_mut();
        let trace = &mut tracked.record.trace.points;
        // A resumed training may show the same step again.
        trace.retain(|point| point.step < view.step);
        for (set, table) in &traced.outside {
            for column in &traced.inside.columns {
                let outside = table.get(&column.name).unwrap_or_default();
                // The scores of a model at the start of its training may be invalid.
                if let Ok(auroc) = auroc(&column.values, outside) {
                    trace.push(TracePoint {
                        step: view.step,
                        seconds: view.seconds,
                        model: self.model.clone(),
                        set: set.clone(),
                        score: column.name.clone(),
                        auroc,
                    });
                }
            }
        }
        tracked.record.write(&self.run)?;
        if view.last {
            let labels = Labels::of(view.data.dataset(), &held_out, 0)?;
            tracked.last = Some((scores(&|indices| indices.to_vec())?, labels));
        }
        Ok(())
    }
}
