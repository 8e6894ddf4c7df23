//! The pictures of a model: reconstructions, samples of the prior, a latent traversal.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::noise::NoiseSource;
use gwae_models::Gwae;

use crate::metrics_log::{MetricsRecord, Phase};
use crate::report::{
    Curve, Grid, Images, ReportError, save_curves, save_reconstructions, save_traversal,
};

/// Columns of a picture of reconstructions.
const RECONSTRUCTION_COLUMNS: usize = 16;

/// Prior codes from which the range of a traversal is estimated.
const TRAVERSAL_SAMPLES: usize = 512;

/// Losses that the loss-curve picture shows, where the run has them.
const CURVES: [&str; 8] = [
    "total",
    "gw",
    "reconstruction",
    "merged",
    "entropy",
    "critic",
    "gradient_penalty",
    "distance_coefficient",
];

/// Values of images with their shape.
struct Pixels {
    values: Vec<f32>,
    shape: [usize; 4],
}

impl Pixels {
    fn read(images: Tensor<4>) -> Self {
        let shape = images.dims();
        Self {
            values: images.into_data().iter::<f32>().collect(),
            shape,
        }
    }

    fn images(&self) -> Result<Images<'_>, ReportError> {
        Images::new(&self.values, self.shape)
    }
}

/// Draws images above their reconstructions.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_reconstructions(
    model: &Gwae,
    images: Tensor<4>,
    path: &Path,
) -> Result<(), ReportError> {
    let outputs = Pixels::read(model.reconstruct(images.clone()));
    let inputs = Pixels::read(images);
    let columns = RECONSTRUCTION_COLUMNS.min(inputs.shape[0]);
    save_reconstructions(inputs.images()?, outputs.images()?, columns, path)
}

/// Draws `count` decoded draws from the prior.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_samples(
    model: &Gwae,
    count: usize,
    noise: &mut dyn NoiseSource,
    path: &Path,
) -> Result<(), ReportError> {
    // At least two: some priors normalise over the batch.
    let codes = model.sample_prior(count.max(2), noise).narrow(0, 0, count);
    let samples = Pixels::read(model.decode(codes));
    let columns = (count as f64).sqrt().ceil() as usize;
    Grid::new(columns).save(samples.images()?, path)
}

/// What a traversal walks through.
#[derive(Clone, Debug, PartialEq)]
pub struct Traversal {
    /// Latent dimensions, one row each; empty takes those along which the codes of `images` vary
    /// most, at most ten.
    pub dimensions: Vec<usize>,
    /// Columns, at least 2.
    pub columns: usize,
    /// The walk reaches this many standard deviations of the prior to either side of its mean.
    pub range: f64,
}

impl Default for Traversal {
    fn default() -> Self {
        Self {
            dimensions: Vec::new(),
            columns: 11,
            range: 2.0,
        }
    }
}

/// Draws the code of the first of `images` while one dimension at a time runs over the range of
/// the prior.
///
/// # Errors
/// When the picture cannot be written.
///
/// # Panics
/// When a dimension is not below the model's latent dimension, or there are no images.
pub fn draw_traversal(
    model: &Gwae,
    images: Tensor<4>,
    traversal: &Traversal,
    noise: &mut dyn NoiseSource,
    path: &Path,
) -> Result<(), ReportError> {
    let latent = model.latent_dim();
    let device: Device = images.device();
    let codes = rows(model.encode(images).mean, latent);
    let prior = rows(model.sample_prior(TRAVERSAL_SAMPLES, noise), latent);
    let dimensions = match &traversal.dimensions[..] {
        [] => most_varied(&codes, latent),
        chosen => chosen.to_vec(),
    };
    let columns = traversal.columns.max(2);
    let mut walked = Vec::with_capacity(dimensions.len() * columns * latent);
    for &dimension in &dimensions {
        let (mean, deviation) = moments(&prior, dimension);
        for column in 0..columns {
            let along = 2.0 * column as f64 / (columns - 1) as f64 - 1.0;
            let mut code = codes[0].clone();
            code[dimension] = (mean + along * traversal.range * deviation) as f32;
            walked.extend(code);
        }
    }
    let shape = [dimensions.len() * columns, latent];
    let walked = Tensor::from_data(TensorData::new(walked, shape), &device);
    let decoded = Pixels::read(model.decode(walked));
    save_traversal(decoded.images()?, dimensions.len(), columns, path)
}

/// Draws the losses of a log.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_losses(records: &[MetricsRecord], path: &Path) -> Result<(), ReportError> {
    let series = |phase: Phase, name: &str| -> Vec<(u64, f64)> {
        let of_phase = records.iter().filter(|record| record.phase == phase);
        of_phase
            .filter_map(|record| {
                let (_, value) = record.losses.iter().find(|(loss, _)| loss == name)?;
                Some((record.step, *value))
            })
            .collect()
    };
    let drawn: Vec<_> = CURVES
        .iter()
        .map(|name| {
            (
                *name,
                series(Phase::Train, name),
                series(Phase::Validation, name),
            )
        })
        .filter(|(_, train, validation)| !train.is_empty() || !validation.is_empty())
        .collect();
    let curves: Vec<Curve<'_>> = drawn
        .iter()
        .map(|(name, train, validation)| Curve {
            name,
            train,
            validation,
        })
        .collect();
    save_curves("Losses", &curves, path)
}

fn rows(tensor: Tensor<2>, width: usize) -> Vec<Vec<f32>> {
    let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

/// Mean and population standard deviation of one column.
fn moments(rows: &[Vec<f32>], column: usize) -> (f64, f64) {
    let count = rows.len() as f64;
    let mean = rows.iter().map(|row| f64::from(row[column])).sum::<f64>() / count;
    let square = |row: &Vec<f32>| (f64::from(row[column]) - mean).powi(2);
    (mean, (rows.iter().map(square).sum::<f64>() / count).sqrt())
}

/// The dimensions with the largest spread, largest first.
fn most_varied(codes: &[Vec<f32>], latent: usize) -> Vec<usize> {
    let mut dimensions: Vec<(usize, f64)> = (0..latent)
        .map(|dimension| (dimension, moments(codes, dimension).1))
        .collect();
    dimensions.sort_by(|a, b| b.1.total_cmp(&a.1));
    dimensions
        .into_iter()
        .take(10)
        .map(|(dimension, _)| dimension)
        .collect()
}
