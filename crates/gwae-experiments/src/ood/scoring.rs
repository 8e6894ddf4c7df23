//! All scores of a model on images.

use burn::tensor::{Device, Tensor};
use gwae_datasets::DatasetError;
use gwae_metrics::{MetricError, ScoreDirection, distance_from_median};
use gwae_models::{Autoencoder, Score};
use gwae_train::data::RunData;

/// Images scored at a time; the result does not depend on it.
const BATCH: usize = 128;

/// Name of the score that needs no model; every other score must be better.
pub const MEAN_BRIGHTNESS: &str = "mean_brightness";

/// Name of the score to trust: how much of an image no code expresses. A larger error always means a
/// stranger image, it is the same for every model, and it does not change with the contrast.
pub const HEADLINE: &str = "relative_error";

/// One score of many images.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreColumn {
    /// Its name.
    pub name: String,
    /// The direction of values far from the training data.
    pub direction: ScoreDirection,
    /// One number per image.
    pub values: Vec<f64>,
}

/// Scores of images, and their codes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreTable {
    /// The model's own scores (the published one first), the scores of the reconstruction, and
    /// [`MEAN_BRIGHTNESS`].
    pub columns: Vec<ScoreColumn>,
    /// Codes of the images, row-major `[images, latent]`.
    pub codes: Vec<f32>,
    /// Latent dimension.
    pub latent_dim: usize,
    /// The most probable component of each image, from 0, if the latent distribution is a mixture;
    /// otherwise empty.
    pub components: Vec<usize>,
}

impl ScoreColumn {
    /// A score whose higher values mean that an image is further from the training data.
    pub fn one_sided(name: String, values: Vec<f64>) -> Self {
        Self {
            name,
            direction: ScoreDirection::HigherIsOutside,
            values,
        }
    }
}

impl ScoreTable {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score with this name.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        let mut columns = self.columns.iter();
        let column = columns.find(|column| column.name == name);
        column.map(|column| column.values.as_slice())
    }

    /// Adds a one-sided form of every two-sided score, `…_two_sided`: its distance from its median
    /// on `reference`, which are images that the model was trained on.
    ///
    /// A critic learns to separate pairs of the data from pairs of the prior. Far from both,
    /// nothing determines whether its potential rises or falls, so the sign there is accidental.
    /// The distance from the training data's value is not.
    ///
    /// # Errors
    /// When a score is NaN.
    pub fn with_two_sided(mut self, reference: &Self) -> Result<Self, MetricError> {
        let mut columns = Vec::new();
        for column in self.columns {
            let two_sided = match reference.get(&column.name) {
                Some(reference) if column.direction == ScoreDirection::TwoSided => {
                    Some(distance_from_median(&column.values, reference)?)
                }
                _ => None,
            };
            let name = format!("{}_two_sided", column.name);
            columns.push(column);
            columns.extend(two_sided.map(|values| ScoreColumn::one_sided(name, values)));
        }
        self.columns = columns;
        Ok(self)
    }
}

/// Scores the images at `indices` of `data` with every score of `model`, and by their mean
/// brightness.
///
/// # Errors
/// When an image cannot be read.
pub fn score_images(
    model: &dyn Autoencoder,
    data: &RunData,
    indices: &[u32],
    device: &Device,
) -> Result<ScoreTable, DatasetError> {
    let mut table = ScoreTable {
        latent_dim: model.latent_dim(),
        ..ScoreTable::default()
    };
    for batch in indices.chunks(BATCH) {
        let images = data.images(batch, device)?;
        let brightness = mean_brightness(images.clone());
        let encoded = model.encoded(images);
        let codes = encoded.codes.clone().into_data();
        table.codes.extend(codes.iter::<f32>());
        if let Some(components) = model.components() {
            let assigned = components.most_probable(&encoded);
            table.components.extend(assigned);
        }
        let direction = ScoreDirection::HigherIsOutside;
        let brightness = Score::new(MEAN_BRIGHTNESS, direction, brightness);
        let scores = model.scores(&encoded).into_iter().chain([brightness]);
        for (place, score) in scores.enumerate() {
            if table.columns.len() == place {
                table.columns.push(ScoreColumn {
                    name: score.name.to_owned(),
                    direction: score.direction,
                    values: Vec::with_capacity(indices.len()),
                });
            }
            let values = score.values.into_data();
            table.columns[place].values.extend(values.iter::<f64>());
        }
    }
    Ok(table)
}

/// Mean over channels and pixels, `[batch]`.
fn mean_brightness(images: Tensor<4>) -> Tensor<1> {
    images.flatten::<2>(1, 3).mean_dim(1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_core::random::SeededGenerator;
    use gwae_datasets::ImageShape;
    use gwae_datasets::config::DataConfig;
    use gwae_models::{BackboneConfig, GwaeConfig, ModelSettings};

    #[test]
    fn tables_do_not_depend_on_batches_and_know_both_sides() {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 3,
                width: 0.0625,
                ..BackboneConfig::default()
            },
            prior: "gaussian_mixture".parse().unwrap(),
            ..GwaeConfig::default()
        };
        let device = Device::flex();
        let model = config
            .init(&mut SeededGenerator::new(1, 0), &device)
            .unwrap();
        let data = DataConfig::default();
        let data = RunData::open(&data, ImageShape::square(32, 1), &mut |_| {}).unwrap();
        let indices: Vec<u32> = (0..130).collect();
        let table = score_images(&model, &data, &indices, &device).unwrap();
        let names: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "potential",
                "potential_of_input",
                "prior_negative_log_likelihood",
                "reconstruction_error",
                "relative_error",
                "mean_brightness"
            ]
        );
        assert!(table.columns.iter().all(|c| c.values.len() == 130));
        assert_eq!(table.codes.len(), 3 * 130);
        // The last two images alone form a batch of another size.
        let last = score_images(&model, &data, &indices[128..], &device).unwrap();
        for (column, alone) in table.columns.iter().zip(&last.columns) {
            for (a, b) in column.values[128..].iter().zip(&alone.values) {
                assert!((a - b).abs() <= 1e-4 * b.abs().max(1e-3), "{}", column.name);
            }
        }
        let two_sided = last.clone().with_two_sided(&table).unwrap();
        let mut sorted = table.get("potential").unwrap().to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = (sorted[64] + sorted[65]) / 2.0;
        let found = two_sided.get("potential_two_sided").unwrap();
        for (found, potential) in found.iter().zip(last.get("potential").unwrap()) {
            assert!((found - (potential - median).abs()).abs() < 1e-9);
        }
        assert!(two_sided.get("potential_of_input_two_sided").is_some());
        assert!(two_sided.get("relative_error_two_sided").is_none());
    }
}
