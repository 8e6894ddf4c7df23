//! `gwae reconstruct`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::report::{Images, save_reconstructions};

use crate::arguments::Reconstruct;
use crate::terminal::print;
use crate::trained_model::TrainedModel;

/// Pairs side by side.
const COLUMNS: usize = 8;

pub(super) fn run(arguments: &Reconstruct) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let wanted = arguments.images as usize;
    let (inputs, what) = trained.test_images(&arguments.source, 0, wanted)?;
    let count = inputs.shape[0];
    let path = trained.picture(&arguments.out, &format!("reconstruct-{count}"))?;
    let outputs = trained.decode(trained.encode(&inputs));
    save_reconstructions(
        Images::new(&inputs.values, inputs.shape)?,
        Images::new(&outputs.values, outputs.shape)?,
        COLUMNS,
        &path,
    )?;
    print(format!(
        "{count} {what} above their reconstructions, {} checkpoint (step {}): {}",
        trained.which,
        trained.step,
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
