//! The pictures of a model: reconstructions, samples of the prior, a latent traversal.

mod history;
mod traversal;

use std::path::Path;

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_models::Autoencoder;

use crate::callback::{Callback, CallbackError, End, Flow, Start, Validation};
use crate::metrics_log::{MetricsLog, MetricsRecord, Phase, loss_names, loss_series};
use crate::run_directory::METRICS;
use crate::run_report::write_report;
use crate::session::stream::{Stream, generator};
use history::History;
pub use traversal::{Traversal, TraversalStart, draw_traversal};

use gwae_report::{
    Curve, Images, ReportError, Sheet, SheetCell, SheetRow, save_animation, save_curves,
};

/// Columns of a picture of reconstructions.
const RECONSTRUCTION_COLUMNS: usize = 16;

/// Least side in pixels of an image in a picture.
const VISIBLE_SIDE: usize = 64;

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

/// Number of images in the reconstructions, and of samples in the samples picture.
const PICTURED: usize = 64;

/// Samples along a side of a frame of the animation. Frames are small, so that many fit into it.
const FRAME_SAMPLES: usize = 4;

/// Samples per component in the picture of all components.
pub const COMPONENT_COLUMNS: usize = 12;

/// Draws reconstructions, samples, a traversal and the components of a mixture after every
/// validation, and the loss curves and `report.html` at the end. `training.keep_pictures` validations
/// keep theirs in `pictures/step-000500` and so on, and their samples are the frames of
/// `samples_animated.png`.
///
/// Noise and images are the same every time, so pictures of different steps can be compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pictures;

impl Callback<dyn Autoencoder> for Pictures {
    fn on_start(&mut self, start: &Start<'_>) -> Result<Flow, CallbackError> {
        let history = History::of(start.directory, start.config.training.keep_pictures);
        history.forget_after(start.first_step)?;
        Ok(Flow::Continue)
    }

    fn on_validation(
        &mut self,
        validation: &Validation<'_, dyn Autoencoder>,
    ) -> Result<Flow, CallbackError> {
        let view = &validation.view;
        let history = History::of(view.directory, view.config.training.keep_pictures);
        if validation.repeated && history.has(view.step) {
            return Ok(Flow::Continue);
        }
        let (kind, of_kind) = match view.split.held_out() {
            [] => ("Training images", &view.split.train[..]),
            held_out => ("Held-out images", held_out),
        };
        let indices = &of_kind[..of_kind.len().min(PICTURED)];
        let images = view.data.images(indices, view.device)?;
        let mut noise = generator(view.config, Stream::Pictures);
        let noise: &mut dyn RandomSource = &mut noise;
        // Each time anew: the directory may be moved, and another run put in its place.
        let file = |name: &str| view.run.place_of(name);
        let title = |what: &str| {
            let dataset = view.data.dataset().name();
            format!("{what}, step {}, {dataset}", view.step)
        };
        draw_reconstructions(
            view.model,
            images.clone(),
            &title(&format!("{kind} and their reconstructions")),
            &file("reconstructions.png")?,
        )?;
        let samples = view.model.sample_prior(PICTURED, noise);
        draw_codes(
            view.model,
            samples.clone(),
            &title("Samples of the prior"),
            &file("samples.png")?,
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
            &file("traversal.png")?,
        )?;
        let mut names = vec!["reconstructions.png", "samples.png", "traversal.png"];
        if let Some(components) = view.model.components() {
            names.push("components.png");
            let weights = components.weights().into_data();
            let weights: Vec<f64> = weights.iter::<f64>().collect();
            let drawn = 0..weights.len().min(COMPONENT_ROWS);
            let codes = drawn.map(|component| components.draw(component, COMPONENT_COLUMNS, noise));
            let codes: Vec<_> = codes.collect();
            let assigned = components.most_probable(&view.model.encoded(images));
            draw_components(
                view.model,
                &codes,
                &weights,
                &assigned,
                &title("Samples of every component"),
                &file("components.png")?,
            )?;
        }
        let animation = file("samples_animated.png")?;
        history.keep::<CallbackError>(view.step, &names, |path| {
            let few = samples.narrow(0, 0, FRAME_SAMPLES * FRAME_SAMPLES);
            let title = format!("step {}", view.step);
            Ok(draw_codes(view.model, few, &title, path)?)
        })?;
        save_animation(&history.frames(), &animation)?;
        Ok(Flow::Continue)
    }

    fn on_end(&mut self, end: &End<'_>) -> Result<(), CallbackError> {
        let records = MetricsLog::read(&end.directory.join(METRICS))?;
        // An interruption can come before the first step.
        if !records.is_empty() {
            draw_losses(&records, &end.directory.join("losses.png"))?;
        }
        Ok(write_report(end.directory)?)
    }
}

/// Draws every loss of a log, in the order in which the log first names them.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw_losses(records: &[MetricsRecord], path: &Path) -> Result<(), ReportError> {
    let drawn: Vec<_> = loss_names(records)
        .into_iter()
        .map(|name| {
            (
                name,
                loss_series(records, Phase::Train, name),
                loss_series(records, Phase::Validation, name),
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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use gwae_core::random::SeededGenerator;
    use gwae_models::Gwae;
    use gwae_models::{BackboneConfig, GwaeConfig, ModelSettings};

    pub(super) fn model() -> Gwae {
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
}
