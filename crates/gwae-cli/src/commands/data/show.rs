//! `gwae data show`.

use std::error::Error;
use std::process::ExitCode;

use gwae_datasets::ImageShape;
use gwae_datasets::config::DataConfig;
use gwae_datasets::open::{open_dataset, transform};
use gwae_train::contact_sheet::ContactSheet;
use gwae_train::progress::PreparationBar;

use crate::arguments::Show;
use crate::commands::factor;
use crate::terminal::{note, png_path, print};

/// Default side of rendered images.
const RENDERED: usize = 96;

/// Default limit of the side of other images.
const LARGEST: usize = 128;

/// Default number of images, and of rows of a varied factor.
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
    dataset.notes().into_iter().for_each(note);
    let seed = arguments.seed;
    let sheet = match &arguments.vary {
        None => {
            let number = arguments.number.unwrap_or(IMAGES) as usize;
            ContactSheet::of_random_items(dataset, number, seed)?
        }
        Some(name) => {
            let factor = factor::place(dataset, "--vary", name)?;
            let rows = arguments.number.unwrap_or(ROWS) as usize;
            ContactSheet::of_factor(dataset, factor, rows, seed)?
        }
    };
    let items = &sheet.items;
    let size = given.unwrap_or_else(|| {
        let image = items.first().map(|item| &item.image);
        let side = image.map_or(RENDERED, |image| image.height.max(image.width));
        config.crop_side().unwrap_or(side).min(LARGEST)
    });
    let colours = items.iter().map(|item| item.image.channels).max();
    let transform = transform(&config, ImageShape::square(size, colours.unwrap_or(1)));
    sheet.save(&transform, &arguments.out)?;
    let title = &sheet.sheet.title;
    print(format!("{title}: {}", arguments.out.display()));
    Ok(ExitCode::SUCCESS)
}
