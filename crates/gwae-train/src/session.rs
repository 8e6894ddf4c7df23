//! A training run from its first step to its pictures.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Device;
use gwae_core::noise::{HostGenerator, NoiseSource};
use gwae_datasets::{BatchStream, DatasetError, Position, Split};
use gwae_models::{Gwae, GwaeConfigError};

use crate::atomic::FileError;
use crate::checkpoint::{CheckpointError, CheckpointStore, KeepAs, SaveError, Which};
use crate::config::{ConfigError, RunConfig};
use crate::data::{RunData, upload};
use crate::device::{DeviceError, DeviceSpec};
use crate::early_stopping::EarlyStopping;
use crate::evaluation::{reconstruction_psnr, validation_losses};
use crate::health::{NonFiniteLoss, check_finite, parameters_are_finite};
use crate::interrupt::StopFlag;
use crate::losses::Losses;
use crate::metrics_log::{MetricsLog, MetricsLogError, MetricsRecord, Phase};
use crate::pictures::{Traversal, draw_losses, draw_reconstructions, draw_samples, draw_traversal};
use crate::progress::{ProgressDisplay, RunOutline, StepProgress, ValidationProgress};
use crate::report::ReportError;
use crate::run_directory::{RunDescription, RunDirectory, RunDirectoryError};
use crate::state::{StateError, TrainingState, load_state, save_state};
use crate::trainer::Trainer;

/// Independent streams of a run's seed.
#[derive(Clone, Copy)]
enum Stream {
    Initialisation,
    Training,
    Validation,
    Pictures,
}

fn generator(config: &RunConfig, stream: Stream) -> HostGenerator {
    HostGenerator::new(config.training.seed, stream as u64)
}

/// Images in the picture of reconstructions, and prior draws in that of samples.
const PICTURED: usize = 64;

/// Where and how a run is made, beside what it computes.
pub struct SessionOptions {
    /// The device to compute on.
    pub device: DeviceSpec,
    /// Shows how it goes.
    pub display: Box<dyn ProgressDisplay>,
    /// Asks the run to finish its step, save and return.
    pub stop: StopFlag,
    /// The command line, for the record.
    pub command_line: Vec<String>,
}

/// Limits that a resumed run gets in place of those it was started with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewLimits {
    /// Main steps at the end.
    pub steps: Option<u64>,
    /// Passes over the training data at the end.
    pub epochs: Option<u64>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// All steps are done.
    Finished,
    /// The validation loss no longer fell.
    Converged,
    /// The user asked for it.
    Interrupted,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The run directory.
    pub directory: PathBuf,
    /// Why it ended.
    pub reason: StopReason,
    /// Main steps done.
    pub step: u64,
    /// Seconds of training, interruptions left out.
    pub seconds: f64,
    /// Reconstruction PSNR in dB on the held-out test images, where the dataset has some.
    pub test_psnr: Option<f64>,
    /// Losses of the last step of this session; `None` where no step was left to do.
    pub training: Option<Losses<f64>>,
    /// Losses on the validation images with the final parameters.
    pub validation: Option<Losses<f64>>,
}

/// A run that could not be started or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The architecture.
    #[error(transparent)]
    Model(#[from] GwaeConfigError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// The run directory.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// Reading a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Writing a checkpoint.
    #[error(transparent)]
    Save(#[from] SaveError<StateError>),
    /// What a checkpoint holds.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log of losses.
    #[error(transparent)]
    Log(#[from] MetricsLogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A picture.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A loss is NaN or infinite.
    #[error(transparent)]
    Broken(#[from] NonFiniteLoss),
    /// A parameter is NaN or infinite.
    #[error(
        "step {step}: a parameter is no longer a finite number, so training stops here; the last \
         checkpoint is from before: resume from it with a lower training.learning_rate or \
         training.critic_learning_rate"
    )]
    BrokenParameters {
        /// The step that computed it.
        step: u64,
    },
}

/// Starts a new run in `path`, a new or empty directory, and trains it to its end.
///
/// # Errors
/// Before any work where the configuration, device, data or directory are wrong; later where the
/// training breaks or the disk is full. What was saved before stays.
pub fn start(
    config: &RunConfig,
    path: &Path,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    config.validate()?;
    let device = options.device.open()?.autodiff();
    let data = RunData::open(&config.data, &config.model)?;
    let split = Split::draw(
        data.dataset(),
        config.data.validation_fraction,
        config.training.seed,
    )?;
    // Before the directory is made: a batch that is too large leaves nothing behind.
    let batches = data.batches(&split, &config.training, Position::START)?;
    let description = RunDescription {
        device: options.device.to_string(),
        command_line: options.command_line.clone(),
        dataset_fingerprint: split.fingerprint.clone(),
    };
    let directory = RunDirectory::create(path, config, description, &split)?;
    let mut noise = generator(config, Stream::Initialisation);
    let model = Gwae::new(&config.model, &mut noise, &device)?;
    let session = Session {
        config: config.clone(),
        trainer: Trainer::new(model, config),
        noise: generator(config, Stream::Training),
        early_stopping: EarlyStopping::new(config.training.patience),
        step: 0,
        seconds_before: 0.0,
        saved_step: None,
        validated: None,
        checkpoints: CheckpointStore::open(directory.checkpoints())?,
        log: MetricsLog::open(&directory.metrics())?,
        device,
        data,
        split,
        batches,
        directory,
        display: options.display,
        stop: options.stop,
        began: Instant::now(),
    };
    session.run()
}

/// Goes on with the run in `path` from its last checkpoint. A run that was stopped and resumed
/// computes, bit for bit on the CPU, what an uninterrupted one does.
///
/// # Errors
/// As [`start`], and where the data are not those that the run began with.
pub fn resume(
    path: &Path,
    limits: NewLimits,
    options: SessionOptions,
) -> Result<RunSummary, TrainError> {
    let directory = RunDirectory::resume(path)?;
    let mut config = directory.config().clone();
    config.training.steps = limits.steps.or(config.training.steps);
    config.training.epochs = limits.epochs.or(config.training.epochs);
    config.validate()?;
    let device = options.device.open()?.autodiff();
    let data = RunData::open(&config.data, &config.model)?;
    let split: Split = directory.split()?;
    directory.check_fingerprint(&data.dataset().fingerprint())?;
    split.check(data.dataset())?;
    let checkpoints = CheckpointStore::open(directory.checkpoints())?;
    let (files, _) = checkpoints.verified(Which::Last)?;
    let (trainer, state) = load_state(&files, &config, &device)?;
    let batches = data.batches(&split, &config.training, state.position)?;
    // Steps after the checkpoint are done again.
    MetricsLog::truncate_after(&directory.metrics(), state.step)?;
    let session = Session {
        trainer,
        noise: HostGenerator::from_state(&state.generator),
        early_stopping: EarlyStopping::resume(config.training.patience, state.early_stopping),
        step: state.step,
        seconds_before: state.seconds,
        saved_step: Some(state.step),
        validated: None,
        log: MetricsLog::open(&directory.metrics())?,
        config,
        checkpoints,
        device,
        data,
        split,
        batches,
        directory,
        display: options.display,
        stop: options.stop,
        began: Instant::now(),
    };
    session.run()
}

struct Session {
    config: RunConfig,
    device: Device,
    data: RunData,
    split: Split,
    batches: BatchStream,
    trainer: Trainer,
    noise: HostGenerator,
    early_stopping: EarlyStopping,
    /// Main steps done.
    step: u64,
    /// Seconds of training of the sessions before this one.
    seconds_before: f64,
    began: Instant,
    /// The step of the newest checkpoint.
    saved_step: Option<u64>,
    /// The newest validation with its step.
    validated: Option<(u64, Losses<f64>)>,
    checkpoints: CheckpointStore,
    log: MetricsLog,
    directory: RunDirectory,
    display: Box<dyn ProgressDisplay>,
    stop: StopFlag,
}

impl Session {
    fn run(mut self) -> Result<RunSummary, TrainError> {
        let total_steps = self.total_steps();
        self.display.start(&RunOutline {
            first_step: self.step,
            total_steps,
            steps_per_epoch: self.batches.batches_per_epoch(),
        });
        self.began = Instant::now();
        let first_step = self.step;
        let mut last_losses = None;
        let reason = loop {
            if total_steps.is_some_and(|total| self.step >= total) {
                break StopReason::Finished;
            }
            if self.stop.is_requested() || self.display.stop_requested() {
                break StopReason::Interrupted;
            }
            let (trained, losses) = self.train_step()?;
            self = trained;
            let validates = self.validates_now();
            let saves = validates || self.saves_now();
            let ends = total_steps == Some(self.step);
            if ends || saves || self.step.is_multiple_of(self.config.training.log_every) {
                let losses = losses.read();
                self.report_step(&losses, first_step, total_steps)?;
                last_losses = Some(losses);
            }
            if validates {
                if self.validate()? {
                    break StopReason::Converged;
                }
            } else if saves {
                self.save(KeepAs::Last)?;
            }
        };
        self.finish(reason, last_losses)
    }

    fn train_step(mut self) -> Result<(Self, Losses<burn::tensor::Tensor<1>>), TrainError> {
        let batch = self.batches.next_batch()?;
        let images = upload(batch.images, batch.shape, &self.device);
        let losses;
        (self.trainer, losses) = self.trainer.step(images, &mut self.noise);
        self.step += 1;
        Ok((self, losses))
    }

    /// Checks, logs and shows the losses of the step just done.
    fn report_step(
        &mut self,
        losses: &Losses<f64>,
        first_step: u64,
        total_steps: Option<u64>,
    ) -> Result<(), TrainError> {
        let named = named_values(losses);
        check_finite(self.step, terms_first(&named))?;
        let elapsed = self.began.elapsed().as_secs_f64();
        let done = (self.step - first_step) as f64;
        let images_per_second = done * self.config.training.batch_size as f64 / elapsed;
        let remaining = total_steps.map(|total| {
            Duration::from_secs_f64(total.saturating_sub(self.step) as f64 * elapsed / done)
        });
        self.record(Phase::Train, images_per_second, &named)?;
        let epoch = self.epoch();
        self.display.step(&StepProgress {
            step: self.step,
            epoch,
            losses: &named,
            images_per_second,
            remaining,
        });
        Ok(())
    }

    /// Validates, draws the pictures and saves; says whether the patience is used up.
    fn validate(&mut self) -> Result<bool, TrainError> {
        let Some(losses) = self.validation_losses()? else {
            self.save(KeepAs::Last)?;
            return Ok(false);
        };
        let named = named_values(&losses);
        check_finite(self.step, terms_first(&named))?;
        let verdict = self.early_stopping.update(self.step, losses.total);
        self.record(Phase::Validation, 0.0, &named)?;
        let epoch = self.epoch();
        self.display.validation(&ValidationProgress {
            step: self.step,
            epoch,
            losses: &named,
            improved: verdict.improved,
        });
        self.save(match verdict.improved {
            true => KeepAs::LastAndBest {
                validation_loss: losses.total,
            },
            false => KeepAs::Last,
        })?;
        self.draw_pictures()?;
        self.validated = Some((self.step, losses));
        Ok(verdict.stop)
    }

    fn validation_losses(&self) -> Result<Option<Losses<f64>>, TrainError> {
        let device = self.device.clone().without_autodiff();
        Ok(validation_losses(
            &self.trainer.objective,
            &self.trainer.model.valid(),
            &self.data,
            &self.split.validation,
            self.config.training.batch_size,
            generator(&self.config, Stream::Validation),
            &device,
        )?)
    }

    fn save(&mut self, keep: KeepAs) -> Result<(), TrainError> {
        if !parameters_are_finite(&self.trainer.model) {
            return Err(TrainError::BrokenParameters { step: self.step });
        }
        let state = TrainingState {
            step: self.step,
            position: self.batches.position(),
            generator: self.noise.state(),
            early_stopping: self.early_stopping.state(),
            seconds: self.seconds(),
        };
        let trainer = &self.trainer;
        self.log.sync()?;
        self.checkpoints
            .save(self.step, keep, |files| save_state(files, trainer, &state))?;
        self.saved_step = Some(self.step);
        Ok(())
    }

    fn finish(
        mut self,
        reason: StopReason,
        training: Option<Losses<f64>>,
    ) -> Result<RunSummary, TrainError> {
        let seconds = self.seconds();
        if self.saved_step != Some(self.step) {
            match reason {
                // An interruption is no validation: the patience of an interrupted run counts on
                // as that of an uninterrupted one.
                StopReason::Interrupted => self.save(KeepAs::Last)?,
                StopReason::Finished | StopReason::Converged => {
                    self.validate()?;
                }
            }
        }
        let validation = match self.validated.take() {
            Some((step, losses)) if step == self.step => Some(losses),
            _ => {
                self.draw_pictures()?;
                self.validation_losses()?
            }
        };
        draw_losses(
            &MetricsLog::read(&self.directory.metrics())?,
            &self.directory.losses(),
        )?;
        let device = self.device.clone().without_autodiff();
        let model = self.trainer.model.valid();
        let test_psnr = reconstruction_psnr(&model, &self.data, &self.split.test, &device)?;
        let step = self.step;
        self.display.finish(&match reason {
            StopReason::Finished => format!("finished after step {step}"),
            StopReason::Converged => {
                format!("converged: no better validation loss for a while, after step {step}")
            }
            StopReason::Interrupted => format!("interrupted and saved after step {step}"),
        });
        Ok(RunSummary {
            directory: self.directory.path().to_owned(),
            reason,
            step,
            seconds,
            test_psnr,
            training,
            validation,
        })
    }

    /// Reconstructions, samples and a traversal with the present parameters; the noise and the
    /// images are the same every time, so pictures of different steps compare.
    fn draw_pictures(&self) -> Result<(), TrainError> {
        let model = self.trainer.model.valid();
        let device = self.device.clone().without_autodiff();
        let held_out = match (&self.split.test[..], &self.split.validation[..]) {
            ([], []) => &self.split.train,
            ([], validation) => validation,
            (test, _) => test,
        };
        let indices = &held_out[..held_out.len().min(PICTURED)];
        let images = self.data.images(indices, &device)?;
        let mut noise = generator(&self.config, Stream::Pictures);
        let noise: &mut dyn NoiseSource = &mut noise;
        draw_reconstructions(&model, images.clone(), &self.directory.reconstructions())?;
        draw_samples(&model, PICTURED, noise, &self.directory.samples())?;
        let traversal = Traversal::default();
        let start = model.encode(images.narrow(0, 0, 1)).mean;
        draw_traversal(
            &model,
            start,
            &traversal,
            noise,
            &self.directory.traversal(),
        )?;
        Ok(())
    }

    fn record(
        &mut self,
        phase: Phase,
        images_per_second: f64,
        named: &[(&str, f64)],
    ) -> Result<(), TrainError> {
        let record = MetricsRecord {
            step: self.step,
            epoch: self.epoch(),
            phase,
            seconds: self.seconds(),
            images_per_second,
            losses: named
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        };
        Ok(self.log.append(&record)?)
    }

    fn total_steps(&self) -> Option<u64> {
        let training = &self.config.training;
        let of_epochs = training
            .epochs
            .map(|epochs| epochs.saturating_mul(self.batches.batches_per_epoch()));
        match (training.steps, of_epochs) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn validates_now(&self) -> bool {
        let every = self.config.training.validate_every;
        self.step
            .is_multiple_of(every.unwrap_or(self.batches.batches_per_epoch()))
    }

    fn saves_now(&self) -> bool {
        let every = self.config.training.checkpoint_every;
        every.is_some_and(|every| self.step.is_multiple_of(every))
    }

    /// Pass over the training data that the last step belongs to, from 1.
    fn epoch(&self) -> u64 {
        self.step.saturating_sub(1) / self.batches.batches_per_epoch() + 1
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }
}

/// The total behind its terms, so that an error names the term that broke.
fn terms_first<'a>(named: &'a [(&'a str, f64)]) -> impl Iterator<Item = (&'a str, f64)> {
    named.iter().skip(1).chain(named.first()).copied()
}

fn named_values(losses: &Losses<f64>) -> Vec<(&'static str, f64)> {
    losses
        .named()
        .into_iter()
        .map(|(name, value)| (name, *value))
        .collect()
}

impl std::fmt::Display for RunSummary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let directory = self.directory.display();
        let reason = match self.reason {
            StopReason::Finished => "finished",
            StopReason::Converged => "converged",
            StopReason::Interrupted => "interrupted",
        };
        writeln!(
            formatter,
            "{reason} after {} steps in {:.0} s",
            self.step, self.seconds
        )?;
        if let Some(psnr) = self.test_psnr {
            writeln!(
                formatter,
                "reconstruction of held-out images: PSNR {psnr:.2} dB"
            )?;
        }
        if let Some(validation) = &self.validation {
            writeln!(
                formatter,
                "{:22} {:>12} {:>12}",
                "loss", "last step", "validation"
            )?;
            let training = self
                .training
                .as_ref()
                .map(Losses::named)
                .unwrap_or_default();
            for (name, value) in validation.named() {
                let last = training.iter().find(|(other, _)| *other == name);
                let last = last.map_or("-".to_owned(), |(_, value)| format!("{value:.4}"));
                writeln!(formatter, "{name:22} {last:>12} {value:>12.4}")?;
            }
        }
        writeln!(formatter, "everything is in {directory}:")?;
        for (file, what) in [
            (
                "reconstructions.png",
                "held-out images above their reconstructions",
            ),
            ("samples.png", "decoded draws from the prior"),
            ("traversal.png", "one latent dimension per row"),
            ("losses.png", "every loss over the steps"),
            ("metrics.jsonl", "the same as numbers"),
            ("config.toml", "the resolved configuration"),
            ("checkpoints/", "the last and the best checkpoint"),
        ] {
            writeln!(formatter, "  {file:20} {what}")?;
        }
        write!(formatter, "go on: --resume {directory} with more --steps")
    }
}
