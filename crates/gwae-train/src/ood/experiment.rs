//! Several models trained on the same images and tested on the same others.

mod error;
mod outcome;
mod part;
mod probe;
mod record;

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gwae_metrics::BootstrapConfig;

use super::clusters::{ClusterAnalysis, ClusterError, ClusterOptions, Labels, analyse_clusters};
use super::comparison::{Comparison, TestSet, make_names_unique};
use super::report::{file_name, write_report};
use super::scoring::ScoreTable;
use super::table::{further_rows, seeds_table};
use super::trace::Trace;
use crate::atomic::{FileError, write_atomically};
use crate::checkpoint::{CheckpointStore, Which};
use crate::config::{DataConfig, RunConfig};
use crate::data::Preparation;
use crate::device::DeviceList;
use crate::interrupt::StopFlag;
use crate::model_file::{load_model, model_for_use};
use crate::progress::ProgressDisplay;
use crate::run_directory::{LOCK, RunDirectory, is_occupied_by_more_than_a_beginning, lock};
use crate::session::{Changes, SessionOptions, resume, start};

use part::{Part, PartResult};
use probe::{Measured, Subject};
use record::{ExperimentRecord, SessionRecord};

pub use error::ExperimentError;
pub use outcome::{ExperimentOutcome, ModelOutcome};

/// Several models trained on the same images, each tested on images that are not of their kind.
///
/// The directory says what the experiment is (`experiment.json`) and how far it has come (`ood.json`
/// and `scores/` in the run directory of each model, beside the checkpoints of its training), so an
/// experiment that was stopped goes on with [`Self::resume`]. Its results are then those of one that was
/// not, on the CPU to the last bit; only the seconds differ.
pub struct Experiment {
    /// Where everything is written; a run directory for every seed and model is made in it.
    pub directory: PathBuf,
    /// The devices to train on; the first one does all else. They may be others when it is resumed.
    pub devices: DeviceList,
    /// The models by name. All have the same image size and channels, and train on the same data.
    pub models: Vec<(String, RunConfig)>,
    /// The out-of-distribution images.
    pub sets: Vec<DataConfig>,
    /// Images of each set, and of the test part, at most.
    pub images: usize,
    /// Seeds; each trains every model anew.
    pub seeds: Vec<u64>,
    /// Which scores (model, score) are drawn as curves; the model of what needs none is "no model".
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

/// An experiment with everything open that it needs.
struct Prepared<'a> {
    experiment: &'a Experiment,
    models: Vec<(String, RunConfig)>,
    sets: Rc<Vec<TestSet>>,
}

impl Experiment {
    /// The experiment that was begun in `directory`, for [`Self::resume`].
    ///
    /// # Errors
    /// When there is none, or its record is damaged.
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

    /// Whether an experiment was begun in `directory`, which can be resumed.
    pub fn is_stored(directory: &Path) -> bool {
        ExperimentRecord::read(directory).is_ok()
    }

    /// Trains and tests every model, and writes for each seed the report of
    /// [`write_report`], `auc_over_steps.csv` with its pictures and, for models whose law of
    /// codes is a mixture, the clusters of [`analyse_clusters`]; over all seeds `seeds.md`.
    ///
    /// # Errors
    /// When the directory is not empty, models differ in what they see, a dataset is not there, a
    /// training breaks or a file cannot be written. What was finished before stays.
    pub fn run(&self, outlook: &mut Outlook<'_>) -> Result<ExperimentOutcome, ExperimentError> {
        if self.models.is_empty() {
            return Ok(ExperimentOutcome::default());
        }
        self.check()?;
        let directory = &self.directory;
        let occupied = is_occupied_by_more_than_a_beginning(directory);
        if occupied.map_err(FileError::on("read", directory))? {
            return Err(ExperimentError::NotEmpty(directory.clone()));
        }
        let (prepared, record) = self.prepare(outlook)?;
        fs::create_dir_all(directory).map_err(FileError::on("create", directory))?;
        let lock = lock(
            directory,
            OpenOptions::new().write(true).create(true).truncate(false),
        )?;
        ExperimentRecord::remove_temporaries(directory);
        let result = record
            .write(directory)
            .and_then(|()| prepared.all_models(outlook));
        drop(lock);
        if result.is_err() && !self.has_begun() {
            self.abandon();
        }
        result
    }

    /// Goes on with the experiment in the directory, which has the settings of this one: models that
    /// were finished are not trained again, a training that was stopped goes on from its last
    /// checkpoint, and the reports are those of an experiment that was not stopped.
    ///
    /// # Errors
    /// As [`Self::run`], and when there is no experiment, one with other settings or images, or one
    /// whose files are damaged.
    pub fn resume(&self, outlook: &mut Outlook<'_>) -> Result<ExperimentOutcome, ExperimentError> {
        let directory = &self.directory;
        // Looks before it locks, so that no lock file appears where there is no experiment.
        ExperimentRecord::read(directory)?;
        self.check()?;
        let _lock = lock(
            directory,
            OpenOptions::new().write(true).create(true).truncate(false),
        )?;
        let mut record = ExperimentRecord::read(directory)?;
        let (prepared, own) = self.prepare(outlook)?;
        if let Some(what) = record.difference(&own) {
            return Err(ExperimentError::OtherSettings {
                path: directory.clone(),
                what,
            });
        }
        record.check_images(directory, &prepared.sets)?;
        let versions: Vec<String> = record
            .sessions
            .iter()
            .map(SessionRecord::versions)
            .collect();
        for session in own.sessions {
            if let Some(other) = versions.iter().find(|other| **other != session.versions()) {
                let now = session.versions();
                (outlook.say)(&format!(
                    "begun with {other}, goes on with {now}: the numbers may differ from those of one version"
                ));
            }
            record.sessions.push(session);
        }
        record.write(directory)?;
        prepared.all_models(outlook)
    }

    /// Checks what can be checked before any work.
    fn check(&self) -> Result<(), ExperimentError> {
        let Some((_, first)) = self.models.first() else {
            return Ok(());
        };
        for (index, seed) in self.seeds.iter().enumerate() {
            if self.seeds[..index].contains(seed) {
                return Err(ExperimentError::Seed(*seed));
            }
        }
        let backbone = first.model.backbone();
        for (index, (name, config)) in self.models.iter().enumerate() {
            let own = config.model.backbone();
            let sees_the_same = (own.image_size, own.channels)
                == (backbone.image_size, backbone.channels)
                && config.data == first.data;
            let mut others = self.models[..index].iter();
            // Run directories have the names of the models.
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

    /// Opens the sets; also makes the record of an experiment that begins now.
    fn prepare(
        &self,
        outlook: &mut Outlook<'_>,
    ) -> Result<(Prepared<'_>, ExperimentRecord), ExperimentError> {
        // An experiment is resumed from anywhere.
        let (mut models, mut configs) = (self.models.clone(), self.sets.clone());
        let of_models = models.iter_mut().map(|(_, config)| &mut config.data);
        for data in of_models.chain(&mut configs) {
            data.make_absolute()?;
        }
        let mut sets = Vec::new();
        if let Some((_, first)) = models.first() {
            let backbone = first.model.backbone();
            let mut open = |set| TestSet::open(set, &backbone, self.images, 0, outlook.preparation);
            sets = configs.iter().map(&mut open).collect::<Result<_, _>>()?;
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
        let prepared = Prepared {
            experiment: self,
            models,
            sets: Rc::new(sets),
        };
        Ok((prepared, record))
    }

    /// Where the results of a seed are.
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

    /// Whether a training was begun.
    fn has_begun(&self) -> bool {
        self.runs().any(|run| RunDirectory::is_begun(&run))
    }

    /// Leaves the directory empty, as it was before, so that the same command works once what was wrong
    /// is put right. For experiments in which no training was begun.
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

impl Prepared<'_> {
    /// Trains and tests the models that were not finished before, and reports on all.
    fn all_models(&self, outlook: &mut Outlook<'_>) -> Result<ExperimentOutcome, ExperimentError> {
        let experiment = self.experiment;
        let mut outcome = ExperimentOutcome::default();
        let mut rows: Vec<(String, Comparison)> = Vec::new();
        for &seed in &experiment.seeds {
            let directory = experiment.directory_of(seed);
            let mut scores = Vec::new();
            let first_row = rows.len();
            let mut trace = Trace::default();
            for (index, (name, config)) in self.models.iter().enumerate() {
                let run = directory.join(file_name(name));
                let mut part = Part::read(&run)?;
                let was_finished = part.result.is_some();
                if was_finished {
                    (outlook.say)(&format!("{name}, seed {seed}: finished before"));
                } else if outlook.stop.is_requested() {
                    outcome.interrupted = true;
                    return Ok(outcome);
                } else {
                    (outlook.say)(&format!("{name}, seed {seed}"));
                    let mut config = config.clone();
                    config.training.seed = seed;
                    part = self.train(name, &config, &run, part, outlook)?;
                }
                trace.points.extend(part.trace.points);
                // After every model: whoever stops before the last one has the others. After those that
                // were finished before, only once.
                let reports = !was_finished || index + 1 == self.models.len();
                if reports {
                    trace.write(&directory)?;
                }
                let Some(result) = part.result else {
                    // The only training that ends without a last look.
                    outcome.interrupted = true;
                    return Ok(outcome);
                };
                let of_model = result.read_scores(name, &run)?;
                let comparisons = of_model.compare(&BootstrapConfig::default())?;
                let further = further_rows(&rows[first_row..], name, &comparisons);
                rows.extend(further);
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

    /// Trains a model, or goes on with its training, and stores what it came to; there is no result
    /// where the user stopped it.
    fn train(
        &self,
        name: &str,
        config: &RunConfig,
        run: &Path,
        part: Part,
        outlook: &mut Outlook<'_>,
    ) -> Result<Part, ExperimentError> {
        let measured = Rc::new(RefCell::new(Measured { part, last: None }));
        let subject = Subject {
            model: name.to_owned(),
            images: self.experiment.images,
            sets: self.sets.clone(),
            run: run.to_owned(),
            measured: measured.clone(),
        };
        let options = SessionOptions {
            devices: self.experiment.devices.clone(),
            display: (outlook.display)(name),
            stop: outlook.stop.clone(),
            command_line: self.experiment.command_line.clone(),
            probe: Some(subject.probe()),
        };
        let summary = if RunDirectory::is_begun(run) {
            if RunDirectory::open(run)?.config() != config {
                return Err(ExperimentError::ChangedRun(run.to_owned()));
            }
            resume(run, Which::Last, &Changes::default(), options)?
        } else {
            RunDirectory::remove_first_files(run);
            start(config, run, options)?
        };
        let Measured { mut part, last } = measured.take();
        if let Some((scores, labels)) = last {
            let clusters =
                self.clusters(run, &scores.inside, labels.as_ref(), config.training.seed)?;
            PartResult::write_scores(&scores, run)?;
            let columns = scores.inside.columns.into_iter();
            part.result = Some(PartResult {
                seconds: summary.seconds,
                psnr: summary.test_psnr,
                scores: columns.map(|column| column.name).collect(),
                sets: scores.outside.into_iter().map(|(set, _)| set).collect(),
                clusters,
            });
            part.write(run)?;
        }
        Ok(part)
    }

    /// The clusters of a model whose law of codes is a mixture, on the labels of its test images.
    fn clusters(
        &self,
        run: &Path,
        scores: &ScoreTable,
        labels: Option<&Labels>,
        seed: u64,
    ) -> Result<Option<ClusterAnalysis>, ExperimentError> {
        let directory = RunDirectory::open(run)?;
        let store = CheckpointStore::open(directory.checkpoints())?;
        let (files, _) = store.verified(Which::Last)?;
        let device = self.experiment.devices.main().open()?;
        let model = load_model(&directory.config().model, &model_for_use(&files), &device)?;
        let model = model.autoencoder();
        if model.components().is_none() {
            return Ok(None);
        }
        let options = ClusterOptions {
            seed,
            ..ClusterOptions::default()
        };
        match analyse_clusters(model, scores, labels, &options, run) {
            // No reason to give up what was trained and scored.
            Err(ClusterError::TooFew(_)) => Ok(None),
            analysis => Ok(Some(analysis?)),
        }
    }
}
