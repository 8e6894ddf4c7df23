//! The model of a run, and what pictures of it have in common.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::noise::HostGenerator;
use gwae_datasets::{
    Dataset, ImageSource, LoadedImages, Mnist, MnistFamily, Split, Transform, embedded_digits,
};
use gwae_models::{Gwae, GwaeConfig};
use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::model_file::{MODEL_FILE, load_model};
use gwae_train::run_directory::RunDirectory;
use gwae_train::{DataConfig, DatasetName};

use crate::arguments::{ImageArguments, ModelArguments};

/// Codes that are decoded at once.
const BATCH: usize = 64;

/// A model out of a run directory.
pub struct TrainedModel {
    /// The run.
    pub run: RunDirectory,
    /// The model, on `device`, without autodiff.
    pub model: Gwae,
    /// Where it computes.
    pub device: Device,
    /// Main steps that it was trained for.
    pub step: u64,
    /// Which checkpoint it is.
    pub which: Which,
}

/// Images on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostImages {
    /// Row-major values in `[0, 1]`.
    pub values: Vec<f32>,
    /// `[N, C, H, W]`.
    pub shape: [usize; 4],
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
        let model = load_model(&run.config().model, &directory.join(MODEL_FILE), &device)?.valid();
        Ok(Self {
            step: entry.step,
            run,
            model,
            device,
            which,
        })
    }

    /// The architecture.
    pub fn config(&self) -> &GwaeConfig {
        &self.run.config().model
    }

    /// `out`, or a file in the run directory that says what it shows.
    ///
    /// # Errors
    /// For a name that is not that of a PNG file.
    pub fn picture(&self, out: &Option<PathBuf>, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let Some(out) = out else {
            let name = format!("{name}-step-{}.png", self.step);
            return Ok(self.run.path().join(name));
        };
        let extension = out.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
            return Ok(out.clone());
        }
        Err(format!(
            "--out {}: pictures are PNG files, so end the name in .png",
            out.display()
        )
        .into())
    }

    /// Decodes codes, some at a time.
    pub fn decode(&self, codes: Tensor<2>) -> HostImages {
        let count = codes.dims()[0];
        let mut values = Vec::new();
        for start in (0..count).step_by(BATCH) {
            let codes = codes.clone().narrow(0, start, BATCH.min(count - start));
            values.extend(self.model.decode(codes).into_data().iter::<f32>());
        }
        let config = self.config();
        HostImages {
            values,
            shape: [count, config.channels, config.image_size, config.image_size],
        }
    }

    /// Draws codes `[count, latent]` from the prior; the same seed draws the same ones.
    pub fn sample(&self, count: usize, seed: u64) -> Tensor<2> {
        let mut noise = HostGenerator::new(seed, 0);
        self.model.sample_prior(count, &mut noise)
    }

    /// The means of the posteriors of `images`, `[N, latent]`.
    pub fn encode(&self, images: &HostImages) -> Tensor<2> {
        let size: usize = images.shape[1..].iter().product();
        let batches = images.values.chunks(BATCH * size).map(|values| {
            let [_, channels, height, width] = images.shape;
            let shape = [values.len() / size, channels, height, width];
            let data = TensorData::new(values.to_vec(), shape);
            self.model
                .encode(Tensor::from_data(data, &self.device))
                .mean
        });
        Tensor::cat(batches.collect(), 0)
    }

    /// Images `start..start + count` of the test part of the run's dataset, or of another that the
    /// arguments name, in the model's format; fewer where there are fewer. Also says what they are.
    ///
    /// # Errors
    /// In one line: a dataset that is not there, or one without these images.
    pub fn test_images(
        &self,
        arguments: &ImageArguments,
        start: usize,
        count: usize,
    ) -> Result<(HostImages, String), Box<dyn Error>> {
        let own = &self.run.config().data;
        let data = DataConfig {
            dataset: arguments.dataset.unwrap_or(own.dataset),
            directory: match (&arguments.data, arguments.dataset) {
                (Some(directory), _) => Some(directory.clone()),
                (None, Some(other)) if other != own.dataset => None,
                (None, _) => own.directory.clone(),
            },
            ..own.clone()
        };
        data.validate()?;
        let dataset = open_dataset(&data)?;
        let test = match &arguments.dataset {
            None if self.run.record().imported_from.is_none() => {
                let split: Split = self.run.split()?;
                split.check(dataset.as_ref())?;
                split.test
            }
            _ => (dataset.train_len() as u32..dataset.len() as u32).collect(),
        };
        let wanted: Vec<u32> = test.iter().copied().skip(start).take(count).collect();
        if wanted.is_empty() {
            return Err(format!(
                "the test part of {} has {} images, so there is no image {start}",
                data.dataset,
                test.len()
            )
            .into());
        }
        let transform = Transform {
            size: self.config().image_size,
            channels: self.config().channels,
        };
        let what = format!("test images of {}", data.dataset);
        let LoadedImages { images, shape } = ImageSource::new(dataset, transform)?.load(&wanted)?;
        Ok((
            HostImages {
                values: images,
                shape,
            },
            what,
        ))
    }
}

fn open_dataset(data: &DataConfig) -> Result<Arc<dyn Dataset>, Box<dyn Error>> {
    let directory = data.directory.as_deref().unwrap_or(Path::new("."));
    Ok(match data.dataset {
        DatasetName::Digits => Arc::new(embedded_digits()?),
        DatasetName::Mnist => Arc::new(Mnist::open(directory, MnistFamily::Digits)?),
        other => return Err(format!("{other} cannot be opened by this program").into()),
    })
}
