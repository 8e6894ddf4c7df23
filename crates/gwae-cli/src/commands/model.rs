//! The model of a command line, its images, and its output paths.

use std::error::Error;
use std::path::PathBuf;

use burn::tensor::Tensor;
use gwae_formats::atomic::FileError;
use gwae_train::TrainedModel;
use gwae_train::progress::PreparationBar;
use gwae_train::run_directory::is_occupied;
use gwae_train::trained_model::RequestedImages;

use crate::arguments::{ImageArguments, ModelArguments};
use crate::terminal::{note, png_path};

/// Loads the model.
pub(super) fn load(arguments: &ModelArguments) -> Result<TrainedModel, Box<dyn Error>> {
    let (run, device) = (&arguments.run, arguments.device.device.open()?);
    Ok(match arguments.checkpoint {
        Some(name) => TrainedModel::load_checkpoint(run, name, &device)?,
        None => TrainedModel::load(run, &device)?,
    })
}

/// The images that the command line names. A bar shows the progress of copies, which are made on
/// first use.
pub(super) fn images(
    trained: &TrainedModel,
    arguments: &ImageArguments,
) -> Result<RequestedImages, Box<dyn Error>> {
    let mut bar = PreparationBar::new();
    let images = trained.images(&arguments.into(), &mut |done| bar.update(&done))?;
    let is_imported = trained.run.record().imported_from.is_some();
    if let (Some(directory), None) = (&arguments.data, arguments.dataset)
        && images.is_new
        && !is_imported
    {
        note(format!(
            "--data {}: these are not the images that the run began with (their fingerprint is another \
             one), so all of them are new to the model",
            directory.display()
        ));
    }
    Ok(images)
}

/// As [`TrainedModel::unseen_images`], with the same bar.
pub(super) fn unseen_images(
    trained: &TrainedModel,
    arguments: &ImageArguments,
    start: usize,
    count: usize,
) -> Result<(Tensor<4>, String), Box<dyn Error>> {
    let images = images(trained, arguments)?;
    Ok(trained.unseen_of(&images, start, count)?)
}

/// `out`, or a new file in the run directory, named after its contents.
pub(super) fn picture(
    trained: &TrainedModel,
    out: &Option<PathBuf>,
    name: &str,
) -> Result<PathBuf, String> {
    match out {
        Some(out) => png_path(out).map(|()| out.clone()),
        None => Ok(trained.free_path(name, ".png")),
    }
}

/// `out`, which must be empty, or a new directory in the run directory, named after its contents.
pub(super) fn new_directory(
    trained: &TrainedModel,
    out: &Option<PathBuf>,
    name: &str,
) -> Result<PathBuf, Box<dyn Error>> {
    let Some(directory) = out.clone() else {
        return Ok(trained.free_path(name, ""));
    };
    if is_occupied(&directory).map_err(FileError::on("read", &directory))? {
        let directory = directory.display();
        return Err(format!("{directory} is not empty: give --out a new directory").into());
    }
    Ok(directory)
}

/// The title of a picture of the model: what it shows, the step and the training data.
pub(super) fn title(trained: &TrainedModel, what: &str) -> String {
    let dataset = trained.run.config().data.dataset;
    format!("{what}, step {}, trained on {dataset}", trained.step)
}
