//! `gwae codes`.

use std::error::Error;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::model;
use crate::arguments::Codes;
use crate::terminal::print;

pub(super) fn run(arguments: &Codes) -> Result<ExitCode, Box<dyn Error>> {
    let trained = model::load(&arguments.model)?;
    let images = model::images(&trained, &arguments.source)?;
    let path = match &arguments.out {
        Some(path) => path.clone(),
        None => trained.free_path("codes", ".npz"),
    };
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "encoding {bar:40} {pos}/{len} images, {eta} left",
    )?);
    let limit = arguments.number.map(|number| number as usize);
    let part = arguments.part.into();
    let codes = trained.codes(&images, part, limit, arguments.seed, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    codes.save(&path)?;
    let factors = match codes.factor_names.join(", ") {
        names if names.is_empty() => "no factors".to_owned(),
        names => format!("factors: {names}"),
    };
    print(format!(
        "codes of {} images of {}, {} dimensions, {factors}, {trained}: {}",
        codes.indices.len(),
        images.config.dataset,
        codes.latent_dim,
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
