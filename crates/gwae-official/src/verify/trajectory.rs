//! Repeats a training trajectory of the authors' program.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::random::SeededGenerator;
use gwae_core::{Mode, NamedLosses};
use gwae_models::{Autoencoder, Encoder, Gwae, GwaeConfig, LossTerms, ModelSettings};
use gwae_priors::Form;
use gwae_train::algorithm::{Algorithm, GwaeAlgorithm, GwaeLearner, Learner};
use gwae_train::{Precision, TrainingConfig};
use serde::{Deserialize, Serialize};

use super::difference::LargestDifference;
use super::file::{MOST_ROWS, VerifyError, check_model, check_name, load_json};
use super::reference::reference_state;
use super::rounding::moves_by_rounding;
use super::stream::NamedNoise;
use super::tensors::{row_32, uniform_images, values};
use crate::settings::from_hyperparameters;
use crate::state::{OfficialState, official_state, with_official_state};

/// Most steps that a file may have. Real ones have three.
const MOST_STEPS: usize = 1_000;

/// Most critic steps after each of them, as in a configuration.
const MOST_CRITIC_STEPS: usize = 1_000;

/// A reference file: the numbers of a few steps of the authors' program on one fixed batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trajectory {
    /// Prefix of the streams for batch and noise.
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// The differences between a replay and its file.
#[derive(Clone, Debug)]
pub struct TrajectoryReport {
    /// Largest difference of each loss over the steps, by official name, in the order of the log.
    pub losses: Vec<(String, LargestDifference)>,
    /// Largest difference of a parameter norm.
    pub parameter_norms: LargestDifference,
    /// Number of norms that were left out, because their parameters move by rounding alone.
    pub left_out: usize,
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

/// The results of a replay.
pub struct Replay {
    /// Losses of each step under their official names.
    pub losses: Vec<Vec<(&'static str, f64)>>,
    /// The model after the last step, without autodiff.
    pub model: Gwae,
    /// The batch, without autodiff.
    pub images: Tensor<4>,
}

impl Trajectory {
    /// Reads a reference file.
    ///
    /// # Errors
    /// One line if the file cannot be read, is not JSON, or lacks data for a replay.
    pub fn load(path: &Path) -> Result<Self, VerifyError> {
        let trajectory: Self = load_json(path, "trajectory file")?;
        let content = VerifyError::content(path);
        if trajectory.losses.is_empty() {
            return Err(content("`losses` is empty, so there is nothing to compare"));
        }
        if !(2..=MOST_ROWS).contains(&trajectory.batch) {
            let batch = trajectory.batch;
            return Err(VerifyError::content(path)(format!(
                "`batch` is {batch}: it must be from 2 to {MOST_ROWS}"
            )));
        }
        let steps = trajectory.losses.len();
        if steps > MOST_STEPS {
            return Err(VerifyError::content(path)(format!(
                "`losses` has {steps} steps: at most {MOST_STEPS} are replayed"
            )));
        }
        check_name(path, "name", &trajectory.name)?;
        Ok(trajectory)
    }

    /// Trains the same steps on `device` and compares.
    ///
    /// # Errors
    /// One line if the hyper-parameters do not give a model, or the file has losses that the model
    /// does not have.
    pub fn replay(&self, path: &Path, device: &Device) -> Result<TrajectoryReport, VerifyError> {
        self.replay_in(Precision::Single, path, device)
    }

    /// The same with encoder and decoder in `precision`; [`Precision::Single`] means the device's
    /// own floating-point type.
    ///
    /// # Errors
    /// As [`Self::replay`].
    pub fn replay_in(
        &self,
        precision: Precision,
        path: &Path,
        device: &Device,
    ) -> Result<TrajectoryReport, VerifyError> {
        let replay = self
            .compute(precision, device)
            .map_err(VerifyError::content::<Box<dyn std::error::Error>>(path))?;
        let losses = self
            .compare_losses(&replay.losses)
            .map_err(VerifyError::content(path))?;
        let (parameter_norms, left_out) = self.compare_norms(&official_state(&replay.model));
        Ok(TrajectoryReport {
            losses,
            parameter_norms,
            left_out,
            evaluation: self.compare_evaluation(&replay),
        })
    }

    /// Trains the steps of the trajectory; does not read the expected values.
    ///
    /// # Errors
    /// Names the hyper-parameter that does not give a model.
    pub fn compute(
        &self,
        precision: Precision,
        device: &Device,
    ) -> Result<Replay, Box<dyn std::error::Error>> {
        let (model_config, mut training) =
            from_hyperparameters(&self.hyperparameters, Form::Official)?;
        training.precision = precision;
        check_model(&model_config)?;
        if training.critic_steps > MOST_CRITIC_STEPS {
            return Err(format!(
                "hyperparameters.times_d_training is {}: at most {MOST_CRITIC_STEPS} are replayed",
                training.critic_steps
            )
            .into());
        }
        let device = device.clone().autodiff();
        let mut learner = reference_learner(&model_config, training, &device)?;
        let backbone = &model_config.backbone;
        let size = backbone.image_size;
        let shape = [self.batch, backbone.channels, size, size];
        let images = uniform_images(&format!("{}.x", self.name), shape, &device);
        let mut noise = NamedNoise::new(&self.name);
        let mut all = Vec::new();
        for _ in &self.losses {
            let losses;
            (learner, losses) = learner.step(images.clone(), &mut noise);
            all.push(official_losses(&losses.read()));
        }
        Ok(Replay {
            losses: all,
            model: learner.model.valid(),
            images: images.without_autodiff(),
        })
    }

    fn compare_losses(
        &self,
        computed: &[Vec<(&'static str, f64)>],
    ) -> Result<Vec<(String, LargestDifference)>, String> {
        let mut losses: Vec<(String, LargestDifference)> = Vec::new();
        for (index, (expected, computed)) in self.losses.iter().zip(computed).enumerate() {
            let step = index + 1;
            let known = |name: &str| computed.iter().any(|(known, _)| *known == name);
            if let Some(unknown) = expected.keys().find(|name| !known(name)) {
                let names: Vec<&str> = computed.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "`{unknown}` (step {step}) is no loss of this configuration, whose losses are {}",
                    names.join(", ")
                ));
            }
            for (name, value) in computed {
                let Some(expected) = expected.get(*name) else {
                    continue;
                };
                let position = losses.iter().position(|(known, _)| known == name);
                let position = position.unwrap_or_else(|| {
                    losses.push(((*name).to_owned(), LargestDifference::default()));
                    losses.len() - 1
                });
                losses[position]
                    .1
                    .compare(format!("step {step}"), *value, *expected);
            }
        }
        if losses.is_empty() {
            return Err("`losses` names no loss, so there is nothing to compare".into());
        }
        Ok(losses)
    }

    /// The largest difference, and the number of norms left out.
    fn compare_norms(&self, state: &OfficialState) -> (LargestDifference, usize) {
        let mut largest = LargestDifference::default();
        let mut left_out = 0;
        let names: Vec<&str> = state.iter().map(|(name, _)| name.as_str()).collect();
        for (name, tensor) in state {
            let Some(expected) = self.param_norms_after.get(name) else {
                continue;
            };
            if moves_by_rounding(name, &names) {
                left_out += 1;
                continue;
            }
            largest.compare(name.clone(), norm(&tensor.values), *expected);
        }
        // Counters that PyTorch keeps; this program does not use them.
        let foreign = |name: &&String| {
            !names.contains(&name.as_str()) && !name.ends_with("num_batches_tracked")
        };
        if let Some(name) = self.param_norms_after.keys().find(foreign) {
            largest.impossible(format!("{name}: not in this model"));
        }
        (largest, left_out)
    }

    fn compare_evaluation(&self, replay: &Replay) -> LargestDifference {
        let mut largest = LargestDifference::default();
        let Some(expected) = &self.eval_after else {
            return largest;
        };
        let computed = match EvaluationPass::compute(&replay.model, replay.images.clone()) {
            Ok(computed) => computed,
            Err(why) => {
                largest.impossible(why);
                return largest;
            }
        };
        let series = [
            ("mean", &computed.mean_row0, &expected.mean_row0),
            ("logvar", &computed.logvar_row0, &expected.logvar_row0),
            (
                "decoded row",
                &computed.decoded_0_0_row32,
                &expected.decoded_0_0_row32,
            ),
        ];
        for (name, computed, expected) in series {
            largest.compare_all(name, computed, expected);
        }
        largest.compare("decoded mean", computed.decoded_mean, expected.decoded_mean);
        largest
    }
}

impl EvaluationPass {
    /// Encodes `images` and decodes the means, in evaluation mode.
    ///
    /// # Errors
    /// For images without a row 32.
    pub fn compute(model: &Gwae, images: Tensor<4>) -> Result<Self, String> {
        let posterior = model.encoder.encode(images, Mode::Evaluate);
        let decoded = model.decode(posterior.mean.clone());
        let first_row = |rows: Tensor<2>| values(rows.narrow(0, 0, 1));
        Ok(Self {
            mean_row0: first_row(posterior.mean),
            logvar_row0: first_row(posterior.logvar),
            decoded_mean: values(decoded.clone().mean())[0],
            decoded_0_0_row32: row_32(decoded)?,
        })
    }
}

/// The Euclidean norm, summed in double precision.
pub fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|&value| f64::from(value).powi(2));
    squares.sum::<f64>().sqrt()
}

/// A learner with the reference parameters.
///
/// # Errors
/// Names the field that does not give a model.
pub fn reference_learner(
    model_config: &GwaeConfig,
    training: TrainingConfig,
    device: &Device,
) -> Result<GwaeLearner, Box<dyn std::error::Error>> {
    // Everything else that the authors' program accepts is allowed: a replay does not judge
    // settings.
    if training.learning_rate < 0.0 || training.critic_learning_rate < 0.0 {
        return Err("the learning rates lr and lr_disc must not be negative".into());
    }
    let model = model_config.init(&mut SeededGenerator::new(0, 0), device)?;
    let state = reference_state(&official_state(&model));
    let model = with_official_state(model, state)?;
    let algorithm = GwaeAlgorithm::new(model_config.clone());
    Ok(algorithm.learner(model, &training, LossTerms::none()))
}

/// The losses under their official names, in the order of the log.
fn official_losses(losses: &NamedLosses<f64>) -> Vec<(&'static str, f64)> {
    losses
        .named()
        .map(|(name, value)| (official_name(name), *value))
        .collect()
}

fn official_name(name: &str) -> &'static str {
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
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file for the smallest model that there is, with changed fields.
    fn refused(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut file = serde_json::json!({
            "name": "a",
            "hyperparameters": {
                "lr": 1e-4, "z_dim": 4, "coef_w": 1, "coef_d": 1, "coef_qentropy": 0,
                "sampler_type": "spherical", "merged_condition": true, "lr_disc": 1e-4,
                "coef_gp": 10, "times_d_training": 1,
            },
            "batch": 2,
            "losses": [{"loss": 1.0}],
        });
        change(&mut file);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trajectory.json");
        std::fs::write(&path, file.to_string()).unwrap();
        let message = match Trajectory::load(&path) {
            Ok(trajectory) => trajectory.replay(&path, &Device::flex()).map(drop),
            Err(error) => Err(error),
        };
        let message = message.unwrap_err().to_string();
        assert!(message.contains("trajectory.json: "), "{message}");
        assert!(!message.contains('\n') && message.len() < 300, "{message}");
        message
    }

    /// Each of them would need gigabytes or hours.
    #[test]
    fn a_small_file_cannot_ask_for_much() {
        let began = std::time::Instant::now();
        let message = refused(|file| file["batch"] = 4096.into());
        assert!(message.contains("`batch` is 4096"), "{message}");
        let message = refused(|file| file["losses"] = vec![serde_json::json!({}); 1001].into());
        assert!(message.contains("`losses` has 1001 steps"), "{message}");
        let message = refused(|file| file["name"] = "x".repeat(1 << 20).into());
        assert!(message.contains("`name` has 1048576 bytes"), "{message}");
        let message = refused(|file| {
            file["hyperparameters"]["z_dim"] = 1024.into();
            file["hyperparameters"]["sampler_type"] = "neural".into();
        });
        assert!(message.contains("a model of about "), "{message}");
        let message = refused(|file| file["hyperparameters"]["times_d_training"] = 1e9.into());
        assert!(
            message.contains("times_d_training is 1000000000"),
            "{message}"
        );
        let message = refused(|file| file["padding"] = "x".repeat(5 << 20).into());
        assert!(message.contains("longer than 4 MiB"), "{message}");
        assert!(began.elapsed().as_secs() < 5);
    }
}
