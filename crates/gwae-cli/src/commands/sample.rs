//! `gwae sample`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::report::{Grid, Images};

use crate::arguments::Sample;
use crate::terminal::print;
use crate::trained_model::TrainedModel;

pub(super) fn run(arguments: &Sample) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let count = arguments.number as usize;
    let name = format!("sample-{count}-seed-{}", arguments.seed);
    let path = trained.picture(&arguments.out, &name)?;
    let images = trained.decode(trained.sample(count, arguments.seed));
    // As square as it gets.
    let columns = (count as f64).sqrt().ceil() as usize;
    let view = Images::new(&images.values, images.shape)?;
    Grid::new(columns).save(view, &path)?;
    print(format!(
        "{count} samples of the {} checkpoint (step {}): {}",
        trained.which,
        trained.step,
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
