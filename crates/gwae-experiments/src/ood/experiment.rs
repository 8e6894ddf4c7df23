//! Trains several models on the same images and tests them on the same other images.

mod error;
mod model_record;
mod record;
mod score_tracker;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gwae_datasets::config::DataConfig;
use gwae_datasets::open::Preparation;
use gwae_formats::atomic::{FileError, write_atomically};
use gwae_metrics::BootstrapConfig;
use gwae_train::checkpoint::Which;
use gwae_train::config::RunConfig;
use gwae_train::device::DeviceList;
use gwae_train::interrupt::StopFlag;
use gwae_train::pictures::Pictures;
use gwae_train::progress::Progress;
use gwae_train::progress::ProgressDisplay;
use gwae_train::run_directory::{
    DirectoryLock, LOCK, RunDirectory, is_occupied_by_more_than_a_beginning,
};
use gwae_train::session::{Changes, SessionOptions, resume, start};
use gwae_train::trained_model::TrainedModel;

use super::clusters::{ClusterAnalysis, ClusterOptions, Labels, analyse_clusters};
use super::comparison::{Comparison, TestSet, make_names_unique};
use super::error::OodError;
use super::outcome::{ExperimentOutcome, ModelOutcome};
use super::report::{file_name, write_report};
use super::scoring::ScoreTable;
use super::table::{new_comparisons, seeds_table};
use super::trace::Trace;
use model_record::{ModelRecord, ModelResult};
use record::{ExperimentRecord, SessionRecord};
use score_tracker::{ScoreTracker, TrackedScores};

pub use error::ExperimentError;

/// Several models, all trained on the same images, each tested on images of other kinds.
///
/// The directory holds the settings (`experiment.json`) and the results so far (`ood.json` and
/// `scores/` in the run directory of each model, beside its checkpoints). So a stopped experiment
/// can continue with [`Self::resume`]. It then gives the same results, on the CPU to the last bit;
/// only the seconds differ.
pub struct Experiment {
    /// The directory for all output, with a run directory for every seed and model.
    pub directory: PathBuf,
    /// The devices to train on; the first one does all other work. A resumed experiment may use
    /// others.
    pub devices: DeviceList,
    /// The models by name. All have the same image size, channels and training data.
    pub models: Vec<(String, RunConfig)>,
    /// The out-of-distribution images.
    pub sets: Vec<DataConfig>,
    /// Most images of each set, and of the test part.
    pub images: usize,
    /// The seeds; every model is trained once per seed.
    pub seeds: Vec<u64>,
    /// Selects the scores (model, score) to draw as curves. A score without a model has
    /// [`NO_MODEL`](super::NO_MODEL).
    pub drawn: fn(&str, &str) -> bool,
    /// The command line, for the record.
    pub command_line: Vec<String>,
}

/// How an experiment reports its progress, and how to stop it.
pub struct ExperimentOptions<'a> {
    /// Makes the display for the training of the named model.
    pub display: &'a mut dyn FnMut(&str) -> Box<dyn ProgressDisplay>,
    /// Reports copies of datasets, which are made on first use.
    pub preparation: &'a mut dyn FnMut(Preparation),
    /// Receives a line of text about the next work.
    pub message: &'a mut dyn FnMut(&str),
    /// Asks the training to stop.
    pub stop: StopFlag,
}

/// An experiment with its datasets open.
struct OpenExperiment<'a> {
    experiment: &'a Experiment,
    models: Vec<(String, RunConfig)>,
    sets: Rc<Vec<TestSet>>,
}

impl Experiment {
    /// The experiment stored in `directory`, for [`Self::resume`].
    ///
    /// # Errors
    /// When there is no experiment, or its record is damaged.
    pub fn stored(
        directory: &Path,
        devices: DeviceList,
        drawn: fn(&str, &str) -> bool,
        command_line: Vec<String>,
    ) -> Result<Self, ExperimentError> {
        let record = ExperimentRecord::read(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            devices,
            models: record.models,
            sets: record.sets,
            images: record.images,
            seeds: record.seeds,
            drawn,
            command_line,
        })
    }

    /// Whether `directory` holds an experiment that can be resumed.
    pub fn is_stored(directory: &Path) -> bool {
        ExperimentRecord::read(directory).is_ok()
    }

    /// Trains and tests every model. For each seed it writes the report of [`write_report`],
    /// `auc_over_steps.csv` with its pictures and, for models whose latent distribution is a
    /// mixture, the clusters of [`analyse_clusters`]. Over all seeds it writes `seeds.md`.
    ///
    /// # Errors
    /// When the directory is not empty, models differ in their images, a dataset is missing, a
    /// training fails or a file cannot be written. Finished results stay.
    pub fn run(
        &self,
        options: &mut ExperimentOptions<'_>,
    ) -> Result<ExperimentOutcome, ExperimentError> {
        if self.models.is_empty() {
            return Ok(ExperimentOutcome::default());
        }
        self.validate()?;
        let directory = &self.directory;
        let occupied = is_occupied_by_more_than_a_beginning(directory);
        if occupied.map_err(FileError::on("read", directory))? {
            return Err(ExperimentError::NotEmpty(directory.clone()));
        }
        let (opened, record) = self.open(options)?;
        fs::create_dir_all(directory).map_err(FileError::on("create", directory))?;
        let lock = DirectoryLock::take(directory)?;
        ExperimentRecord::remove_temporaries(directory);
        let result = record
            .write(directory)
            .and_then(|()| opened.all_models(options));
        drop(lock);
        if result.is_err() && !self.has_begun() {
            self.abandon();
        }
        result
    }

    /// Continues the experiment in the directory, which must have the same settings. Finished
    /// models are not trained again, and a stopped training continues from its last checkpoint. The
    /// reports are those of an experiment that was not stopped.
    ///
    /// # Errors
    /// As [`Self::run`], and when the directory has no experiment, one with other settings or
    /// images, or damaged files.
    pub fn resume(
        &self,
        options: &mut ExperimentOptions<'_>,
    ) -> Result<ExperimentOutcome, ExperimentError> {
        let directory = &self.directory;
        // Reads before it locks: a directory without an experiment gets no lock file.
        ExperimentRecord::read(directory)?;
        self.validate()?;
        let _lock = DirectoryLock::take(directory)?;
        let mut record = ExperimentRecord::read(directory)?;
        let (opened, own) = self.open(options)?;
        if let Some(what) = record.difference(&own) {
            return Err(ExperimentError::OtherSettings {
                path: directory.clone(),
                what,
            });
        }
        record.require_same_images(directory, &opened.sets)?;
        let versions: Vec<String> = record
            .sessions
            .iter()
            .map(SessionRecord::versions)
            .collect();
        for session in own.sessions {
            if let Some(other) = versions.iter().find(|other| **other != session.versions()) {
                let now = session.versions();
                (options.message)(&format!(
                    "begun with {other}, goes on with {now}: the numbers may differ from those of one version"
                ));
            }
            record.sessions.push(session);
        }
        record.write(directory)?;
        opened.all_models(options)
    }

    /// Checks everything that does not need the data.
    fn validate(&self) -> Result<(), ExperimentError> {
        let Some((_, first)) = self.models.first() else {
            return Ok(());
        };
        for (index, seed) in self.seeds.iter().enumerate() {
            if self.seeds[..index].contains(seed) {
                return Err(ExperimentError::Seed(*seed));
            }
        }
        let shape = first.model.image_shape();
        for (index, (name, config)) in self.models.iter().enumerate() {
            let sees_the_same = config.model.image_shape() == shape && config.data == first.data;
            let mut others = self.models[..index].iter();
            // Run directories are named after the models.
            let is_new = !others.any(|(other, _)| file_name(other) == file_name(name));
            if !(sees_the_same && is_new && !name.is_empty()) {
                return Err(ExperimentError::Models(name.clone()));
            }
            for seed in &self.seeds {
                let mut config = config.clone();
                config.training.seed = *seed;
                config.validate()?;
            }
            self.devices.shard_size(config.training.batch_size)?;
            self.devices.open_for(config.training.precision)?;
        }
        Ok(())
    }

    /// Opens the sets; for a new experiment, also makes its record.
    fn open(
        &self,
        options: &mut ExperimentOptions<'_>,
    ) -> Result<(OpenExperiment<'_>, ExperimentRecord), ExperimentError> {
        // An experiment can be resumed from any working directory.
        let (mut models, mut configs) = (self.models.clone(), self.sets.clone());
        let of_models = models.iter_mut().map(|(_, config)| &mut config.data);
        for data in of_models.chain(&mut configs) {
            data.make_absolute()?;
            data.write_down_fit();
        }
        let mut sets = Vec::new();
        if let Some((_, first)) = models.first() {
            let shape = first.model.image_shape();
            let mut open_set = |set| TestSet::open(set, shape, self.images, 0, options.preparation);
            sets = configs
                .iter()
                .map(&mut open_set)
                .collect::<Result<_, _>>()?;
        }
        make_names_unique(&mut sets);
        let session = SessionRecord::now(self.devices.to_string(), self.command_line.clone());
        let record = ExperimentRecord {
            models: models.clone(),
            sets: configs,
            images: self.images,
            seeds: self.seeds.clone(),
            fingerprints: sets
                .iter()
                .map(|set| set.data.dataset().fingerprint())
                .collect(),
            sessions: vec![session],
        };
        let opened = OpenExperiment {
            experiment: self,
            models,
            sets: Rc::new(sets),
        };
        Ok((opened, record))
    }

    /// The directory for the results of a seed.
    fn directory_of(&self, seed: u64) -> PathBuf {
        match self.seeds.len() {
            1 => self.directory.clone(),
            _ => self.directory.join(format!("seed-{seed}")),
        }
    }

    /// The run directories of all models.
    fn runs(&self) -> impl Iterator<Item = PathBuf> {
        let seeds = self.seeds.iter();
        seeds.flat_map(|seed| {
            let models = self.models.iter();
            models.map(|(name, _)| self.directory_of(*seed).join(file_name(name)))
        })
    }

    /// Whether a training has begun.
    fn has_begun(&self) -> bool {
        self.runs().any(|run| RunDirectory::is_begun(&run))
    }

    /// Empties the directory again, so that the same command works once the problem is solved. Only
    /// for experiments in which no training has begun.
    fn abandon(&self) {
        ExperimentRecord::remove(&self.directory);
        let _ = fs::remove_file(self.directory.join(LOCK));
        for run in self.runs() {
            let _ = fs::remove_dir(&run);
        }
        if self.seeds.len() > 1 {
            for seed in &self.seeds {
                let _ = fs::remove_dir(self.directory_of(*seed));
            }
        }
    }
}

impl OpenExperiment<'_> {
    /// Trains and tests the unfinished models, and reports on all models.
    fn all_models(
        &self,
        options: &mut ExperimentOptions<'_>,
    ) -> Result<ExperimentOutcome, ExperimentError> {
        let experiment = self.experiment;
        let mut outcome = ExperimentOutcome::default();
        let mut rows: Vec<Comparison> = Vec::new();
        for &seed in &experiment.seeds {
            let directory = experiment.directory_of(seed);
            let mut scores = Vec::new();
            let first_row = rows.len();
            let mut trace = Trace::default();
            for (index, (name, config)) in self.models.iter().enumerate() {
                let run = directory.join(file_name(name));
                let mut record = ModelRecord::read(&run)?;
                let was_finished = record.result.is_some();
                if was_finished {
                    (options.message)(&format!("{name}, seed {seed}: finished before"));
                } else if options.stop.is_requested() {
                    outcome.interrupted = true;
                    return Ok(outcome);
                } else {
                    (options.message)(&format!("{name}, seed {seed}"));
                    let mut config = config.clone();
                    config.training.seed = seed;
                    record = self.train(name, &config, &run, record, options)?;
                }
                trace.points.extend(record.trace.points);
                // Reports after every model, so that a user who stops early has the finished ones.
                // Models that were already finished share one report.
                let reports = !was_finished || index + 1 == self.models.len();
                if reports {
                    trace.write(&directory)?;
                }
                let Some(result) = record.result else {
                    // The only way a training ends without a final validation.
                    outcome.interrupted = true;
                    return Ok(outcome);
                };
                let of_model = result.read_scores(name, &run)?;
                let comparisons = of_model.compare(&BootstrapConfig::default())?;
                rows.extend(new_comparisons(&rows[first_row..], &comparisons));
                scores.push(of_model);
                if reports {
                    write_report(&scores, &rows[first_row..], &experiment.drawn, &directory)?;
                }
                if reports && experiment.seeds.len() > 1 {
                    let path = experiment.directory.join("seeds.md");
                    write_atomically(&path, seeds_table(&rows).as_bytes())?;
                }
                outcome.models.push(ModelOutcome {
                    model: name.clone(),
                    seed,
                    seconds: result.seconds,
                    psnr: result.psnr,
                    clusters: result.clusters,
                    comparisons,
                });
            }
        }
        Ok(outcome)
    }

    /// Trains a model or continues its training, and stores the result unless the user stops it.
    fn train(
        &self,
        name: &str,
        config: &RunConfig,
        run: &Path,
        record: ModelRecord,
        options: &mut ExperimentOptions<'_>,
    ) -> Result<ModelRecord, ExperimentError> {
        let tracked = Rc::new(RefCell::new(TrackedScores { record, last: None }));
        let tracker = ScoreTracker {
            model: name.to_owned(),
            images: self.experiment.images,
            sets: self.sets.clone(),
            run: run.to_owned(),
            tracked: tracked.clone(),
        };
        let session = SessionOptions {
            devices: self.experiment.devices.clone(),
            stop: options.stop.clone(),
            command_line: self.experiment.command_line.clone(),
            callbacks: vec![
                Box::new(Progress((options.display)(name))),
                Box::new(Pictures),
                Box::new(tracker),
            ],
        };
        let summary = if RunDirectory::is_begun(run) {
            if RunDirectory::open(run)?.config() != config {
                return Err(ExperimentError::ChangedRun(run.to_owned()));
            }
            resume(run, Which::Last, &Changes::default(), session)?
        } else {
            start(config, run, session)?
        };
        let TrackedScores { mut record, last } = tracked.take();
        if let Some((scores, labels)) = last {
            let clusters =
                self.clusters(run, &scores.inside, labels.as_ref(), config.training.seed)?;
            ModelResult::write_scores(&scores, run)?;
            let columns = scores.inside.columns.into_iter();
            record.result = Some(ModelResult {
                seconds: summary.seconds,
                psnr: summary.test_psnr,
                scores: columns.map(|column| column.name).collect(),
                sets: scores.outside.into_iter().map(|(set, _)| set).collect(),
                clusters,
            });
            record.write(run)?;
        }
        Ok(record)
    }

    /// The clusters of a model whose latent distribution is a mixture, with the labels of its test
    /// images.
    fn clusters(
        &self,
        run: &Path,
        scores: &ScoreTable,
        labels: Option<&Labels>,
        seed: u64,
    ) -> Result<Option<ClusterAnalysis>, ExperimentError> {
        let device = self.experiment.devices.main().open()?;
        let trained = TrainedModel::load_checkpoint(run, Which::Last, &device)?;
        let model = trained.autoencoder();
        if model.components().is_none() {
            return Ok(None);
        }
        let options = ClusterOptions {
            seed,
            ..ClusterOptions::default()
        };
        match analyse_clusters(model, scores, labels, &options, run) {
            // Keep the trained model and its scores.
            Err(OodError::TooFewImages(_)) => Ok(None),
            analysis => Ok(Some(analysis?)),
        }
    }
}
