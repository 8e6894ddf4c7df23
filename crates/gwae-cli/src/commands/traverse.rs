//! `gwae traverse`.

use std::error::Error;
use std::process::ExitCode;

use gwae_core::random::SeededGenerator;
use gwae_train::pictures::{Traversal, TraversalStart, draw_traversal};

use super::model;
use crate::arguments::Traverse;
use crate::terminal::print;

pub(super) fn run(arguments: &Traverse) -> Result<ExitCode, Box<dyn Error>> {
    let trained = model::load(&arguments.model)?;
    let chosen = arguments.dimensions.as_ref();
    let dimensions = chosen.map_or(Vec::new(), |dimensions| dimensions.0.clone());
    let latent = trained.autoencoder().latent_dim();
    if let Some(wrong) = dimensions.iter().find(|dimension| **dimension >= latent) {
        let last = latent - 1;
        return Err(format!(
            "--dimensions {wrong}: this model has {latent} latent dimensions, 0 to {last}"
        )
        .into());
    }
    let mut noise = SeededGenerator::new(arguments.seed, 0);
    let (start, origin, name) = match arguments.image {
        Some(index) => {
            let (image, what) =
                model::unseen_images(&trained, &arguments.source, index as usize, 1)?;
            let start = TraversalStart {
                code: trained.encode(image.clone()),
                original: Some(image),
            };
            let origin = format!("image {index} of the {what}");
            (start, origin, format!("traverse-image-{index}"))
        }
        None => {
            let start = TraversalStart {
                code: trained.sample_codes(1, &mut noise),
                original: None,
            };
            let seed = arguments.seed;
            let origin = format!("a draw of the prior (seed {seed})");
            (start, origin, format!("traverse-seed-{seed}"))
        }
    };
    let path = model::picture(&trained, &arguments.out, &name)?;
    let traversal = Traversal {
        dimensions,
        columns: arguments.columns as usize,
        range: arguments.range,
    };
    let title = format!("Latent traversal from {origin}, step {}", trained.step);
    let rows = draw_traversal(
        trained.autoencoder(),
        &start,
        &traversal,
        &mut noise,
        &title,
        &path,
    )?;
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    print(format!(
        "traversal from {origin}, {trained}; rows are dimensions {}: {}",
        rows.join(", "),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
