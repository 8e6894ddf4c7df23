//! Training of any algorithm on any dataset.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use gwae_core::random::SeededGenerator;
use gwae_datasets::{Dataset, Position, Split};
use gwae_formats::atomic::FileError;
use gwae_models::{LossTerm, LossTerms};

use super::changes::Changes;
use super::error::TrainError;
use super::opened::Opened;
use super::running::{Session, tell_message};
use super::stream::{Stream, generator};
use super::summary::RunSummary;
use crate::algorithm::Algorithm;
use crate::averaging::ParameterAverage;
use crate::callback::Callback;
use crate::checkpoint::Which;
use crate::config::{ConfigError, RunConfig, TrainingConfig};
use crate::data::RunData;
use crate::device::{DeviceError, DeviceList};
use crate::interrupt::StopFlag;
use crate::metrics_log::MetricsLog;
use crate::model_config::ModelConfig;
use crate::model_file::{load_parameters, read_model_for_use};
use crate::reproducible::numbered;
use crate::run_directory::{Resumption, RunDescription, RunDirectory, RunDirectoryError};
use crate::state::{TrainingState, load_state};
use gwae_datasets::config::{DataConfig, DatasetName};
use gwae_datasets::open::Preparation;

/// Largest number of further images that a folder is asked for.
const MOST_TRIED: usize = 10_000_000;

/// Trains an [`Algorithm`] on images.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use gwae_datasets::embedded_digits;
/// use gwae_models::{BackboneConfig, GwaeConfig};
/// use gwae_train::algorithm::GwaeAlgorithm;
/// use gwae_train::session::Trainer;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = GwaeConfig {
///     backbone: BackboneConfig { image_size: 32, channels: 1, ..Default::default() },
///     ..Default::default()
/// };
/// let digits = Arc::new(embedded_digits()?);
/// let summary = Trainer::new(GwaeAlgorithm::new(config), digits)
///     .steps(1_000)
///     .start("runs/digits")?;
/// println!("{summary}");
/// # Ok(())
/// # }
/// ```
pub struct Trainer<A: Algorithm> {
    algorithm: A,
    data: TrainingData,
    training: TrainingConfig,
    changes: Changes,
    terms: LossTerms<A::Model>,
    devices: DeviceList,
    stop: StopFlag,
    command_line: Vec<String>,
    callbacks: Vec<Box<dyn Callback<A::Model>>>,
}

/// The images of a run.
pub enum TrainingData {
    /// A dataset by its name.
    Named(DataConfig),
    /// The caller's own dataset, with the options that every dataset has: held-out share, limit,
    /// crop. To resume the run, pass the dataset again.
    Own(Arc<dyn Dataset>, DataConfig),
}

impl From<DataConfig> for TrainingData {
    fn from(config: DataConfig) -> Self {
        Self::Named(config)
    }
}

impl From<Arc<dyn Dataset>> for TrainingData {
    fn from(dataset: Arc<dyn Dataset>) -> Self {
        Self::Own(dataset, DataConfig::own())
    }
}

impl<D: Dataset + 'static> From<Arc<D>> for TrainingData {
    fn from(dataset: Arc<D>) -> Self {
        Self::from(dataset as Arc<dyn Dataset>)
    }
}

impl TrainingData {
    fn config(&self) -> &DataConfig {
        match self {
            Self::Named(config) | Self::Own(_, config) => config,
        }
    }
}

impl<A: Algorithm> Trainer<A> {
    /// Trains `algorithm` on `data` with the authors' settings, on the CPU, until the validation
    /// loss no longer falls.
    pub fn new(algorithm: A, data: impl Into<TrainingData>) -> Self {
        Self {
            algorithm,
            data: data.into(),
            training: TrainingConfig::default(),
            changes: Changes::default(),
            terms: LossTerms::none(),
            devices: DeviceList::default(),
            stop: StopFlag::default(),
            command_line: Vec::new(),
            callbacks: Vec::new(),
        }
    }

    /// Replaces the authors' settings. A resumed run keeps its own settings and ignores these; see
    /// [`Self::changes`].
    pub fn training(mut self, training: TrainingConfig) -> Self {
        self.training = training;
        self
    }

    /// Stops after this number of steps in total, also in a resumed run.
    pub fn steps(mut self, steps: u64) -> Self {
        self.training.steps = Some(steps);
        self.changes.steps = Some(steps);
        self
    }

    /// Changes the settings of a resumed run.
    pub fn changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// Adds `weight` times `term` to the objective. To resume the run, add the same terms.
    pub fn loss_term(mut self, weight: f64, term: impl LossTerm<A::Model> + 'static) -> Self {
        self.terms.push(weight, term);
        self
    }

    /// Adds a callback. Callbacks are called in the order in which they were added.
    pub fn callback(mut self, callback: impl Callback<A::Model> + 'static) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Shows the progress on standard error: a bar on a terminal, otherwise one line per 100 steps.
    #[cfg(feature = "progress")]
    pub fn progress(self) -> Self {
        self.callback(crate::progress::Progress(
            crate::progress::standard_display(100),
        ))
    }

    /// Draws pictures into the run directory: reconstructions, samples, a latent traversal and the
    /// loss curves.
    #[cfg(feature = "pictures")]
    pub fn pictures(self) -> Self
    where
        A::Model: 'static,
    {
        let pictures = Box::new(crate::pictures::Pictures);
        self.callback(crate::callback::ForAnyModel(pictures))
    }

    /// Computes on these devices, which share every batch.
    pub fn devices(mut self, devices: impl Into<DeviceList>) -> Self {
        self.devices = devices.into();
        self
    }

    /// A flag that asks the run to finish its step, save and return.
    pub fn stop(mut self, stop: StopFlag) -> Self {
        self.stop = stop;
        self
    }

    /// The command line, for the record.
    pub fn command_line(mut self, command_line: Vec<String>) -> Self {
        self.command_line = command_line;
        self
    }

    /// Starts a new run in `directory`, which must be new or empty, and trains until the end.
    ///
    /// # Errors
    /// Before any work if the configuration, device, data or directory is wrong. Later if the
    /// training fails or the disk is full; saved files stay.
    pub fn start(mut self, directory: impl AsRef<Path>) -> Result<RunSummary, TrainError> {
        let mut config = RunConfig {
            model: self.algorithm.model_config(),
            training: self.training.clone(),
            data: self.data.config().clone(),
        };
        config.validate()?;
        // A run can be resumed from any working directory.
        config.data.make_absolute()?;
        config.data.write_down_fit();
        if let Some(run) = &mut config.training.warm_start {
            *run = std::path::absolute(&*run).map_err(FileError::on("find", &*run))?;
        }
        self.devices.shard_size(config.training.batch_size)?;
        let devices = self.open_devices(&config.training)?;
        let data = self.open_data(&config.data, |_| Ok(()))?;
        check_number_of_images(data.dataset(), &config)?;
        let split = data.draw_split(&config)?;
        check_validation(&split)?;
        // Before the directory is created, so that a batch that is too large leaves no files.
        let batches = data.batches(&split, &config.training, Position::START)?;
        let description = RunDescription {
            device: self.devices.to_string(),
            command_line: self.command_line.clone(),
            dataset_fingerprint: split.fingerprint.clone(),
        };
        let directory = RunDirectory::create(directory.as_ref(), &config, description, &split)?;
        let checkpoints = directory
            .open_checkpoints()?
            .with_keep(config.training.keep_checkpoints);
        let (learner, average, state) = self.first_state(&config, &devices[0])?;
        self.notes(&data);
        data.warm();
        let opened = Opened {
            config,
            devices,
            data,
            split,
            batches,
            checkpoints,
            saved_step: None,
            directory,
        };
        Session::new(opened, learner, average, state, self.callbacks, self.stop)?.run()
    }

    /// Continues the run in `directory` from its last checkpoint, or from the beginning if it has
    /// none. The result is that of an uninterrupted run, bit for bit on the CPU.
    ///
    /// # Errors
    /// As [`Self::start`], and if the data or the model differ from those at the start of the run.
    pub fn resume(self, directory: impl AsRef<Path>) -> Result<RunSummary, TrainError> {
        self.resume_from(directory, Which::Last)
    }

    /// As [`Self::resume`], from the given checkpoint.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub fn resume_from(
        self,
        directory: impl AsRef<Path>,
        from: Which,
    ) -> Result<RunSummary, TrainError> {
        self.resume_directory(RunDirectory::resume(directory.as_ref())?, from)
    }

    pub(super) fn resume_directory(
        mut self,
        mut directory: RunDirectory,
        from: Which,
    ) -> Result<RunSummary, TrainError> {
        let mut config = directory.config().clone();
        let model = self.algorithm.model_config();
        if let Some(difference) = config.model.difference(&model) {
            return Err(TrainError::OtherModel {
                directory: directory.path().to_owned(),
                difference,
            });
        }
        self.changes.apply(&mut config)?;
        match config.validate() {
            Err(ConfigError::Data(error)) if self.changes.data_directory.is_none() => {
                return Err(directory.explain_missing_data(error).into());
            }
            checked => checked?,
        }
        let may_have_critic = config.has_critic() || matches!(config.model, ModelConfig::Own(_));
        if self.changes.critic_learning_rate.is_some() && !may_have_critic {
            return Err(ConfigError::Conflict {
                field: "training.critic_learning_rate",
                problem: "changes nothing, as the model has no critic: leave it out",
            }
            .into());
        }
        self.devices.shard_size(config.training.batch_size)?;
        let devices = self.open_devices(&config.training)?;
        let mut split: Split = directory.split()?;
        let accepts = self.changes.accept_data_change;
        let (mut renewed, mut other_data) = (false, false);
        let data = self.open_data(&config.data, |dataset| {
            match directory.check_data(dataset) {
                Err(RunDirectoryError::OtherData { .. }) if accepts => other_data = true,
                checked => {
                    renewed = checked?;
                    split.check(dataset)?;
                }
            }
            Ok(())
        })?;
        if other_data {
            split = data.draw_split(&config)?;
            check_validation(&split)?;
        }
        let mut checkpoints = directory
            .open_checkpoints()?
            .with_keep(config.training.keep_checkpoints);
        let begun = checkpoints.entry(Which::Last).is_some();
        let (learner, average, mut state) = if begun || from == Which::Best {
            let terms = self.terms.clone();
            load_state(
                checkpoints.read(from)?,
                &self.algorithm,
                &config.training,
                terms,
                &devices[0],
            )?
        } else {
            self.message("the run stopped before its first checkpoint, so it begins anew");
            self.first_state(&config, &devices[0])?
        };
        let steps_per_epoch = (split.train.len() / config.training.batch_size) as u64;
        if other_data && state.position.batch >= steps_per_epoch {
            state.position = state.position.next(0);
        }
        let batches = data.batches(&split, &config.training, state.position)?;
        self.changes
            .check_limit(state.step, batches.batches_per_epoch())?;
        if let Some(last) = checkpoints.entry(Which::Last)
            && last.step > state.step
        {
            let (from, to) = (state.step, last.step);
            self.message(&format!(
                "going on from step {from}; the steps after it, up to {to}, are given up"
            ));
        }
        // The steps after the checkpoint will be repeated.
        let last_record = MetricsLog::truncate_after(&directory.metrics(), state.step)?;
        state.seconds = last_record.map_or(state.seconds, |record| record.seconds);
        let resumption = Resumption::now(
            state.step,
            self.devices.to_string(),
            self.command_line.clone(),
        );
        if other_data {
            let change = directory.record_data_change(&split, &split.fingerprint, state.step)?;
            self.message(&format!("accepted: {change}; the images are divided anew"));
        }
        directory.record_resumption(&config, resumption)?;
        if renewed {
            self.message(
                "the run was begun by a version that compared only names and sizes of the data; \
                 these are the same, and from now on the contents are compared too",
            );
        }
        self.notes(&data);
        data.warm();
        let opened = Opened {
            config,
            devices,
            data,
            split,
            batches,
            checkpoints,
            saved_step: (begun && from == Which::Last).then_some(state.step),
            directory,
        };
        Session::new(opened, learner, average, state, self.callbacks, self.stop)?.run()
    }

    /// Tells what a user should know about the data.
    fn notes(&mut self, data: &RunData) {
        for note in data.dataset().notes() {
            self.message(&note);
        }
    }

    fn message(&mut self, text: &str) {
        tell_message(&mut self.callbacks, text);
    }

    fn open_devices(&self, training: &TrainingConfig) -> Result<Vec<Device>, DeviceError> {
        let devices = self.devices.open_for(training.precision)?.into_iter();
        Ok(devices.map(Device::autodiff).collect())
    }

    /// Opens the dataset; the callbacks show the progress. `accept` is asked before copies are made.
    fn open_data(
        &mut self,
        config: &DataConfig,
        accept: impl FnOnce(&dyn Dataset) -> Result<(), TrainError>,
    ) -> Result<RunData, TrainError> {
        let shape = self.algorithm.image_shape();
        match &self.data {
            TrainingData::Own(dataset, _) => {
                let data = RunData::of(dataset.clone(), config, shape)?;
                accept(data.dataset())?;
                Ok(data)
            }
            TrainingData::Named(_) => {
                let callbacks = &mut self.callbacks;
                let mut progress = |preparation: Preparation| {
                    for callback in &mut *callbacks {
                        callback.on_preparation(&preparation);
                    }
                };
                RunData::open_if(config, shape, &mut progress, accept)
            }
        }
    }

    /// An untrained model and the initial state of its run.
    #[allow(clippy::type_complexity)] // The caller destructures the tuple at once.
    fn first_state(
        &self,
        config: &RunConfig,
        device: &Device,
    ) -> Result<(A::Learner, Option<ParameterAverage>, TrainingState), TrainError> {
        let mut noise: SeededGenerator = generator(config, Stream::Initialisation);
        let mut model = self.algorithm.init(&mut noise, device)?;
        if let Some(run) = &config.training.warm_start {
            let run = RunDirectory::open(run)?;
            let mut checkpoints = run.open_checkpoints()?;
            let (file, _) = read_model_for_use(&mut checkpoints, None)?;
            model = load_parameters(model, file)?;
        }
        let terms = self.terms.clone();
        let model = numbered(model);
        let learner = self.algorithm.learner(model, &config.training, terms);
        let decay = config.training.average_decay;
        let average = (decay > 0.0).then(|| ParameterAverage::new(decay));
        let state = TrainingState::first(&generator(config, Stream::Training));
        Ok((learner, average, state))
    }
}

/// Refuses a folder whose images do not fill a batch and a validation.
fn check_number_of_images(data: &dyn Dataset, config: &RunConfig) -> Result<(), ConfigError> {
    let (images, batch_size) = (data.len(), config.training.batch_size);
    let validation_fraction = config.data.validation_fraction;
    // As the split is drawn: at least one image is held out, if any.
    let suffices = |images: usize| {
        let share = (validation_fraction * images as f64).round() as usize;
        let held_out = match validation_fraction > 0.0 {
            true => share.max(1),
            false => 0,
        };
        held_out != 1 && images.saturating_sub(held_out) >= batch_size.max(1)
    };
    let Some(directory) = &config.data.directory else {
        return Ok(());
    };
    if config.data.dataset != DatasetName::Folder || suffices(images) {
        return Ok(());
    }
    // With a share close to 1 there is no reasonable number.
    let least = (images..images + MOST_TRIED).find(|&images| suffices(images));
    Err(ConfigError::TooFewImages {
        directory: directory.clone(),
        images,
        batch_size,
        validation_fraction,
        least: least.unwrap_or(images + MOST_TRIED),
    })
}

/// The losses need at least two images.
fn check_validation(split: &Split) -> Result<(), ConfigError> {
    match split.validation.len() {
        1 => Err(ConfigError::Conflict {
            field: "data.validation_fraction",
            problem: "holds out a single image, and the losses compare images: raise it, or set \
                      it and training.patience to 0",
        }),
        _ => Ok(()),
    }
}
