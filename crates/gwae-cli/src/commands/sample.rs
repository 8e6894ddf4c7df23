//! `gwae sample`.

use std::error::Error;
use std::process::ExitCode;

use gwae_core::random::SeededGenerator;
use gwae_train::pictures::draw_samples;

use crate::arguments::Sample;
use crate::terminal::print;
use crate::trained_model::TrainedModel;

pub(super) fn run(arguments: &Sample) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let count = arguments.number as usize;
    let name = format!("sample-{count}-seed-{}", arguments.seed);
    let path = trained.picture(&arguments.out, &name)?;
    let mut noise = SeededGenerator::new(arguments.seed, 0);
    draw_samples(trained.autoencoder(), count, &mut noise, &path)?;
    print(format!(
        "{count} samples, {}: {}",
        trained.name(),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
