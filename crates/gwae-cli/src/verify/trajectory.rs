//! Replaying a training trajectory of the authors' program.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use gwae_core::noise::HostGenerator;
use gwae_models::official::OfficialState;
use gwae_models::{Gwae, GwaeConfig};
use gwae_priors::Form;
use gwae_train::losses::Losses;
use gwae_train::official_settings::from_hyperparameters;
use gwae_train::trainer::Trainer;
use gwae_train::{RunConfig, TrainingConfig};
use serde::Deserialize;

use super::VerifyError;
use super::difference::LargestDifference;
use super::reference::reference_state;
use super::stream::{self, NamedNoise};

/// A reference file: what the authors' program computed in a few steps on one fixed batch.
#[derive(Clone, Debug, Deserialize)]
pub struct Trajectory {
    /// Prefix of the streams that batch and noise come from.
    pub name: String,
    /// The official hyper-parameters.
    pub hyperparameters: serde_json::Value,
    /// Images per batch.
    pub batch: usize,
    /// Losses of each step, by official name.
    pub losses: Vec<BTreeMap<String, f64>>,
    /// Euclidean norm of every parameter and buffer after the last step.
    #[serde(default)]
    pub param_norms_after: BTreeMap<String, f64>,
    /// A forward pass in evaluation mode after the last step.
    pub eval_after: Option<EvaluationPass>,
}

/// A forward pass in evaluation mode on the trajectory's batch.
#[derive(Clone, Debug, Deserialize)]
pub struct EvaluationPass {
    /// Posterior mean of the first image.
    pub mean_row0: Vec<f64>,
    /// Posterior log-variance of the first image.
    pub logvar_row0: Vec<f64>,
    /// Mean pixel of the decoded posterior means.
    pub decoded_mean: f64,
    /// Row 32 of the first channel of the first decoded image.
    pub decoded_0_0_row32: Vec<f64>,
}

/// How far a replay is from its file.
#[derive(Clone, Debug)]
pub struct TrajectoryReport {
    /// Largest difference of each loss over the steps, by official name, in the file's order of
    /// meaning.
    pub losses: Vec<(String, LargestDifference)>,
    /// Largest difference of a parameter norm.
    pub parameter_norms: LargestDifference,
    /// Largest difference of the evaluation pass.
    pub evaluation: LargestDifference,
}

impl TrajectoryReport {
    /// The largest difference of any loss.
    pub fn largest_loss_difference(&self) -> f64 {
        self.losses
            .iter()
            .map(|(_, largest)| largest.value)
            .fold(0.0, f64::max)
    }
}

impl Trajectory {
    /// Reads a reference file.
    pub fn load(path: &Path) -> Result<Self, VerifyError> {
        let trajectory: Self = super::load_json(path)?;
        if trajectory.losses.is_empty() || trajectory.batch < 2 {
            return Err(VerifyError::Content {
                path: path.to_owned(),
                problem: "a trajectory needs at least one step and a batch of two".into(),
            });
        }
        Ok(trajectory)
    }

    /// Trains the same steps on `device` and compares.
    pub fn replay(&self, path: &Path, device: &Device) -> Result<TrajectoryReport, VerifyError> {
        let content = |problem: String| VerifyError::Content {
            path: path.to_owned(),
            problem,
        };
        let (model_config, training) = from_hyperparameters(&self.hyperparameters, Form::Official)
            .map_err(|error| content(error.to_string()))?;
        let device = device.clone().autodiff();
        let mut trainer = reference_trainer(&model_config, training, &device)
            .map_err(|error| content(error.to_string()))?;
        let size = model_config.image_size;
        let shape = [self.batch, model_config.channels, size, size];
        let images = uniform_images(&format!("{}.x", self.name), shape, &device);

        let mut noise = NamedNoise::new(&self.name);
        let mut losses: Vec<(String, LargestDifference)> = Vec::new();
        for (step, expected) in self.losses.iter().enumerate() {
            let computed;
            (trainer, computed) = trainer.step(images.clone(), &mut noise);
            let computed = official_losses(&computed.read());
            for (name, value) in &computed {
                let Some(expected) = expected.get(*name) else {
                    continue;
                };
                if step == 0 {
                    losses.push(((*name).to_owned(), LargestDifference::default()));
                }
                let entry = losses.iter_mut().find(|(known, _)| known == name);
                let (_, largest) = entry.ok_or_else(|| {
                    content(format!("`{name}` appears first in step {}", step + 1))
                })?;
                largest.compare(format!("step {}", step + 1), *value, *expected);
            }
            if let Some(unknown) = expected
                .keys()
                .find(|name| !computed.contains_key(name.as_str()))
            {
                return Err(content(format!(
                    "`{unknown}` is no loss of this configuration"
                )));
            }
        }

        let model = trainer.model.valid();
        Ok(TrajectoryReport {
            losses,
            parameter_norms: self.compare_norms(&model.official_state()),
            evaluation: self.compare_evaluation(&model, images.without_autodiff()),
        })
    }

    fn compare_norms(&self, state: &OfficialState) -> LargestDifference {
        let mut largest = LargestDifference::default();
        let names: Vec<&str> = state.iter().map(|(name, _)| name.as_str()).collect();
        for (name, tensor) in state {
            let Some(expected) = self.param_norms_after.get(name) else {
                continue;
            };
            if moves_by_rounding(name, &names) {
                continue;
            }
            let norm = tensor
                .values
                .iter()
                .map(|&v| f64::from(v).powi(2))
                .sum::<f64>()
                .sqrt();
            largest.compare(name.clone(), norm, *expected);
        }
        largest
    }

    fn compare_evaluation(&self, model: &Gwae, images: Tensor<4>) -> LargestDifference {
        let mut largest = LargestDifference::default();
        let Some(expected) = &self.eval_after else {
            return largest;
        };
        let posterior = model.encode(images);
        let decoded = model.decode(posterior.mean.clone());
        let first_row = |rows: Tensor<2>| values(rows.narrow(0, 0, 1));
        largest.compare_all("mean", &first_row(posterior.mean), &expected.mean_row0);
        largest.compare_all(
            "logvar",
            &first_row(posterior.logvar),
            &expected.logvar_row0,
        );
        let row = decoded
            .clone()
            .narrow(0, 0, 1)
            .narrow(1, 0, 1)
            .narrow(2, 32, 1);
        largest.compare_all("decoded row", &values(row), &expected.decoded_0_0_row32);
        largest.compare(
            "decoded mean",
            values(decoded.mean())[0],
            expected.decoded_mean,
        );
        largest
    }
}

/// A bias directly before a batch norm has gradient zero in exact arithmetic; RMSprop turns its
/// rounding noise into steps, so it (and the running mean behind it) means nothing.
fn moves_by_rounding(name: &str, names: &[&str]) -> bool {
    let Some((layer, suffix)) = name.rsplit_once('.') else {
        return false;
    };
    match suffix {
        "running_mean" => true,
        "bias" => match layer.rsplit_once('.') {
            Some((block, index)) => index.parse::<usize>().is_ok_and(|index| {
                let next = format!("{block}.{}.running_mean", index + 1);
                names.contains(&next.as_str())
            }),
            None => false,
        },
        _ => false,
    }
}

/// A trainer whose parameters are the reference ones.
pub fn reference_trainer(
    model_config: &GwaeConfig,
    training: TrainingConfig,
    device: &Device,
) -> Result<Trainer, Box<dyn std::error::Error>> {
    let model = Gwae::new(model_config, &mut HostGenerator::new(0, 0), device)?;
    let state = reference_state(&model.official_state());
    let model = model.with_official_state(state)?;
    let config = RunConfig {
        model: model_config.clone(),
        training,
        ..Default::default()
    };
    Ok(Trainer::new(model, &config))
}

/// Images from the uniform stream called `name`.
pub fn uniform_images(name: &str, shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values = stream::uniform(name, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The losses under their official names.
fn official_losses(losses: &Losses<f64>) -> BTreeMap<&'static str, f64> {
    let named = losses.named();
    named
        .into_iter()
        .map(|(name, value)| (official_name(name), *value))
        .collect()
}

fn official_name(name: &'static str) -> &'static str {
    match name {
        "total" => "loss",
        "gw" => "loss_gw",
        "reconstruction" => "loss_w",
        "merged" => "loss_d",
        "entropy" => "loss_qentropy",
        "critic" => "loss_disc",
        "critic_potential" => "loss_logits",
        "gradient_penalty" => "loss_gp",
        "potential_encoded" => "logit_autoencoding",
        "potential_prior" => "logit_sampling",
        "distance_coefficient" => "distance_coef",
        "encoded_scale" => "qz_scale",
        "prior_scale" => "pz_scale",
        other => other,
    }
}

/// Values of a tensor in double precision.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}
