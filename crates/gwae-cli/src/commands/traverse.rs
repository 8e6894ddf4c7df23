//! `gwae traverse`.

use std::error::Error;
use std::process::ExitCode;

use burn::tensor::{Tensor, TensorData};
use gwae_train::report::{Images, save_traversal};

use crate::arguments::Traverse;
use crate::terminal::print;
use crate::trained_model::TrainedModel;

/// Draws that the prior's mean and standard deviation are taken from.
const DRAWS: usize = 1024;

/// Rows where none are asked for.
const ROWS: usize = 10;

pub(super) fn run(arguments: &Traverse) -> Result<ExitCode, Box<dyn Error>> {
    let trained = TrainedModel::open(&arguments.model)?;
    let latent = trained.config().latent_dim;
    if let Some(wrong) = arguments
        .dimensions
        .iter()
        .flat_map(|dimensions| &dimensions.0)
        .find(|dimension| **dimension >= latent)
    {
        return Err(format!(
            "--dimensions {wrong}: this model has {latent} latent dimensions, 0 to {}",
            latent - 1
        )
        .into());
    }
    let (start, origin) = match arguments.image {
        Some(index) => {
            let (image, what) = trained.test_images(&arguments.source, index as usize, 1)?;
            let origin = format!("image {index} of the {what}");
            (trained.encode(&image), origin)
        }
        None => {
            let origin = format!("a draw of the prior (seed {})", arguments.seed);
            (trained.sample(1, arguments.seed), origin)
        }
    };
    let start: Vec<f32> = start.into_data().iter::<f32>().collect();
    let intervals = intervals(&trained, arguments.range);
    let dimensions = match &arguments.dimensions {
        Some(dimensions) => dimensions.0.clone(),
        None => most_influential(&trained, &start, &intervals),
    };
    let name = match arguments.image {
        Some(index) => format!("traverse-image-{index}"),
        None => format!("traverse-seed-{}", arguments.seed),
    };
    let path = trained.picture(&arguments.out, &name)?;

    let columns = arguments.columns as usize;
    let mut codes = Vec::new();
    for &dimension in &dimensions {
        let (least, most) = intervals[dimension];
        for column in 0..columns {
            let place = column as f32 / (columns - 1) as f32;
            codes.push(with(&start, dimension, least + (most - least) * place));
        }
    }
    let images = trained.decode(tensor(&trained, codes));
    let view = Images::new(&images.values, images.shape)?;
    save_traversal(view, dimensions.len(), columns, &path)?;
    let names: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
    print(format!(
        "traversal from {origin}, {} checkpoint (step {}); rows are dimensions {}: {}",
        trained.which,
        trained.step,
        names.join(", "),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Mean ± `range` standard deviations of every entry of the prior.
fn intervals(trained: &TrainedModel, range: f64) -> Vec<(f32, f32)> {
    let codes = trained.sample(DRAWS, 0);
    let mean: Vec<f64> = codes.clone().mean_dim(0).into_data().iter().collect();
    let variance: Vec<f64> = codes.var(0).into_data().iter().collect();
    let interval = |(mean, variance): (f64, f64)| {
        let reach = range * variance.sqrt();
        ((mean - reach) as f32, (mean + reach) as f32)
    };
    mean.into_iter().zip(variance).map(interval).collect()
}

/// The dimensions whose ends look most different (mean absolute pixel difference), in that order.
fn most_influential(trained: &TrainedModel, start: &[f32], intervals: &[(f32, f32)]) -> Vec<usize> {
    let ends = |(dimension, (least, most)): (usize, &(f32, f32))| {
        [*least, *most].map(|value| with(start, dimension, value))
    };
    let codes: Vec<Vec<f32>> = intervals.iter().enumerate().flat_map(ends).collect();
    let images = trained.decode(tensor(trained, codes));
    let size: usize = images.shape[1..].iter().product();
    let changes = images.values.chunks(2 * size).map(|ends| {
        let (least, most) = ends.split_at(size);
        let differences = least
            .iter()
            .zip(most)
            .map(|(a, b)| f64::from((a - b).abs()));
        differences.sum::<f64>()
    });
    let mut ranking: Vec<(usize, f64)> = changes.enumerate().collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranking.truncate(ROWS);
    ranking
        .into_iter()
        .map(|(dimension, _)| dimension)
        .collect()
}

fn with(start: &[f32], dimension: usize, value: f32) -> Vec<f32> {
    let mut code = start.to_vec();
    code[dimension] = value;
    code
}

fn tensor(trained: &TrainedModel, codes: Vec<Vec<f32>>) -> Tensor<2> {
    let shape = [codes.len(), trained.config().latent_dim];
    Tensor::from_data(TensorData::new(codes.concat(), shape), &trained.device)
}
