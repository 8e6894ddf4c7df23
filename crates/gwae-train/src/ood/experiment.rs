//! Several models trained on the same images and tested on the same others.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gwae_datasets::DatasetError;
use gwae_metrics::{BootstrapConfig, MetricError, auroc};
use gwae_models::ModelConfigError;

use super::clusters::{ClusterAnalysis, ClusterError, ClusterSummary, analyse_clusters};
use super::comparison::{Comparison, ComparisonError, TestSet};
use super::report::{ModelScores, OodReportError, write_report};
use super::scoring::{ScoreTable, score_images};
use super::table::seeds_table;
use super::trace::{Trace, TracePoint};
use crate::atomic::{FileError, write_atomically};
use crate::checkpoint::{CheckpointError, CheckpointStore, Which};
use crate::config::{DataConfig, RunConfig};
use crate::data::Preparation;
use crate::device::{DeviceError, DeviceSpec};
use crate::interrupt::StopFlag;
use crate::model_file::{ModelFileError, load_model, model_for_use};
use crate::progress::ProgressDisplay;
use crate::run_directory::{RunDirectory, RunDirectoryError};
use crate::session::{Probe, Probed, SessionOptions, StopReason, TrainError, start};

/// Images of each set that are scored in the course of a training; at its end all are.
const TRACED: usize = 300;

/// Images of the training part that say what a score is on training data.
const REFERENCE: usize = 1_000;

/// Several models trained on the same images, each tested on images that are not of their kind.
pub struct Experiment {
    /// Where everything is written; a run directory for every seed and model is made in it.
    pub directory: PathBuf,
    /// The device to compute on.
    pub device: DeviceSpec,
    /// The models by name. All have the same image size and channels, and train on the same data.
    pub models: Vec<(String, RunConfig)>,
    /// The out-of-distribution images.
    pub sets: Vec<DataConfig>,
    /// Images of each set, and of the test part, at most.
    pub images: usize,
    /// Seeds; each trains every model anew.
    pub seeds: Vec<u64>,
    /// Which scores (model, score) are drawn as curves.
    pub drawn: fn(&str, &str) -> bool,
    /// The command line, for the record.
    pub command_line: Vec<String>,
}

/// How an experiment shows what it does.
pub struct Outlook<'a> {
    /// A display for the training of the model of that name.
    pub display: &'a mut dyn FnMut(&str) -> Box<dyn ProgressDisplay>,
    /// Told of copies of datasets that are made on first use.
    pub preparation: &'a mut dyn FnMut(Preparation),
    /// A line of text.
    pub say: &'a mut dyn FnMut(&str),
    /// Asks the training to stop.
    pub stop: StopFlag,
}

/// What one model with one seed came to.
#[derive(Clone, Debug)]
pub struct ModelOutcome {
    /// The model.
    pub model: String,
    /// The seed.
    pub seed: u64,
    /// Seconds of training, with those of the scores on the way.
    pub seconds: f64,
    /// Peak signal-to-noise ratio in dB of reconstructed test images.
    pub psnr: Option<f64>,
    /// Every score on every set.
    pub comparisons: Vec<Comparison>,
    /// Its clusters, for a model with a Gaussian mixture prior.
    pub clusters: Option<ClusterAnalysis>,
}

/// What an experiment came to.
#[derive(Clone, Debug, Default)]
pub struct ExperimentOutcome {
    /// Every model with every seed that was finished.
    pub models: Vec<ModelOutcome>,
    /// Whether the user stopped it before the end.
    pub interrupted: bool,
}

impl fmt::Display for ExperimentOutcome {
    /// A line or two per model: how long it trained, how well it reconstructs, what its clusters are.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, model) in self.models.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            let ModelOutcome {
                model: name,
                seed,
                seconds,
                ..
            } = model;
            write!(formatter, "{newline}{name}, seed {seed}: {seconds:.0} s")?;
            if let Some(psnr) = model.psnr {
                write!(formatter, ", test images reconstructed at {psnr:.2} dB")?;
            }
            if let Some(clusters) = &model.clusters {
                let ClusterSummary {
                    normalised_mutual_information: information,
                    adjusted_rand_index: rand,
                    purity,
                } = clusters.assignment;
                write!(
                    formatter,
                    "\n  {} components, usage entropy {:.2} of {:.2} nats; their agreement with the labels: \
                     NMI {information:.3}, ARI {rand:.3}, purity {purity:.3} (k-means on the codes: \
                     {:.3}, {:.3}, {:.3})",
                    clusters.components,
                    clusters.prior_usage.entropy,
                    (clusters.components as f64).ln(),
                    clusters.k_means.normalised_mutual_information,
                    clusters.k_means.adjusted_rand_index,
                    clusters.k_means.purity,
                )?;
            }
        }
        Ok(())
    }
}

/// An experiment that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A set of images.
    #[error(transparent)]
    Set(#[from] ComparisonError),
    /// A dataset.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The scores.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The report.
    #[error(transparent)]
    Report(#[from] OodReportError),
    /// The clusters.
    #[error(transparent)]
    Clusters(#[from] ClusterError),
    /// A trained model.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ModelConfigError),
    /// Its run directory.
    #[error(transparent)]
    Run(#[from] RunDirectoryError),
    /// Its checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What is measured while a model trains.
#[derive(Default)]
struct Measured {
    trace: Trace,
    /// All scores after the last step.
    last: Option<ModelScores>,
}

impl Experiment {
    /// Trains and tests every model, and writes for each seed the report of
    /// [`write_report`], `auc_over_steps.csv` with its pictures and, for models with a Gaussian mixture
    /// prior, the clusters of [`analyse_clusters`]; over all seeds `seeds.md`.
    ///
    /// # Errors
    /// When a dataset is not there, a training breaks or a file cannot be written. What was finished
    /// before stays.
    pub fn run(&self, outlook: &mut Outlook<'_>) -> Result<ExperimentOutcome, ExperimentError> {
        let mut outcome = ExperimentOutcome::default();
        let Some((_, first)) = self.models.first() else {
            return Ok(outcome);
        };
        let backbone = first.model.backbone();
        let mut open = |data: &DataConfig, seed| {
            TestSet::open(data, &backbone, self.images, seed, outlook.preparation)
        };
        let sets = self.sets.iter().map(|set| open(set, 0));
        let sets: Rc<Vec<TestSet>> = Rc::new(sets.collect::<Result<_, _>>()?);
        let inside = Rc::new(open(&first.data, 0)?);
        let mut all: Vec<(String, Comparison)> = Vec::new();
        for &seed in &self.seeds {
            let directory = match self.seeds.len() {
                1 => self.directory.clone(),
                _ => self.directory.join(format!("seed-{seed}")),
            };
            let (mut scores, mut trace) = (Vec::new(), Trace::default());
            for (name, config) in &self.models {
                (outlook.say)(&format!("{name}, seed {seed}"));
                let mut config = config.clone();
                config.training.seed = seed;
                let run = directory.join(super::report::file_name(name));
                let measured = Rc::new(RefCell::new(Measured::default()));
                let options = SessionOptions {
                    device: self.device,
                    display: (outlook.display)(name),
                    stop: outlook.stop.clone(),
                    command_line: self.command_line.clone(),
                    probe: Some(probe(
                        name,
                        config.training.steps,
                        inside.clone(),
                        sets.clone(),
                        measured.clone(),
                    )),
                };
                let summary = start(&config, &run, options)?;
                if summary.reason == StopReason::Interrupted {
                    outcome.interrupted = true;
                    return Ok(outcome);
                }
                let measured = measured.take();
                trace.points.extend(measured.trace.points);
                let Some(of_model) = measured.last else {
                    continue;
                };
                let comparisons = of_model.compare(&BootstrapConfig::default())?;
                all.extend(comparisons.iter().map(|row| (name.clone(), row.clone())));
                outcome.models.push(ModelOutcome {
                    model: name.clone(),
                    seed,
                    seconds: summary.seconds,
                    psnr: summary.test_psnr,
                    clusters: self.clusters(&run, &inside, &of_model.inside, seed)?,
                    comparisons,
                });
                scores.push(of_model);
                // After every model: whoever stops before the last one has the others.
                write_report(
                    &scores,
                    &BootstrapConfig::default(),
                    &self.drawn,
                    &directory,
                )?;
                trace.write(&directory)?;
            }
        }
        if self.seeds.len() > 1 {
            let path = self.directory.join("seeds.md");
            write_atomically(&path, seeds_table(&all).as_bytes())?;
        }
        Ok(outcome)
    }

    /// The clusters of a GWAE with a mixture prior, on the labels of its test images.
    fn clusters(
        &self,
        run: &Path,
        inside: &TestSet,
        scores: &ScoreTable,
        seed: u64,
    ) -> Result<Option<ClusterAnalysis>, ExperimentError> {
        let directory = RunDirectory::open(run)?;
        let store = CheckpointStore::open(directory.checkpoints())?;
        let (files, _) = store.verified(Which::Last)?;
        let device = self.device.open()?;
        let model = load_model(&directory.config().model, &model_for_use(&files), &device)?;
        let dataset = inside.data.dataset();
        let (Some(model), Some(factor)) = (model.gwae(), dataset.factors().first()) else {
            return Ok(None);
        };
        let items = inside
            .indices
            .iter()
            .map(|index| dataset.item(*index as usize));
        let labels = items
            .map(|item| Ok(item?.factors.first().map_or(0, |label| *label as usize)))
            .collect::<Result<Vec<_>, DatasetError>>()?;
        let numbers: Vec<String> = (0..factor.values).map(|n| n.to_string()).collect();
        let names = dataset.value_names(0).unwrap_or(&numbers);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match analyse_clusters(model, scores, &labels, &names, &device, seed, run) {
            Ok(analysis) => Ok(Some(analysis)),
            Err(ClusterError::NoMixture) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Scores a model in the course of its training.
fn probe(
    model: &str,
    steps: Option<u64>,
    inside: Rc<TestSet>,
    sets: Rc<Vec<TestSet>>,
    measured: Rc<RefCell<Measured>>,
) -> Probe {
    let model = model.to_owned();
    Box::new(move |probed: &Probed<'_>| {
        let last = steps == Some(probed.step);
        let count = if last { usize::MAX } else { TRACED };
        let reference = first(&probed.split.train, count.min(REFERENCE));
        let reference = score_images(probed.model, probed.data, reference, probed.device)?;
        let score = |set: &TestSet| -> Result<ScoreTable, Box<dyn std::error::Error>> {
            let indices = first(&set.indices, count);
            let table = score_images(probed.model, &set.data, indices, probed.device)?;
            Ok(table.with_two_sided(&reference)?)
        };
        let of_inside = score(&inside)?;
        let mut of_sets = Vec::new();
        for set in sets.iter() {
            let table = score(set)?;
            for column in &of_inside.columns {
                let outside = table.get(&column.name).unwrap_or_default();
                measured.borrow_mut().trace.points.push(TracePoint {
                    step: probed.step,
                    seconds: probed.seconds,
                    model: model.clone(),
                    set: set.name.clone(),
                    score: column.name.clone(),
                    auroc: auroc(&column.values, outside)?,
                });
            }
            of_sets.push((set.name.clone(), table));
        }
        if last {
            measured.borrow_mut().last = Some(ModelScores {
                model: model.clone(),
                inside: of_inside,
                outside: of_sets,
            });
        }
        Ok(())
    })
}

fn first(indices: &[u32], count: usize) -> &[u32] {
    &indices[..indices.len().min(count)]
}
