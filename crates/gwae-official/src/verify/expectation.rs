//! Compares a checkpoint of the authors' program with the outputs that their program computes from
//! it.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use gwae_core::Mode;
use gwae_models::Gwae;
use gwae_models::{Autoencoder, Encoder};
use gwae_priors::Form;
use gwae_train::RunConfig;
use serde::{Deserialize, Deserializer, Serialize};

use super::difference::LargestDifference;
use super::file::{MOST_ROWS, VerifyError, check_name, load_json};
use super::stream::NamedNoise;
use super::tensors::{row_32, uniform_images, values};
use crate::checkpoint::OfficialCheckpoint;
use crate::import::{ImportedModel, adopt_sizes};
use crate::settings::from_hyperparameters;

/// The outputs of a checkpoint in evaluation mode, as computed by the authors' program.
///
/// The images are the uniform stream `<name>.x`; the draws of the prior are `<name>.drawNNN.*`.
/// `<name>` is the name of the file, unless `prior_draws` has another one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expectation {
    /// The official hyper-parameters; `None` uses the checkpoint's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hyperparameters: Option<serde_json::Value>,
    /// Posterior mean of each image.
    pub mean: Vec<Vec<f64>>,
    /// Posterior log-variance of each image.
    pub logvar: Vec<Vec<f64>>,
    /// Row 32 of the first channel of the first decoded mean.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub decode_mean_0_ch0_row32: Numbers,
    /// Mean pixel of the decoded means.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub decode_mean_avg: Numbers,
    /// Output of the critic for images and means.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub critic_x_mean: Numbers,
    /// Out-of-distribution score of each image.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        rename = "ood_score_D(decode(mean),mean)"
    )]
    pub out_of_distribution_score: Numbers,
    /// Name and shape of each draw of the prior.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub prior_draws: Vec<(String, Vec<usize>)>,
    /// Codes drawn from the prior.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub prior_sample: Vec<Vec<f64>>,
}

fn null_is_empty<'de, D, T>(source: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(source)?.unwrap_or_default())
}

/// Numbers with any nesting; empty if the file has none, or `null`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// One number.
    One(f64),
    /// A list of numbers or lists.
    Many(Vec<Numbers>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Numbers {
    /// All numbers, row-major.
    pub fn flat(&self) -> Vec<f64> {
        match self {
            Self::One(number) => vec![*number],
            Self::Many(many) => many.iter().flat_map(Self::flat).collect(),
        }
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(numbers: Vec<f64>) -> Self {
        Self::Many(numbers.into_iter().map(Self::One).collect())
    }
}

/// The largest difference of each quantity between a checkpoint and its file.
pub type ExpectationReport = Vec<(&'static str, LargestDifference)>;

impl Expectation {
    /// Reads a reference file.
    ///
    /// # Errors
    /// One line if the file cannot be read, is not JSON, or lacks data for the comparison.
    pub fn load(path: &Path) -> Result<Self, VerifyError> {
        let expectation: Self = load_json(path, "file of expected values")?;
        for (name, rows) in [
            ("mean", &expectation.mean),
            ("prior_sample", &expectation.prior_sample),
        ] {
            let least = usize::from(name == "mean");
            if !(least..=MOST_ROWS).contains(&rows.len()) {
                return Err(VerifyError::content(path)(format!(
                    "`{name}` has {} rows: it must have from {least} to {MOST_ROWS}",
                    rows.len()
                )));
            }
        }
        for (name, _) in &expectation.prior_draws {
            check_name(path, "prior_draws", name)?;
        }
        Ok(expectation)
    }

    /// Builds the model of `checkpoint` on `device` and compares.
    ///
    /// # Errors
    /// One line if no model can be built from the checkpoint.
    pub fn compare(
        &self,
        path: &Path,
        checkpoint: OfficialCheckpoint,
        device: &Device,
    ) -> Result<ExpectationReport, Box<dyn std::error::Error>> {
        let given = match &self.hyperparameters {
            None => None,
            Some(hyperparameters) => {
                let (mut model, training) = from_hyperparameters(hyperparameters, Form::Official)
                    .map_err(VerifyError::content(path))?;
                adopt_sizes(&mut model, &checkpoint.state)
                    .map_err(VerifyError::content(&checkpoint.path))?;
                Some(RunConfig {
                    model: model.into(),
                    training,
                    ..RunConfig::default()
                })
            }
        };
        let imported = ImportedModel::build(checkpoint, given, Form::Official, device)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = self.prior_draws.first().map_or(stem.as_ref(), |(name, _)| {
            name.split_once(".draw").map_or(name, |(prefix, _)| prefix)
        });
        Ok(self.compare_model(&imported, name, device))
    }

    fn compare_model(
        &self,
        imported: &ImportedModel,
        name: &str,
        device: &Device,
    ) -> ExpectationReport {
        let model = imported.model.valid();
        let shape = imported.config.model.image_shape();
        let shape = [self.mean.len(), shape.channels, shape.height, shape.width];
        let images = uniform_images(&format!("{name}.x"), shape, device);

        let posterior = model.encoder.encode(images.clone(), Mode::Evaluate);
        let decoded = model.decode(posterior.mean.clone());
        let mut report = vec![
            (
                "mean",
                compare_rows(&values(posterior.mean.clone()), &self.mean),
            ),
            (
                "logvar",
                compare_rows(&values(posterior.logvar), &self.logvar),
            ),
        ];
        let row = row_32(decoded.clone());
        let score = model.potential(decoded.clone(), posterior.mean.clone());
        let average = values(decoded.mean());
        let potential = model.potential(images, posterior.mean);
        let no_critic = "the checkpoint has no critic".to_owned();
        for (name, computed, expected) in [
            (
                "decode_mean_0_ch0_row32",
                row,
                &self.decode_mean_0_ch0_row32,
            ),
            ("decode_mean_avg", Ok(average), &self.decode_mean_avg),
            (
                "critic_x_mean",
                potential.map(values).ok_or(no_critic.clone()),
                &self.critic_x_mean,
            ),
            (
                "ood_score",
                score.map(values).ok_or(no_critic),
                &self.out_of_distribution_score,
            ),
        ] {
            let expected = expected.flat();
            if expected.is_empty() {
                continue;
            }
            let mut largest = LargestDifference::default();
            match computed {
                Ok(computed) => largest.compare_all(name, &computed, &expected),
                Err(why) => largest.impossible(why),
            }
            report.push((name, largest));
        }
        if !self.prior_sample.is_empty() {
            let largest = self.compare_prior(&model, name);
            report.push(("prior_sample", largest));
        }
        report
    }

    fn compare_prior(&self, model: &Gwae, name: &str) -> LargestDifference {
        let mut noise = NamedNoise::new(name);
        let codes = model.sample_prior(self.prior_sample.len(), &mut noise);
        let mut largest = compare_rows(&values(codes), &self.prior_sample);
        let listed = self.prior_draws.iter().map(|(name, _)| name);
        if !self.prior_draws.is_empty() && !listed.eq(noise.names()) {
            let asked = noise.names().join(", ");
            largest.impossible(format!(
                "the prior asked for {asked}, not for `prior_draws`"
            ));
        }
        largest
    }
}

fn compare_rows(computed: &[f64], expected: &[Vec<f64>]) -> LargestDifference {
    let mut largest = LargestDifference::default();
    let columns = computed.len() / expected.len().max(1);
    for (row, expected) in expected.iter().enumerate() {
        let computed = &computed[row * columns..(row + 1) * columns];
        largest.compare_all(&format!("row {row}"), computed, expected);
    }
    largest
}
