//! `gwae sample`.

use std::error::Error;
use std::process::ExitCode;

use gwae_core::random::SeededGenerator;
use gwae_train::pictures::draw_samples;

use super::model;
use crate::arguments::Sample;
use crate::terminal::print;

pub(super) fn run(arguments: &Sample) -> Result<ExitCode, Box<dyn Error>> {
    let trained = model::load(&arguments.model)?;
    let count = arguments.number as usize;
    let name = format!("sample-{count}-seed-{}", arguments.seed);
    let path = model::picture(&trained, &arguments.out, &name)?;
    let mut noise = SeededGenerator::new(arguments.seed, 0);
    let title = model::title(&trained, "Samples of the prior");
    draw_samples(trained.autoencoder(), count, &mut noise, &title, &path)?;
    print(format!("{count} samples, {trained}: {}", path.display()));
    Ok(ExitCode::SUCCESS)
}
