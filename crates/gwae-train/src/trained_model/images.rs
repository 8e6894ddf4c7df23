//! Images to show to a trained model.

use std::path::PathBuf;

use gwae_datasets::config::{DataConfig, DataConfigError, DatasetName};
use gwae_datasets::open::Preparation;
use gwae_datasets::{DatasetError, Split, SplitError};
use gwae_formats::home::with_home;

use crate::data::RunData;
use crate::run_directory::{RunDirectory, RunDirectoryError};

/// The images to show to a model; by default those of its run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageRequest {
    /// The dataset; `None` for the run's own.
    pub dataset: Option<DatasetName>,
    /// The directory of its files; `None` for the directory that the run used, if the dataset
    /// is the run's own.
    pub directory: Option<PathBuf>,
}

/// Images that cannot be shown to a model.
#[derive(Debug, thiserror::Error)]
pub enum ImageRequestError {
    /// The request names a dataset whose files are missing.
    #[error(transparent)]
    Config(#[from] DataConfigError),
    /// The dataset cannot be read, or the run's division does not belong to it.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The run's division of its dataset cannot be read.
    #[error(transparent)]
    Run(#[from] RunDirectoryError),
    /// The model was trained on all images.
    #[error("the run held no images out: name another dataset")]
    NoneHeldOut,
    /// An index beyond the last image.
    #[error("there are {count} {what}, so there is no image {index} (they count from 0)")]
    NoSuchImage {
        /// The index.
        index: usize,
        /// The number of images.
        count: usize,
        /// Their description, such as `test images of digits`.
        what: String,
    },
}

/// Images to show to a model.
pub struct RequestedImages {
    /// The configuration of the data.
    pub config: DataConfig,
    /// The images.
    pub data: RunData,
    /// The division of the run; the official one for a dataset that the run did not use.
    pub split: Split,
    /// Whether the dataset is new to the run.
    pub is_new: bool,
}

impl RequestedImages {
    /// Opens the images of `request`, prepared for the model of `run`.
    pub(super) fn open(
        run: &RunDirectory,
        request: &ImageRequest,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Self, ImageRequestError> {
        let own = &run.config().data;
        let another = request.dataset.filter(|name| *name != own.dataset);
        let mut config = match another {
            Some(dataset) => DataConfig::of(dataset, None),
            None => own.clone(),
        };
        if let Some(directory) = &request.directory {
            config.directory = Some(with_home(directory));
        }
        match config.validate() {
            Err(error) if another.is_none() && request.directory.is_none() => {
                return Err(run.explain_missing_data(error).into());
            }
            checked => checked?,
        }
        let shape = run.config().model.image_shape();
        // The training data of an imported model are unknown.
        let imported = run.record().imported_from.is_some();
        let own_split: Option<Split> = match another.is_none() && !imported {
            true => Some(run.split()?),
            false => None,
        };
        let mut split = None;
        let data = RunData::open_if(&config, shape, progress, |dataset| {
            let Some(own_split) = own_split else {
                return Ok(());
            };
            match own_split.check(dataset) {
                // The same dataset from another place, such as another folder of images.
                Err(DatasetError::Split(SplitError::FingerprintMismatch { .. }))
                    if is_elsewhere(own, &config) => {}
                checked => split = checked.map(|()| Some(own_split))?,
            }
            Ok::<_, ImageRequestError>(())
        })?;
        let is_new = split.is_none();
        let split = split.map_or_else(|| Split::official(data.dataset()), Ok)?;
        Ok(Self {
            config,
            data,
            split,
            is_new,
        })
    }

    /// Describes the unseen images, such as `test images of digits`.
    pub fn description(&self) -> String {
        let what = match (self.split.test.is_empty(), self.is_new) {
            (false, _) => "test images",
            (true, false) => "held-out images",
            (true, true) => "images",
        };
        format!("{what} of {}", self.config.dataset)
    }

    /// The images that the model was not trained on, if that is known.
    ///
    /// # Errors
    /// When the run held out no images.
    pub fn unseen(&self) -> Result<&[u32], ImageRequestError> {
        match (&self.split.test[..], self.split.held_out()) {
            ([], _) if self.is_new => Ok(&self.split.train),
            (_, []) => Err(ImageRequestError::NoneHeldOut),
            (_, held_out) => Ok(held_out),
        }
    }
}

/// Whether `given` names data in another place than `own`.
fn is_elsewhere(own: &DataConfig, given: &DataConfig) -> bool {
    let place = |config: &DataConfig| {
        let directory = config.directory.as_ref()?;
        let whole = directory.canonicalize();
        Some(whole.unwrap_or_else(|_| directory.clone()))
    };
    place(own) != place(given)
}
