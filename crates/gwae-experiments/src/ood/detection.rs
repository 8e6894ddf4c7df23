//! Tests a trained model on images of other kinds.

use std::path::{Path, PathBuf};

use gwae_datasets::DatasetError;
use gwae_datasets::config::DataConfig;
use gwae_datasets::open::Preparation;
use gwae_formats::atomic::FileError;
use gwae_metrics::BootstrapConfig;
use gwae_train::data::RunData;
use gwae_train::trained_model::{ImageRequest, RequestedImages, TrainedModel};

use super::comparison::{
    Comparison, REFERENCE, TestSet, built_in_sets, make_names_unique, random_indices,
};
use super::error::OodError;
use super::report::{ModelScores, write_report};
use super::scoring::score_images;

/// The images to test a trained model on.
#[derive(Clone, Debug)]
pub struct DetectionTest {
    /// Images like the training images; `None` for those that the run held out.
    pub in_distribution: Option<DataConfig>,
    /// Images of other kinds; if empty, [`built_in_sets`].
    pub out_of_distribution: Vec<DataConfig>,
    /// Where the images of the run are now; `None` for the place in its configuration.
    pub data: Option<PathBuf>,
    /// Most images of each set.
    pub images: usize,
    /// Seed of the choice of images.
    pub seed: u64,
}

/// How well a trained model separates images of other kinds from images like its training images.
#[derive(Clone, Debug)]
pub struct Detection {
    /// All scores of all images.
    pub scores: ModelScores,
    /// Every score on every set.
    pub comparisons: Vec<Comparison>,
    /// Description of the in-distribution images.
    pub in_distribution: String,
    /// Why two-sided scores are missing, if they are.
    pub no_two_sided: Option<String>,
}

impl DetectionTest {
    /// Scores the images with every score of `trained`. `progress` reports copies of datasets,
    /// which are made on first use.
    ///
    /// # Errors
    /// When images are missing or cannot be read, or a score is NaN.
    pub fn run(
        &self,
        trained: &TrainedModel,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Detection, OodError> {
        let (model, device) = (trained.autoencoder(), &trained.device);
        let config = trained.run.config();
        let own = own_images(trained, self.data.as_deref(), progress);
        if let (Some(directory), Err(reason)) = (&self.data, &own) {
            return Err(OodError::OtherImages {
                directory: directory.clone(),
                reason: reason.clone(),
            });
        }
        // Before the other sets: the run's own images with shuffled patches may be among them.
        if let (None, Err(reason)) = (&self.in_distribution, &own) {
            return Err(OodError::NoOwnImages(reason.clone()));
        }
        let mut own_data = config.data.clone();
        if self.data.is_some() {
            own_data.directory = self.data.clone();
        }
        let shape = trained.image_shape();
        let mut open =
            |data: &DataConfig| TestSet::open(data, shape, self.images, self.seed, progress);
        let sets = self.sets(&own_data);
        let mut sets = sets.iter().map(&mut open).collect::<Result<Vec<_>, _>>()?;
        make_names_unique(&mut sets);
        let score = |data: &RunData, part: &[u32], count: usize| {
            score_images(model, data, &random_indices(part, count, self.seed), device)
        };
        let (in_distribution, inside) = match (&self.in_distribution, &own) {
            (Some(given), _) => {
                let set = open(given)?;
                let table = set.score(model, device)?;
                (set.name, table)
            }
            (None, Ok(own)) => match own.split.held_out() {
                [] => return Err(OodError::NoneHeldOut),
                held_out => {
                    let table = score(&own.data, held_out, self.images)?;
                    (config.data.to_string(), table)
                }
            },
            (None, Err(reason)) => return Err(OodError::NoOwnImages(reason.clone())),
        };
        let outside = sets.iter();
        let outside = outside.map(|set| Ok((set.name.clone(), set.score(model, device)?)));
        let scores = ModelScores {
            model: config.model.kind().to_string(),
            inside,
            outside: outside.collect::<Result<_, DatasetError>>()?,
        };
        let (scores, no_two_sided) = match own {
            Ok(own) => {
                let reference = score(&own.data, &own.split.train, REFERENCE)?;
                (scores.with_two_sided(&reference)?, None)
            }
            Err(reason) => (scores, Some(reason)),
        };
        Ok(Detection {
            comparisons: scores.compare(&BootstrapConfig::default())?,
            scores,
            in_distribution,
            no_two_sided,
        })
    }

    /// The out-of-distribution images for a model trained on `own`.
    fn sets(&self, own: &DataConfig) -> Vec<DataConfig> {
        if !self.out_of_distribution.is_empty() {
            return self.out_of_distribution.clone();
        }
        let mut sets = built_in_sets(self.in_distribution.as_ref().unwrap_or(own));
        sets.retain(|set| set.dataset != own.dataset || set.patch_shuffle.is_some());
        sets
    }
}

/// The images of the run with their division, or the reason why they are missing.
fn own_images(
    trained: &TrainedModel,
    directory: Option<&Path>,
    progress: &mut dyn FnMut(Preparation),
) -> Result<RequestedImages, String> {
    if trained.run.record().imported_from.is_some() {
        return Err("the model was imported, so what it was trained on is not here".into());
    }
    let request = ImageRequest {
        dataset: None,
        directory: directory.map(Path::to_owned),
    };
    let images = trained.images(&request, progress);
    let images = images.map_err(|error| format!("the images of the run are not here ({error})"))?;
    if images.is_new {
        return Err("their fingerprint is not that of the images that the run began with".into());
    }
    Ok(images)
}

impl Detection {
    /// Writes the report of [`write_report`] with all curves into `directory`, and every score into
    /// `scores/` there (see [`ModelScores::write_arrays`]). Creates `directory` if necessary.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), OodError> {
        std::fs::create_dir_all(directory).map_err(FileError::on("create", directory))?;
        self.scores.write_arrays(&directory.join("scores"))?;
        let models = std::slice::from_ref(&self.scores);
        write_report(models, &self.comparisons, &|_, _| true, directory)
    }
}
