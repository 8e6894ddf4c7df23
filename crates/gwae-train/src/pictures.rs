//! The pictures of a model: reconstructions, samples of the prior, a latent traversal.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::random::RandomSource;
use gwae_models::Autoencoder;

use crate::callback::{Callback, CallbackError, End, Flow, Validation};
use crate::metrics_log::{MetricsLog, MetricsRecord, Phase};
use crate::run_directory::METRICS;
use crate::session::stream::{Stream, generator};
use gwae_report::{Curve, Images, ReportError, Sheet, SheetCell, SheetRow, save_curves};

/// Columns of a picture of reconstructions.
const RECONSTRUCTION_COLUMNS: usize = 16;

/// Least side in pixels of an image in a picture.
const VISIBLE_SIDE: usize = 64;

/// Number of prior codes used to estimate the range of a traversal.
const TRAVERSAL_SAMPLES: usize = 512;

/// Default number of rows of a traversal.
const TRAVERSAL_ROWS: usize = 10;

/// Most rows of a picture of components.
const COMPONENT_ROWS: usize = 64;

/// Images computed at a time.
const BATCH: usize = 64;

/// Pixel values of images, with their shape.
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

    /// These images, followed by `others` of the same shape.
    fn and(mut self, others: Self) -> Self {
        self.shape[0] += others.shape[0];
        self.values.extend(others.values);
        self
    }

    fn images(&self) -> Result<Images<'_>, ReportError> {
        Images::new(&self.values, self.shape)
    }
}

/// Draws images, each with its reconstruction below it.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_reconstructions(
    model: &dyn Autoencoder,
    images: Tensor<4>,
    title: &str,
    path: &Path,
) -> Result<(), ReportError> {
    let outputs = reconstruct(model, images.clone());
    let all = Pixels::read(images).and(outputs);
    let count = all.shape[0] / 2;
    let indices: Vec<usize> = (0..count).collect();
    let rows = indices.chunks(RECONSTRUCTION_COLUMNS).flat_map(|indices| {
        [("original", 0), ("reconstruction", count)]
            .map(|(name, first)| row(&[name], indices.iter().map(|index| first + index)))
    });
    sheet(title, Vec::new(), rows.collect()).save(all.images()?, path)
}

/// Draws `count` samples of the prior, decoded.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_samples(
    model: &dyn Autoencoder,
    count: usize,
    noise: &mut dyn RandomSource,
    title: &str,
    path: &Path,
) -> Result<(), ReportError> {
    // At least two: some priors normalise over the batch.
    let codes = model.sample_prior(count.max(2), noise).narrow(0, 0, count);
    draw_codes(model, codes, title, path)
}

/// Draws the image of each code, arranged in a square.
///
/// # Shapes
/// - `codes`: `[images, latent]`
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_codes(
    model: &dyn Autoencoder,
    codes: Tensor<2>,
    title: &str,
    path: &Path,
) -> Result<(), ReportError> {
    let count = codes.dims()[0];
    let columns = (count as f64).sqrt().ceil() as usize;
    let indices: Vec<usize> = (0..count).collect();
    let rows = indices.chunks(columns.max(1));
    let rows = rows.map(|indices| row(&[], indices.iter().copied()));
    sheet(title, Vec::new(), rows.collect()).save(decode(model, codes).images()?, path)
}

/// Draws some codes of every component of a mixture, decoded: one row per component, beside its
/// name, its weight and, with `images`, the number of images that belong to it.
///
/// # Shapes
/// - each entry of `codes`: `[columns, latent]`
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_components(
    model: &dyn Autoencoder,
    codes: &[Tensor<2>],
    weights: &[f64],
    assigned: &[usize],
    title: &str,
    path: &Path,
) -> Result<(), ReportError> {
    let shown = codes.len().min(COMPONENT_ROWS);
    let codes = &codes[..shown];
    let mut first = 0;
    let rows = codes.iter().zip(weights).enumerate();
    let rows = rows.map(|(component, (codes, weight))| {
        let columns = first..first + codes.dims()[0];
        first = columns.end;
        let images = assigned.iter().filter(|of| **of == component).count();
        let names = [
            format!("component {component}"),
            format!("weight {weight:.3}"),
            format!("{images} of {} images", assigned.len()),
        ];
        row(&names.each_ref().map(String::as_str), columns)
    });
    let rows = rows.collect();
    let title = match weights.len() {
        all if all > shown => format!("{title} (the first {shown} of {all})"),
        _ => title.to_owned(),
    };
    let pixels = decode(model, Tensor::cat(codes.to_vec(), 0));
    sheet(&title, Vec::new(), rows).save(pixels.images()?, path)
}

fn sheet(title: &str, column_names: Vec<String>, rows: Vec<SheetRow>) -> Sheet {
    Sheet {
        title: title.to_owned(),
        column_names,
        rows,
        visible_side: Some(VISIBLE_SIDE),
    }
}

/// A row of images without captions.
fn row(name: &[&str], images: impl Iterator<Item = usize>) -> SheetRow {
    SheetRow {
        name: name.iter().map(|line| (*line).to_owned()).collect(),
        cells: images.map(cell).collect(),
    }
}

fn cell(image: usize) -> Option<SheetCell> {
    let caption = Vec::new();
    Some(SheetCell { image, caption })
}

/// The settings of a latent traversal.
#[derive(Clone, Debug, PartialEq)]
pub struct Traversal {
    /// Latent dimensions, one row each. If empty, the (at most ten) dimensions that change the
    /// image most.
    pub dimensions: Vec<usize>,
    /// Columns, at least 2.
    pub columns: usize,
    /// The walk ends at this many standard deviations of the prior on both sides of its mean.
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

/// The start of a latent traversal.
#[derive(Clone, Debug)]
pub struct TraversalStart {
    /// The code, `[1, latent]`.
    pub code: Tensor<2>,
    /// The image that the code comes from, `[1, channels, size, size]`; `None` for a draw of the
    /// prior.
    pub original: Option<Tensor<4>>,
}

/// Draws the image of `start` while one dimension at a time runs over the range of the prior. Each
/// dimension has a row, named `z0`, `z1`, and so on. Each column has its distance from the prior's
/// mean in standard deviations above it. The first row also shows the image of `start` itself, and
/// the original. Returns the dimensions.
///
/// # Errors
/// When the picture cannot be written.
///
/// # Panics
/// When a dimension is not below the model's latent dimension.
pub fn draw_traversal(
    model: &dyn Autoencoder,
    start: &TraversalStart,
    traversal: &Traversal,
    noise: &mut dyn RandomSource,
    title: &str,
    path: &Path,
) -> Result<Vec<usize>, ReportError> {
    let walk = Walk::new(model, start.code.clone(), traversal.range, noise);
    let dimensions = match &traversal.dimensions[..] {
        [] => walk.most_influential(),
        chosen => chosen.to_vec(),
    };
    let columns = traversal.columns.max(2);
    let along = |column: usize| 2.0 * column as f64 / (columns - 1) as f64 - 1.0;
    let codes = dimensions.iter().flat_map(|dimension| {
        let walk = &walk;
        (0..columns).map(move |column| walk.code(*dimension, along(column)))
    });
    let mut names = vec!["start, decoded".to_owned()];
    let mut pixels = decode(model, start.code.clone());
    if let Some(original) = &start.original {
        names.insert(0, "original".to_owned());
        pixels = Pixels::read(original.clone()).and(pixels);
    }
    let before = names.len();
    let deviations = (0..columns).map(|column| deviations_label(along(column) * traversal.range));
    names.extend(deviations);
    let pixels = pixels.and(walk.decode(codes.collect()));
    let rows = dimensions.iter().enumerate().map(|(number, dimension)| {
        let first = before + number * columns;
        let starts = (0..before).map(|image| cell(image).filter(|_| number == 0));
        SheetRow {
            name: vec![format!("z{dimension}")],
            cells: starts.chain((first..first + columns).map(cell)).collect(),
        }
    });
    sheet(title, names, rows.collect()).save(pixels.images()?, path)?;
    Ok(dimensions)
}

/// A number of standard deviations, such as `−1.5σ`.
fn deviations_label(deviations: f64) -> String {
    let size = format!("{:.2}", deviations.abs());
    let size = size.trim_end_matches('0').trim_end_matches('.');
    let sign = match deviations {
        _ if size == "0" => "",
        negative if negative < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{size}σ")
}

/// Codes that differ from `start` in one dimension.
struct Walk<'a> {
    model: &'a dyn Autoencoder,
    device: Device,
    start: Vec<f32>,
    /// Mean of the prior and the distance to the end of the walk, for each dimension.
    reach: Vec<(f64, f64)>,
}

impl<'a> Walk<'a> {
    fn new(
        model: &'a dyn Autoencoder,
        start: Tensor<2>,
        range: f64,
        noise: &mut dyn RandomSource,
    ) -> Self {
        let latent = model.latent_dim();
        let prior: Vec<f32> = model
            .sample_prior(TRAVERSAL_SAMPLES, noise)
            .into_data()
            .iter::<f32>()
            .collect();
        let reach = |dimension| {
            let (mean, deviation) = moments(prior.chunks(latent).map(|code| code[dimension]));
            (mean, range * deviation)
        };
        Self {
            model,
            device: start.device(),
            start: start.into_data().iter::<f32>().collect(),
            reach: (0..latent).map(reach).collect(),
        }
    }

    /// The start with one dimension at the fraction `along` of its range, −1 to 1.
    fn code(&self, dimension: usize, along: f64) -> Vec<f32> {
        let mut code = self.start.clone();
        let (mean, reach) = self.reach[dimension];
        code[dimension] = (mean + along * reach) as f32;
        code
    }

    fn decode(&self, codes: Vec<Vec<f32>>) -> Pixels {
        let shape = [codes.len(), self.start.len()];
        let codes = TensorData::new(codes.concat(), shape);
        decode(self.model, Tensor::from_data(codes, &self.device))
    }

    /// The dimensions whose two end images differ most (sum of absolute pixel differences), largest
    /// difference first.
    fn most_influential(&self) -> Vec<usize> {
        let change = |ends: &[f32]| {
            let (least, most) = ends.split_at(ends.len() / 2);
            let differences = least
                .iter()
                .zip(most)
                .map(|(a, b)| f64::from((a - b).abs()));
            differences.sum::<f64>()
        };
        let all: Vec<usize> = (0..self.start.len()).collect();
        let mut ranking = Vec::new();
        // In parts: all codes of a large latent space would fill the memory.
        for some in all.chunks(BATCH / 2) {
            let ends = some
                .iter()
                .flat_map(|&d| [-1.0, 1.0].map(|at| self.code(d, at)));
            let pixels = self.decode(ends.collect());
            let size: usize = pixels.shape[1..].iter().product();
            let changes = pixels.values.chunks(2 * size).map(change);
            ranking.extend(some.iter().copied().zip(changes));
        }
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranking.truncate(TRAVERSAL_ROWS);
        ranking
            .into_iter()
            .map(|(dimension, _)| dimension)
            .collect()
    }
}

/// Number of images in the reconstructions, and of samples in the samples picture.
const PICTURED: usize = 64;

/// Samples per component in the picture of all components.
pub const COMPONENT_COLUMNS: usize = 12;

/// Draws reconstructions, samples, a traversal and the components of a mixture after every
/// validation, and the loss curves at the end.
///
/// Noise and images are the same every time, so pictures of different steps can be compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pictures;

impl Callback<dyn Autoencoder> for Pictures {
    fn on_validation(
        &mut self,
        validation: &Validation<'_, dyn Autoencoder>,
    ) -> Result<Flow, CallbackError> {
        if validation.repeated {
            return Ok(Flow::Continue);
        }
        let view = &validation.view;
        let held_out = match view.split.held_out() {
            [] => &view.split.train,
            held_out => held_out,
        };
        let indices = &held_out[..held_out.len().min(PICTURED)];
        let images = view.data.images(indices, view.device)?;
        let mut noise = generator(view.config, Stream::Pictures);
        let noise: &mut dyn RandomSource = &mut noise;
        let file = |name: &str| view.directory.join(name);
        let title = |what: &str| {
            let dataset = view.data.dataset().name();
            format!("{what}, step {}, {dataset}", view.step)
        };
        draw_reconstructions(
            view.model,
            images.clone(),
            &title("Held-out images and their reconstructions"),
            &file("reconstructions.png"),
        )?;
        draw_samples(
            view.model,
            PICTURED,
            noise,
            &title("Samples of the prior"),
            &file("samples.png"),
        )?;
        let original = images.clone().narrow(0, 0, 1);
        let start = TraversalStart {
            code: view.model.encode(original.clone()),
            original: Some(original),
        };
        draw_traversal(
            view.model,
            &start,
            &Traversal::default(),
            noise,
            &title("Latent traversal"),
            &file("traversal.png"),
        )?;
        if let Some(components) = view.model.components() {
            let weights = components.weights().into_data();
            let weights: Vec<f64> = weights.iter::<f64>().collect();
            let drawn = 0..weights.len().min(COMPONENT_ROWS);
            let codes = drawn.map(|component| components.draw(component, COMPONENT_COLUMNS, noise));
            let codes: Vec<_> = codes.collect();
            let encoded = view.model.encoded(images);
            let assigned = components.log_densities(&encoded).argmax(1).into_data();
            draw_components(
                view.model,
                &codes,
                &weights,
                &assigned
                    .iter::<i64>()
                    .map(|of| of as usize)
                    .collect::<Vec<_>>(),
                &title("Samples of every component"),
                &file("components.png"),
            )?;
        }
        Ok(Flow::Continue)
    }

    fn on_end(&mut self, end: &End<'_>) -> Result<(), CallbackError> {
        let records = MetricsLog::read(&end.directory.join(METRICS))?;
        // An interruption can come before the first step.
        if !records.is_empty() {
            draw_losses(&records, &end.directory.join("losses.png"))?;
        }
        Ok(())
    }
}

/// Draws every loss of a log, in the order in which the log first names them.
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
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in records.iter().flat_map(|record| &record.losses) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let drawn: Vec<_> = names
        .into_iter()
        .map(|name| {
            (
                name,
                series(Phase::Train, name),
                series(Phase::Validation, name),
            )
        })
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

/// Decodes codes in batches, so that memory does not grow with their number.
fn decode(model: &dyn Autoencoder, codes: Tensor<2>) -> Pixels {
    in_batches(codes, |codes| model.decode(codes))
}

fn reconstruct(model: &dyn Autoencoder, images: Tensor<4>) -> Pixels {
    in_batches(images, |images| model.reconstruct(images))
}

fn in_batches<const D: usize>(
    inputs: Tensor<D>,
    compute: impl Fn(Tensor<D>) -> Tensor<4>,
) -> Pixels {
    let count = inputs.dims()[0];
    let mut all = Pixels {
        values: Vec::new(),
        shape: [0; 4],
    };
    for start in (0..count).step_by(BATCH) {
        let batch = inputs.clone().narrow(0, start, BATCH.min(count - start));
        let pixels = Pixels::read(compute(batch));
        all.values.extend(pixels.values);
        all.shape = pixels.shape;
    }
    all.shape[0] = count;
    all
}

/// Mean and population standard deviation.
fn moments(values: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    let squares = values.map(|value| (f64::from(value) - mean).powi(2));
    (mean, (squares.sum::<f64>() / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;
    use gwae_core::random::SeededGenerator;
    use gwae_models::Gwae;
    use gwae_models::{BackboneConfig, GwaeConfig, ModelSettings};

    fn model() -> Gwae {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 4,
                width: 0.0625,
                ..BackboneConfig::default()
            },
            merged_condition: false,
            ..Default::default()
        };
        config
            .init(&mut SeededGenerator::new(3, 0), &Device::flex())
            .unwrap()
    }

    #[test]
    fn batches_change_nothing() {
        let model = model();
        let codes = model.sample_prior(BATCH + 3, &mut SeededGenerator::new(1, 0));
        let together = Pixels::read(model.decode(codes.clone()));
        let apart = decode(&model, codes);
        assert_eq!(apart.shape, together.shape);
        for (a, b) in apart.values.iter().zip(&together.values) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    /// A dimension that the decoder ignores comes last, and its row does not change.
    #[test]
    fn rows_are_the_dimensions_that_change_the_image() {
        let mut model = model();
        // `[latent, hidden]`: the decoder ignores dimension 2.
        model.decoder.hidden.weight = model.decoder.hidden.weight.map(|weight| {
            let [_, hidden] = weight.dims();
            let deaf = Tensor::zeros([1, hidden], &weight.device());
            weight.slice_assign([2..3, 0..hidden], deaf)
        });
        let model = model.valid();
        let start = Tensor::zeros([1, 4], &Device::flex());
        let mut noise = SeededGenerator::new(2, 0);
        let walk = Walk::new(&model, start.clone(), 2.0, &mut noise);
        let ranking = walk.most_influential();
        assert_eq!(ranking.len(), 4);
        assert_eq!(ranking[3], 2);
        let ends = walk.decode(vec![walk.code(2, -1.0), walk.code(2, 1.0)]);
        let (least, most) = ends.values.split_at(32 * 32);
        assert_eq!(least, most);

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("traversal.png");
        let traversal = Traversal {
            dimensions: vec![3, 0],
            columns: 5,
            range: 2.0,
        };
        let mut noise = SeededGenerator::new(2, 0);
        let start = TraversalStart {
            code: start,
            original: None,
        };
        let rows = draw_traversal(&model, &start, &traversal, &mut noise, "title", &path).unwrap();
        assert_eq!(rows, [3, 0]);
        // Two rows of six images of at least 64 pixels, with words around them.
        let picture = image::open(&path).unwrap();
        assert!(picture.width() > 6 * 74 && picture.height() > 2 * 74);
    }

    #[test]
    fn columns_are_named_in_standard_deviations() {
        let labels = [-3.0, -0.4, -1e-17, 0.0, 1.5, 2.0 / 3.0].map(deviations_label);
        assert_eq!(labels, ["−3σ", "−0.4σ", "0σ", "0σ", "+1.5σ", "+0.67σ"]);
    }

    #[test]
    fn moments_are_those_of_the_textbook() {
        let (mean, deviation) = moments([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter());
        assert_eq!((mean, deviation), (5.0, 2.0));
    }
}
