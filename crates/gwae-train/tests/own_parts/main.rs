//! Runs with parts that the caller brings along: a dataset, a prior, a loss term, callbacks, and every
//! option of the optimisation.

mod callbacks;
mod options;

use std::path::Path;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_datasets::{ArrayDataset, ImageShape};
use gwae_models::{ConvDecoder, ConvEncoder, Gwae, GwaeConfig};
use gwae_priors::Prior;
use gwae_train::algorithm::GwaeAlgorithm;
use gwae_train::metrics_log::{MetricsLog, MetricsRecord};
use gwae_train::{DeviceSpec, OwnModel, TrainedModel, Trainer, TrainingConfig};

const SHAPE: ImageShape = ImageShape::square(32, 1);

/// `z = s·ε` with a trainable width s.
#[derive(Module, Debug)]
struct Wide {
    logarithm: Param<Tensor<1>>,
}

impl Prior for Wide {
    fn latent_dim(&self) -> usize {
        2
    }

    fn sample(
        &self,
        batch: usize,
        _mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        normal_tensor(noise, [batch, 2], device) * self.logarithm.val().exp().unsqueeze::<2>()
    }
}

type Model = Gwae<ConvEncoder, ConvDecoder, Wide>;
type Algorithm = GwaeAlgorithm<ConvEncoder, ConvDecoder, Wide>;

fn algorithm(name: &str) -> Algorithm {
    let mut config = GwaeConfig::new(32, 1, 2);
    config.backbone.width = 0.1;
    GwaeAlgorithm::own(OwnModel::new(name, SHAPE), move |noise, device| {
        let (encoder, decoder) = config.backbone.init(noise, device)?;
        let prior = Wide {
            logarithm: Param::from_tensor(Tensor::zeros([1], device)),
        };
        let critic = config.init_critic(noise, device)?;
        Ok(Gwae::new(encoder, decoder, prior, critic, 1.0, device))
    })
}

/// 60 images of bars.
fn bars() -> Arc<ArrayDataset> {
    let value = |i: usize| ((i % 32 / 4 + i / 1024) % 5) as f32 / 4.0;
    let values = (0..60 * 1024).map(value).collect();
    Arc::new(ArrayDataset::from_floats("bars", SHAPE, values).unwrap())
}

/// Seven steps of eight images, validated every three.
fn training() -> TrainingConfig {
    TrainingConfig {
        batch_size: 8,
        critic_steps: 1,
        steps: Some(7),
        validate_every: Some(3),
        checkpoint_every: None,
        ..TrainingConfig::default()
    }
}

fn trainer(training: TrainingConfig) -> Trainer<Algorithm> {
    Trainer::new(algorithm("wide"), bars()).training(training)
}

fn log(run: &Path) -> Vec<MetricsRecord> {
    MetricsLog::read(&run.join("metrics.jsonl")).unwrap()
}

/// Losses of all steps and validations, without times.
fn losses(run: &Path) -> Vec<(u64, Vec<(String, f64)>)> {
    let records = log(run).into_iter();
    records.map(|record| (record.step, record.losses)).collect()
}

/// The codes of the first images by the last checkpoint.
fn codes(run: &Path) -> Vec<f32> {
    let device = DeviceSpec::default().open().unwrap();
    let trained = TrainedModel::load_own(&algorithm("wide"), run, &device).unwrap();
    let images = trained.sample(4, 0);
    trained.encode(images).into_data().iter::<f32>().collect()
}

#[test]
fn a_run_of_own_parts_resumes_bit_for_bit() {
    let directory = tempfile::tempdir().unwrap();
    let (whole, parts) = (
        directory.path().join("whole"),
        directory.path().join("parts"),
    );
    trainer(training()).start(&whole).unwrap();
    let first = TrainingConfig {
        steps: Some(4),
        ..training()
    };
    trainer(first).start(&parts).unwrap();
    trainer(training()).steps(7).resume(&parts).unwrap();
    // The validation at the end of the first part is one more.
    let of_steps = |run| -> Vec<_> {
        let all = losses(run).into_iter();
        all.filter(|(step, _)| [5, 6, 7].contains(step)).collect()
    };
    assert_eq!(of_steps(&whole), of_steps(&parts));
}

#[test]
fn other_programs_are_told_whose_run_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    trainer(training()).start(&run).unwrap();
    let other = Trainer::new(algorithm("narrow"), bars()).resume(&run);
    let message = other.unwrap_err().to_string();
    assert!(
        message.contains("model.name is \"wide\" there and \"narrow\" here"),
        "{message}"
    );
    let device = DeviceSpec::default().open().unwrap();
    let message = TrainedModel::load(&run, &device).err().unwrap().to_string();
    assert!(
        message.contains("the model `wide` is defined in the program"),
        "{message}"
    );
    let data = Trainer::new(algorithm("wide"), {
        let values = vec![0.5; 60 * 1024];
        Arc::new(ArrayDataset::from_floats("bars", SHAPE, values).unwrap())
    });
    let message = data.resume(&run).unwrap_err().to_string();
    assert!(message.contains("fingerprint"), "{message}");
}

#[test]
fn a_trained_model_is_used_as_it_was_trained() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    trainer(training()).start(&run).unwrap();
    let device = DeviceSpec::default().open().unwrap();
    let trained = TrainedModel::load_own(&algorithm("wide"), &run, &device).unwrap();
    assert_eq!(
        (trained.image_shape(), trained.autoencoder().latent_dim()),
        (SHAPE, 2)
    );
    assert_eq!(codes(&run).len(), 8);
    let names: Vec<_> = trained
        .score(trained.sample(2, 0))
        .iter()
        .map(|s| s.name)
        .collect();
    assert!(names.contains(&"potential"), "{names:?}");
}
