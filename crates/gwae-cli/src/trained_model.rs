//! The model of a run, and what pictures of it have in common.

use std::error::Error;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use gwae_datasets::{DatasetError, Split};
use gwae_models::{Autoencoder, BackboneConfig, Model};
use gwae_train::DataConfig;
use gwae_train::atomic::FileError;
use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::data::RunData;
use gwae_train::model_file::{load_model, model_for_use};
use gwae_train::progress::PreparationBar;
use gwae_train::run_directory::{RunDirectory, free_directory, is_occupied};

use crate::arguments::{ImageArguments, ModelArguments};
use crate::terminal::png_path;

/// A model out of a run directory.
pub struct TrainedModel {
    /// The run.
    pub run: RunDirectory,
    /// The model, on `device`, without autodiff; its averaged parameters where the run keeps them.
    pub model: Model,
    /// Where it computes.
    pub device: Device,
    /// Main steps that it was trained for.
    pub step: u64,
    /// Which checkpoint it is.
    pub which: Which,
}

impl TrainedModel {
    /// Opens the run that the arguments name.
    ///
    /// # Errors
    /// In one line: no run, no checkpoint, a damaged one, or a device that is not there.
    pub fn open(arguments: &ModelArguments) -> Result<Self, Box<dyn Error>> {
        let run = RunDirectory::open(&arguments.run)?;
        let store = CheckpointStore::open(run.checkpoints())?;
        let which = match arguments.checkpoint {
            Some(name) => name.into(),
            None if store.entry(Which::Best).is_some() => Which::Best,
            None => Which::Last,
        };
        let (directory, entry) = store.verified(which)?;
        let device = arguments.device.device.open()?;
        let model = load_model(&run.config().model, &model_for_use(&directory), &device)?;
        Ok(Self {
            step: entry.step,
            run,
            model,
            device,
            which,
        })
    }

    /// What every kind of model can do.
    pub fn autoencoder(&self) -> &dyn Autoencoder {
        self.model.autoencoder()
    }

    /// The architecture of encoder and decoder.
    pub fn backbone(&self) -> BackboneConfig {
        self.run.config().model.backbone()
    }

    /// What a picture is of: `best checkpoint (step 500)`.
    pub fn name(&self) -> String {
        format!("{} checkpoint (step {})", self.which, self.step)
    }

    /// `out`, or a file in the run directory that says what it shows, and is not there yet.
    ///
    /// # Errors
    /// For a name that is not that of a PNG file.
    pub fn picture(&self, out: &Option<PathBuf>, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let Some(out) = out else {
            let name = format!("{name}-step-{}", self.step);
            let numbered = (2..).map(|number| format!("{name}-{number}.png"));
            return Ok(std::iter::once(format!("{name}.png"))
                .chain(numbered)
                .map(|name| self.run.path().join(name))
                .find(|path| !path.exists())
                .expect("numbers do not run out"));
        };
        png_path(out)?;
        Ok(out.clone())
    }

    /// `out`, or a directory in the run directory that says what is in it, which is not there yet.
    ///
    /// # Errors
    /// For a directory that has something in it.
    pub fn new_directory(
        &self,
        out: &Option<PathBuf>,
        name: &str,
    ) -> Result<PathBuf, Box<dyn Error>> {
        let Some(directory) = out.clone() else {
            let name = format!("{name}-step-{}", self.step);
            return Ok(free_directory(&self.run.path().join(name)));
        };
        if is_occupied(&directory).map_err(FileError::on("read", &directory))? {
            let directory = directory.display();
            return Err(format!("{directory} is not empty: give --out a new directory").into());
        }
        Ok(directory)
    }

    /// Up to `count` images from the `start`-th on of those that the model was not trained on, of the
    /// run's dataset or of another that the arguments name, as the model takes them. Also says what
    /// they are.
    ///
    /// # Errors
    /// In one line: a dataset that is not there, or one without these images.
    pub fn unseen_images(
        &self,
        arguments: &ImageArguments,
        start: usize,
        count: usize,
    ) -> Result<(Tensor<4>, String), Box<dyn Error>> {
        let images = self.images(arguments)?;
        let unseen = images.unseen()?;
        let what = match (images.split.test.is_empty(), images.is_new) {
            (false, _) => "test images",
            (true, false) => "held-out images",
            (true, true) => "images",
        };
        let what = format!("{what} of {}", images.config.dataset);
        let wanted: Vec<u32> = unseen.iter().copied().skip(start).take(count).collect();
        if wanted.is_empty() {
            return Err(format!(
                "there are {} {what}, so there is no image {start} (they count from 0)",
                unseen.len()
            )
            .into());
        }
        Ok((images.data.images(&wanted, &self.device)?, what))
    }

    /// The images of the run, or of another dataset that the arguments name.
    ///
    /// # Errors
    /// In one line: a dataset that is not there.
    pub fn images(&self, arguments: &ImageArguments) -> Result<Images, Box<dyn Error>> {
        let own = &self.run.config().data;
        let another = arguments.dataset.filter(|name| *name != own.dataset);
        let mut config = match another {
            Some(dataset) => DataConfig::of(dataset, None),
            None => own.clone(),
        };
        if arguments.data.is_some() {
            config.directory = arguments.data.clone();
        }
        config.validate()?;
        let mut bar = PreparationBar::new();
        let data = RunData::open(&config, &self.backbone(), &mut |done| bar.update(&done))?;
        let dataset = data.dataset();
        // An imported model has no split: what it was trained on is not here.
        let imported = self.run.record().imported_from.is_some();
        let own_split: Option<Split> = match another {
            None if !imported => Some(self.run.split()?),
            _ => None,
        };
        let own_split = match own_split.map(|split| (split.check(dataset), split)) {
            Some((Ok(()), split)) => Some(split),
            // The same dataset from elsewhere, such as another folder of images.
            Some((Err(DatasetError::FingerprintMismatch { .. }), _))
                if is_elsewhere(own, &config) =>
            {
                None
            }
            Some((Err(error), _)) => return Err(error.into()),
            None => None,
        };
        let is_new = own_split.is_none();
        let split = own_split.map_or_else(|| Split::official(dataset), Ok)?;
        Ok(Images {
            config,
            data,
            split,
            is_new,
        })
    }
}

/// Whether data of another directory are named.
fn is_elsewhere(own: &DataConfig, given: &DataConfig) -> bool {
    let place = |config: &DataConfig| {
        let directory = config.directory.as_ref()?;
        Some(
            directory
                .canonicalize()
                .unwrap_or_else(|_| directory.clone()),
        )
    };
    place(own) != place(given)
}

/// Images to show to a model.
pub struct Images {
    /// What they are.
    pub config: DataConfig,
    /// The images.
    pub data: RunData,
    /// The division of the run, or where it does not know them the official one.
    pub split: Split,
    /// Whether the run does not know them.
    pub is_new: bool,
}

impl Images {
    /// Those that the model was not trained on, as far as that is known.
    ///
    /// # Errors
    /// One line where the run held none out.
    pub fn unseen(&self) -> Result<&[u32], &'static str> {
        match (&self.split.test[..], self.split.held_out()) {
            ([], _) if self.is_new => Ok(&self.split.train),
            (_, []) => Err("the run held no images out: name a dataset with --dataset"),
            (_, held_out) => Ok(held_out),
        }
    }
}
