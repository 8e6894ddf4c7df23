//! `gwae reconstruct`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::evaluation::psnr_of;
use gwae_train::pictures::draw_reconstructions;

use super::model;
use crate::arguments::Reconstruct;
use crate::terminal::print;

pub(super) fn run(arguments: &Reconstruct) -> Result<ExitCode, Box<dyn Error>> {
    let trained = model::load(&arguments.model)?;
    let wanted = arguments.images as usize;
    let (images, what) = model::unseen_images(&trained, &arguments.source, 0, wanted)?;
    let count = images.dims()[0];
    // The run's own images do not need a name.
    let name = match arguments.source.dataset {
        Some(dataset) => format!("reconstruct-{count}-{dataset}"),
        None => format!("reconstruct-{count}"),
    };
    let path = model::picture(&trained, &arguments.out, &name)?;
    let title = format!("Reconstructions of {count} {what}, step {}", trained.step);
    let psnr = psnr_of(images.clone(), trained.reconstruct(images.clone()));
    draw_reconstructions(trained.autoencoder(), images, &title, &path)?;
    print(format!(
        "{count} {what} above their reconstructions, PSNR {psnr:.2} dB, {trained}: {}",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
