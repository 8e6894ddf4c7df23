//! The picture of a latent traversal.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::random::RandomSource;
use gwae_models::Autoencoder;
use gwae_report::{ReportError, SheetRow};

use super::{BATCH, Pixels, cell, decode, sheet};

/// Number of prior codes used to estimate the range of a traversal.
const SAMPLES: usize = 512;

/// Default number of rows of a traversal.
const ROWS: usize = 10;

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
            .sample_prior(SAMPLES, noise)
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
        ranking.truncate(ROWS);
        ranking
            .into_iter()
            .map(|(dimension, _)| dimension)
            .collect()
    }
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
    use burn::module::Module;
    use gwae_core::random::SeededGenerator;

    use super::super::tests::model;
    use super::*;

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
