//! `gwae reconstruct`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::pictures::draw_reconstructions;

use crate::arguments::Reconstruct;
use crate::terminal::print;
use crate::trained_model::TrainedModel;

pub(super) fn run(arguments: &Reconstruct) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let wanted = arguments.images as usize;
    let (images, what) = trained.unseen_images(&arguments.source, 0, wanted)?;
    let count = images.dims()[0];
    // The run's own images need no name.
    let name = match arguments.source.dataset {
        Some(dataset) => format!("reconstruct-{count}-{dataset}"),
        None => format!("reconstruct-{count}"),
    };
    let path = trained.picture(&arguments.out, &name)?;
    draw_reconstructions(trained.autoencoder(), images, &path)?;
    print(format!(
        "{count} {what} above their reconstructions, {}: {}",
        trained.name(),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
