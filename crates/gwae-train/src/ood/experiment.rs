//! Several models trained on the same images and tested on the same others.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gwae_metrics::{BootstrapConfig, auroc};

use super::clusters::{ClusterAnalysis, ClusterError, ClusterSummary, Labels, analyse_clusters};
use super::comparison::{
    Comparison, ComparisonError, REFERENCE, TestSet, choose, make_names_unique,
};
use super::report::{ModelScores, OodReportError, file_name, write_report};
use super::scoring::{ScoreTable, score_images};
use super::table::seeds_table;
use super::trace::{Trace, TracePoint};
use crate::atomic::{FileError, write_atomically};
use crate::checkpoint::{CheckpointError, CheckpointStore, Which};
use crate::config::{DataConfig, RunConfig};
use crate::data::{Preparation, RunData};
use crate::device::{DeviceError, DeviceList};
use crate::interrupt::StopFlag;
use crate::model_file::{ModelFileError, load_model, model_for_use};
use crate::progress::ProgressDisplay;
use crate::run_directory::{RunDirectory, RunDirectoryError, is_occupied};
use crate::session::{Probe, Probed, SessionOptions, TrainError, start};

/// Images of each set that are scored in the course of a training; at its end all are.
const TRACED: usize = 300;

/// Several models trained on the same images, each tested on images that are not of their kind.
pub struct Experiment {
    /// Where everything is written; a run directory for every seed and model is made in it.
    pub directory: PathBuf,
    /// The devices to train on; the first one does all else.
    pub devices: DeviceList,
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
                    "\n  {} components; entropy of their weights {:.2}, of the images assigned to them {:.2}, of \
                     {:.2} nats\n  {:.0} % of a component's samples are of its two most common labels\n  agreement of components with labels: \
                     NMI {information:.3}, ARI {rand:.3}, purity {purity:.3} (k-means on the codes: \
                     {:.3}, {:.3}, {:.3})",
                    clusters.components,
                    clusters.prior_usage.entropy,
                    clusters.assigned_usage.entropy,
                    (clusters.components as f64).ln(),
                    100.0 * clusters.samples_of_two_labels(),
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
    /// A directory that has something in it.
    #[error("{path} is not empty: give the experiment a new directory", path = .0.display())]
    NotEmpty(PathBuf),
    /// Models that cannot be compared.
    #[error(
        "model {0}: the models of an experiment need different names, and the same data, image size and channels"
    )]
    Models(String),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A set of images.
    #[error(transparent)]
    Set(#[from] ComparisonError),
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The report.
    #[error(transparent)]
    Report(#[from] OodReportError),
    /// The clusters.
    #[error(transparent)]
    Clusters(#[from] ClusterError),
    /// A trained model.
    #[error(transparent)]
    Model(#[from] ModelFileError),
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
    /// All scores after the last step, and the labels of the in-distribution images.
    last: Option<(ModelScores, Labels)>,
}

impl Experiment {
    /// Trains and tests every model, and writes for each seed the report of
    /// [`write_report`], `auc_over_steps.csv` with its pictures and, for models with a Gaussian mixture
    /// prior, the clusters of [`analyse_clusters`]; over all seeds `seeds.md`.
    ///
    /// # Errors
    /// When the directory is not empty, models differ in what they see, a dataset is not there, a
    /// training breaks or a file cannot be written. What was finished before stays.
    pub fn run(&self, outlook: &mut Outlook<'_>) -> Result<ExperimentOutcome, ExperimentError> {
        let mut outcome = ExperimentOutcome::default();
        let Some((_, first)) = self.models.first() else {
            return Ok(outcome);
        };
        let backbone = first.model.backbone();
        for (index, (name, config)) in self.models.iter().enumerate() {
            let own = config.model.backbone();
            let sees_the_same = (own.image_size, own.channels)
                == (backbone.image_size, backbone.channels)
                && config.data == first.data;
            let is_new = !self.models[..index].iter().any(|(other, _)| other == name);
            if !(sees_the_same && is_new) {
                return Err(ExperimentError::Models(name.clone()));
            }
        }
        let directory = &self.directory;
        if is_occupied(directory).map_err(FileError::on("read", directory))? {
            return Err(ExperimentError::NotEmpty(directory.clone()));
        }
        let mut open =
            |set: &DataConfig| TestSet::open(set, &backbone, self.images, 0, outlook.preparation);
        let mut sets = self
            .sets
            .iter()
            .map(&mut open)
            .collect::<Result<Vec<_>, _>>()?;
        make_names_unique(&mut sets);
        let sets = Rc::new(sets);
        let mut all: Vec<(String, Comparison)> = Vec::new();
        for &seed in &self.seeds {
            let directory = match self.seeds.len() {
                1 => self.directory.clone(),
                _ => self.directory.join(format!("seed-{seed}")),
            };
            let (mut scores, mut rows) = (Vec::new(), Vec::new());
            let mut trace = Trace::default();
            for (name, config) in &self.models {
                (outlook.say)(&format!("{name}, seed {seed}"));
                let mut config = config.clone();
                config.training.seed = seed;
                let run = directory.join(file_name(name));
                let measured = Rc::new(RefCell::new(Measured::default()));
                let options = SessionOptions {
                    devices: self.devices.clone(),
                    display: (outlook.display)(name),
                    stop: outlook.stop.clone(),
                    command_line: self.command_line.clone(),
                    probe: Some(probe(name, self.images, sets.clone(), measured.clone())),
                };
                let summary = start(&config, &run, options)?;
                let measured = measured.take();
                trace.points.extend(measured.trace.points);
                trace.write(&directory)?;
                let Some((of_model, labels)) = measured.last else {
                    // The only training that ends without a last look.
                    outcome.interrupted = true;
                    return Ok(outcome);
                };
                let comparisons = of_model.compare(&BootstrapConfig::default())?;
                rows.extend(comparisons.iter().map(|row| (name.clone(), row.clone())));
                all.extend(comparisons.iter().map(|row| (name.clone(), row.clone())));
                scores.push(of_model);
                // After every model: whoever stops before the last one has the others.
                write_report(&scores, &rows, &self.drawn, &directory)?;
                if self.seeds.len() > 1 {
                    let path = self.directory.join("seeds.md");
                    write_atomically(&path, seeds_table(&all).as_bytes())?;
                }
                let inside = &scores.last().expect("just added").inside;
                outcome.models.push(ModelOutcome {
                    model: name.clone(),
                    seed,
                    seconds: summary.seconds,
                    psnr: summary.test_psnr,
                    clusters: self.clusters(&run, inside, &labels, seed)?,
                    comparisons,
                });
            }
        }
        Ok(outcome)
    }

    /// The clusters of a GWAE with a mixture prior, on the labels of its test images.
    fn clusters(
        &self,
        run: &Path,
        scores: &ScoreTable,
        labels: &Labels,
        seed: u64,
    ) -> Result<Option<ClusterAnalysis>, ExperimentError> {
        let directory = RunDirectory::open(run)?;
        let store = CheckpointStore::open(directory.checkpoints())?;
        let (files, _) = store.verified(Which::Last)?;
        let device = self.devices.main().open()?;
        let model = load_model(&directory.config().model, &model_for_use(&files), &device)?;
        let Some(model) = model.gwae() else {
            return Ok(None);
        };
        match analyse_clusters(model, scores, labels, &device, seed, run) {
            Ok(analysis) => Ok(Some(analysis)),
            Err(ClusterError::NoMixture) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Scores a model in the course of its training.
fn probe(
    model: &str,
    images: usize,
    sets: Rc<Vec<TestSet>>,
    measured: Rc<RefCell<Measured>>,
) -> Probe {
    let model = model.to_owned();
    Box::new(move |probed: &Probed<'_>| {
        let reference = choose(&probed.split.train, REFERENCE, 0);
        let reference = score_images(probed.model, probed.data, &reference, probed.device)?;
        let held_out = choose(probed.split.held_out(), images, 0);
        let score = |data: &RunData, indices: &[u32]| -> Result<_, Box<dyn std::error::Error>> {
            let table = score_images(probed.model, data, indices, probed.device)?;
            Ok(table.with_two_sided(&reference)?)
        };
        let inside = score(probed.data, &choose(&held_out, TRACED, 1))?;
        for set in sets.iter() {
            let table = score(&set.data, &choose(&set.indices, TRACED, 1))?;
            for column in &inside.columns {
                let outside = table.get(&column.name).unwrap_or_default();
                // A model that is still far from its end may give anything.
                let Ok(auroc) = auroc(&column.values, outside) else {
                    continue;
                };
                measured.borrow_mut().trace.points.push(TracePoint {
                    step: probed.step,
                    seconds: probed.seconds,
                    model: model.clone(),
                    set: set.name.clone(),
                    score: column.name.clone(),
                    auroc,
                });
            }
        }
        if probed.last {
            let outside = sets
                .iter()
                .map(|set| Ok((set.name.clone(), score(&set.data, &set.indices)?)))
                .collect::<Result<_, Box<dyn std::error::Error>>>()?;
            let scores = ModelScores {
                model: model.clone(),
                inside: score(probed.data, &held_out)?,
                outside,
            };
            let labels = Labels::of(probed.data.dataset(), &held_out)?;
            measured.borrow_mut().last = Some((scores, labels));
        }
        Ok(())
    })
}
