//! `gwae data show`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::DataConfig;
use gwae_train::data::{open_dataset, transform};
use gwae_train::progress::PreparationBar;
use gwae_train::report::Images;

use crate::arguments::Show;
use crate::contact_sheet::{Choice, choose, choose_varying};
use crate::terminal::{png_path, print};

/// Side of rendered images unless the command line says otherwise.
const RENDERED: usize = 96;

/// Largest side of other images unless the command line says otherwise.
const LARGEST: usize = 128;

/// Images, and rows of a varied factor, unless the command line says otherwise.
const IMAGES: u32 = 24;
const ROWS: u32 = 4;

pub(super) fn run(arguments: &Show) -> Result<ExitCode, Box<dyn Error>> {
    png_path(&arguments.out)?;
    let config = DataConfig::of(arguments.name, arguments.data.clone());
    config.validate()?;
    let given = arguments.size.map(|size| size as usize);
    let mut bar = PreparationBar::new();
    let dataset = open_dataset(&config, given.unwrap_or(RENDERED), &mut |preparation| {
        bar.update(&preparation);
    })?;
    let dataset = dataset.as_ref();
    let seed = arguments.seed;
    let Choice { sheet, items } = match &arguments.vary {
        None => choose(dataset, arguments.number.unwrap_or(IMAGES) as usize, seed)?,
        Some(factor) => {
            let rows = arguments.number.unwrap_or(ROWS) as usize;
            choose_varying(dataset, factor, rows, seed)?
        }
    };
    let size = given.unwrap_or_else(|| {
        let image = items.first().map(|item| &item.image);
        let side = image.map_or(RENDERED, |image| image.height.max(image.width));
        config.crop_side().unwrap_or(side).min(LARGEST)
    });
    let colours = items.iter().map(|item| item.image.channels).max();
    let transform = transform(&config, size, colours.unwrap_or(1));
    let mut values = Vec::with_capacity(items.len() * transform.output_len());
    for item in &items {
        values.extend(transform.apply(&item.image)?);
    }
    let shape = [items.len(), transform.channels, size, size];
    sheet.save(Images::new(&values, shape)?, &arguments.out)?;
    print(format!("{}: {}", sheet.title, arguments.out.display()));
    Ok(ExitCode::SUCCESS)
}
