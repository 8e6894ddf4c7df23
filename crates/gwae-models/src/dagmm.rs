//! The deep autoencoding Gaussian mixture model, a baseline.

use burn::module::{Module, RunningState};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation};
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{
    GaussianMixture, MixtureMoments, Mode, cosine_similarity, initialise, move_running,
    relative_reconstruction_error, set_running,
};
use serde::Serialize;

use crate::autoencoder::{Autoencoder, Encoded, Score};
use crate::backbone::{BackboneConfig, check};
use crate::components::Components;
use crate::config::ModelConfigError;
use crate::decoder::Decoder;
use crate::encoder::Encoder;

/// Share that variances are enlarged by before covariances are factorised.
const JITTER: f64 = 1e-3;

/// Features of a reconstruction beside the code: relative Euclidean distance and cosine similarity.
const RECONSTRUCTION_FEATURES: usize = 2;

/// Weights are kept at least this large where moments are put together.
const LEAST_WEIGHT: f64 = 1e-8;

/// Share of a batch in the running statistics of the mixture (new = 0.9·old + 0.1·batch).
const MOMENTUM: f64 = 0.1;

/// Architecture and objective of a [`Dagmm`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DagmmConfig {
    /// Encoder (the compression network) and decoder.
    #[serde(flatten)]
    pub backbone: BackboneConfig,
    /// Components K of the mixture.
    pub components: usize,
    /// Hidden features of the estimation network.
    pub estimation_features: usize,
    /// Share of the estimation network's hidden features that training leaves out.
    pub dropout: f64,
    /// Weight λ₁ of the mixture energy in the objective, beside the squared error.
    pub energy_weight: f64,
    /// Weight λ₂ of the penalty on small variances in the objective, beside the squared error.
    pub covariance_weight: f64,
}

impl Default for DagmmConfig {
    /// K 10, L 16; the rest as published.
    fn default() -> Self {
        Self {
            backbone: BackboneConfig {
                latent_dim: 16,
                ..BackboneConfig::default()
            },
            components: 10,
            estimation_features: 10,
            dropout: 0.5,
            energy_weight: 0.1,
            covariance_weight: 1e-4,
        }
    }
}

impl DagmmConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), ModelConfigError> {
        self.backbone.validate()?;
        // The mixture has K·(L+2)² numbers, and its factorisation takes a step per dimension.
        check(
            self.backbone.latent_dim <= 256,
            "latent_dim",
            self.backbone.latent_dim,
            "at most 256 for kind = \"dagmm\"",
        )?;
        check(
            (2..=256).contains(&self.components),
            "components",
            self.components,
            "from 2 to 256",
        )?;
        check(
            (1..=65_536).contains(&self.estimation_features),
            "estimation_features",
            self.estimation_features,
            "from 1 to 65536",
        )?;
        check(
            (0.0..1.0).contains(&self.dropout),
            "dropout",
            self.dropout,
            "at least 0 and below 1",
        )?;
        for (field, value) in [
            ("energy_weight", self.energy_weight),
            ("covariance_weight", self.covariance_weight),
        ] {
            check(
                (0.0..=1e9).contains(&value),
                field,
                value,
                "from 0 (term left out) to 1e9",
            )?;
        }
        Ok(())
    }
}

/// A deep autoencoding Gaussian mixture model (Zong et al., ICLR 2018): a deterministic autoencoder,
/// and a network that assigns the code of an image together with two features of its
/// reconstruction softly to the components of a Gaussian mixture.
///
/// The encoder is that of the other models; its head of log-variances has no part in it.
#[derive(Module, Debug)]
pub struct Dagmm {
    /// Image to code: the compression network.
    pub encoder: Encoder,
    /// Code to image.
    pub decoder: Decoder,
    /// Features to memberships.
    pub estimation: EstimationNetwork,
    /// The mixture of the training data.
    pub running: RunningMoments,
    latent_dim: usize,
}

/// Soft memberships: linear, tanh, dropout, linear, softmax.
#[derive(Module, Debug)]
pub struct EstimationNetwork {
    /// `latent + 2 → estimation_features`.
    pub hidden: Linear,
    /// `estimation_features → components`.
    pub output: Linear,
    dropout: f64,
}

/// Running moments of a mixture, for evaluation.
#[derive(Module, Debug)]
pub struct RunningMoments {
    /// `[K]`.
    pub weights: RunningState<Tensor<1>>,
    /// `[K, D]`.
    pub means: RunningState<Tensor<2>>,
    /// `[K, D, D]`.
    pub covariances: RunningState<Tensor<3>>,
}

impl EstimationNetwork {
    /// Soft memberships γ of feature vectors.
    ///
    /// In [`Mode::Train`] with a dropout asks `noise` for uniform `[batch, estimation_features]`.
    ///
    /// # Shapes
    /// - `features`: `[batch, latent + 2]`, output: `[batch, components]`, rows of sum 1
    pub fn forward(
        &self,
        features: Tensor<2>,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> Tensor<2> {
        let mut hidden = self.hidden.forward(features).tanh();
        if mode == Mode::Train && self.dropout > 0.0 {
            let dims = hidden.dims();
            let kept = 1.0 - self.dropout;
            let mask = noise.uniform(dims.iter().product()).into_iter();
            let mask = mask.map(|u| if f64::from(u) < kept { 1.0 / kept } else { 0.0 });
            let mask = TensorData::new(mask.collect::<Vec<f64>>(), dims).convert::<f32>();
            hidden = hidden.clone() * Tensor::from_data(mask, &hidden.device());
        }
        activation::softmax(self.output.forward(hidden), 1)
    }
}

impl RunningMoments {
    /// K standard normal components of equal weight.
    fn new(components: usize, size: usize, device: &Device) -> Self {
        let weights = Tensor::full([components], 1.0 / components as f64, device);
        let identity = Tensor::<2>::eye(size, device).unsqueeze_dim::<3>(0);
        Self {
            weights: RunningState::new(weights),
            means: RunningState::new(Tensor::zeros([components, size], device)),
            covariances: RunningState::new(identity.repeat_dim(0, components)),
        }
    }

    /// Takes in the moments of a batch: the moments of the old points and the new ones together, each
    /// component's by how many points it has in both. A component without points in the batch keeps
    /// its mean and covariance.
    pub fn update(&self, batch: &MixtureMoments) {
        let old = self.moments();
        let column = |share: f64, weights: Tensor<1>| {
            let weights = weights.detach().unsqueeze_dim::<2>(1);
            weights.clamp_min(LEAST_WEIGHT) * share
        };
        let of_old = column(1.0 - MOMENTUM, old.weights.clone());
        let of_new = column(MOMENTUM, batch.weights.clone());
        let share = of_new.clone() / (of_old + of_new);
        let step = batch.means.clone().detach() - old.means.clone();
        // Σ = (1 − s)·Σ_old + s·Σ_new + s·(1 − s)·δδᵀ with the share s and the distance δ of means.
        let outer = step.clone().unsqueeze_dim::<3>(2) * step.clone().unsqueeze_dim::<3>(1);
        let between = share.clone() * (share.clone() * -1.0 + 1.0);
        let blocks = |share: Tensor<2>| share.unsqueeze_dim::<3>(2);
        let covariances = old.covariances.clone()
            + (batch.covariances.clone().detach() - old.covariances) * blocks(share.clone())
            + outer * blocks(between);
        move_running(&self.weights, batch.weights.clone(), MOMENTUM);
        set_running(&self.means, old.means + step * share);
        set_running(&self.covariances, covariances);
    }

    /// The moments as they are.
    pub fn moments(&self) -> MixtureMoments {
        MixtureMoments {
            weights: self.weights.value_sync(),
            means: self.means.value_sync(),
            covariances: self.covariances.value_sync(),
        }
    }
}

impl Dagmm {
    /// Builds a model with PyTorch's default initialisation drawn from `noise`.
    ///
    /// Pass an autodiff device to train it.
    ///
    /// # Errors
    /// For a configuration that no model can be built from.
    pub fn new(
        config: &DagmmConfig,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<Self, ModelConfigError> {
        config.validate()?;
        let (backbone, components) = (&config.backbone, config.components);
        let size = backbone.latent_dim + RECONSTRUCTION_FEATURES;
        let features = config.estimation_features;
        Ok(Self {
            encoder: Encoder::new(backbone, noise, device),
            decoder: Decoder::new(backbone, noise, device),
            estimation: EstimationNetwork {
                hidden: initialise::linear(size, features, noise, device),
                output: initialise::linear(features, components, noise, device),
                dropout: config.dropout,
            },
            running: RunningMoments::new(components, size, device),
            latent_dim: backbone.latent_dim,
        })
    }

    /// Images through their codes and back.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    pub fn autoencode(&self, images: Tensor<4>, mode: Mode) -> Encoded {
        let codes = self.encoder.forward(images.clone(), mode).mean;
        Encoded {
            reconstructed: self.decoder.forward(codes.clone(), mode),
            images,
            codes,
        }
    }

    /// What the mixture is over: the code, the relative Euclidean distance and the cosine similarity of
    /// image and reconstruction (Zong et al., equations 1 and 2).
    ///
    /// # Shapes
    /// - output: `[batch, latent + 2]`
    pub fn features(&self, encoded: &Encoded) -> Tensor<2> {
        let pair = || (encoded.images.clone(), encoded.reconstructed.clone());
        let (images, reconstructed) = pair();
        let distance = relative_reconstruction_error(images, reconstructed);
        let (images, reconstructed) = pair();
        let similarity = cosine_similarity(images, reconstructed);
        let columns = vec![
            encoded.codes.clone(),
            distance.unsqueeze_dim(1),
            similarity.unsqueeze_dim(1),
        ];
        Tensor::cat(columns, 1)
    }

    /// The mixture of the training data, by the running statistics.
    pub fn mixture(&self) -> GaussianMixture {
        self.mixture_of(self.running.moments())
    }

    /// The mixture with these moments.
    pub fn mixture_of(&self, moments: MixtureMoments) -> GaussianMixture {
        moments.mixture(JITTER)
    }

    /// The law of the codes alone: the mixture without the features of the reconstruction.
    pub(crate) fn code_moments(&self) -> MixtureMoments {
        let moments = self.running.moments();
        let codes = self.latent_dim;
        MixtureMoments {
            weights: moments.weights,
            means: moments.means.narrow(1, 0, codes),
            covariances: moments.covariances.narrow(1, 0, codes).narrow(2, 0, codes),
        }
    }
}

impl Autoencoder for Dagmm {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn code(&self, images: Tensor<4>) -> Tensor<2> {
        self.encoder.forward(images, Mode::Evaluate).mean
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.decoder.forward(codes, Mode::Evaluate)
    }

    /// Asks for uniform `[batch]`, then standard normal `[batch, latent]`.
    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let moments = self.code_moments();
        let device = moments.means.device();
        let weights: Vec<f64> = moments.weights.clone().into_data().iter::<f64>().collect();
        let chosen = noise.uniform(batch).into_iter();
        let chosen: Vec<f32> = chosen
            .flat_map(|u| one_hot(&weights, f64::from(u)))
            .collect();
        let shape = [batch, weights.len()];
        let chosen = Tensor::<2>::from_data(TensorData::new(chosen, shape), &device);
        let epsilon = normal_tensor(noise, [batch, self.latent_dim], &device);
        let mixture = self.mixture_of(moments);
        // [K, batch, latent]: every component's draw, of which one is taken.
        let draws = epsilon
            .unsqueeze_dim::<3>(0)
            .matmul(mixture.factors.transpose())
            + mixture.means.unsqueeze_dim::<3>(1);
        let chosen = chosen.transpose().unsqueeze_dim::<3>(2);
        (draws * chosen).sum_dim(0).squeeze_dim(0)
    }

    /// `energy`, of the code and the features of the reconstruction under the mixture.
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        let energy = self.mixture().energy(self.features(encoded));
        vec![Score::new("energy", energy)]
    }

    fn components(&self) -> Option<&dyn Components> {
        Some(self)
    }
}

/// 1 at the component that the point `u` of the unit interval falls to, 0 elsewhere.
fn one_hot(weights: &[f64], u: f64) -> Vec<f32> {
    let mut below = 0.0;
    let chosen = weights.iter().position(|weight| {
        below += weight;
        u < below
    });
    let chosen = chosen.unwrap_or(weights.len() - 1);
    let mut one_hot = vec![0.0; weights.len()];
    one_hot[chosen] = 1.0;
    one_hot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values;
    use gwae_core::random::{SeededGenerator, uniform_tensor};

    fn model(device: &Device) -> Dagmm {
        let config = DagmmConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 2,
                width: 0.1,
                ..BackboneConfig::default()
            },
            components: 3,
            ..DagmmConfig::default()
        };
        Dagmm::new(&config, &mut SeededGenerator::new(4, 0), device).unwrap()
    }

    fn images(count: usize, device: &Device) -> Tensor<4> {
        let shape = [count, 1, 32, 32];
        uniform_tensor(&mut SeededGenerator::new(5, 0), shape, device)
    }

    #[test]
    fn features_are_code_distance_and_similarity() {
        let device = Device::flex();
        let model = model(&device);
        let encoded = model.autoencode(images(2, &device), Mode::Evaluate);
        let features = values(model.features(&encoded));
        let codes = values(encoded.codes);
        let (x, y) = (values(encoded.images), values(encoded.reconstructed));
        for image in 0..2 {
            let row = &features[4 * image..4 * (image + 1)];
            assert_eq!(row[..2], codes[2 * image..2 * (image + 1)]);
            let range = 1024 * image..1024 * (image + 1);
            let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                let pairs = x[range.clone()].iter().zip(&y[range.clone()]);
                pairs.map(|(a, b)| f(*a, *b)).sum()
            };
            let norm = sum(&|a, _| a * a).sqrt();
            let distance = sum(&|a, b| (a - b).powi(2)).sqrt() / norm;
            let cosine = sum(&|a, b| a * b) / norm / sum(&|_, b| b * b).sqrt();
            assert!((row[2] - distance).abs() < 1e-5);
            assert!((row[3] - cosine).abs() < 1e-5);
        }
    }

    #[test]
    fn dropout_scales_what_it_keeps() {
        struct Half(usize);
        impl RandomSource for Half {
            fn standard_normal(&mut self, _: usize) -> Vec<f32> {
                unreachable!("dropout asks for uniform draws")
            }
            fn uniform(&mut self, count: usize) -> Vec<f32> {
                self.0 += count;
                (0..count)
                    .map(|k| if k % 2 == 0 { 0.25 } else { 0.75 })
                    .collect()
            }
        }
        let device = Device::flex();
        let network = model(&device).estimation;
        let features: Tensor<2> = uniform_tensor(&mut SeededGenerator::new(1, 0), [3, 4], &device);
        let mut noise = Half(0);
        let found = network.forward(features.clone(), Mode::Train, &mut noise);
        assert_eq!(noise.0, 30);
        let mask = [2.0f32, 0.0].repeat(15);
        let mask = Tensor::<2>::from_data(TensorData::new(mask, [3, 10]), &device);
        let hidden = network.hidden.forward(features.clone()).tanh() * mask;
        let expected = activation::softmax(network.output.forward(hidden), 1);
        assert_eq!(values(found), values(expected));
        let plain = network.forward(features, Mode::Evaluate, &mut noise);
        assert_eq!(noise.0, 30);
        let sums = values(plain.sum_dim(1));
        assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6));
    }

    #[test]
    fn running_moments_are_those_of_all_points_together() {
        let device = Device::flex().autodiff();
        let model = model(&device);
        let points = Tensor::<2>::ones([4, 4], &device) * 2.0;
        let memberships = Tensor::<2>::ones([4, 3], &device) / 3.0;
        model
            .running
            .update(&MixtureMoments::of(points, memberships));
        let moments = model.running.moments();
        let means = values(moments.means);
        assert!(means.iter().all(|mean| (mean - 0.2).abs() < 1e-6));
        // Within: 0.9·1 + 0.1·0; between: 0.09·2².
        let covariances = values(moments.covariances);
        assert!((covariances[0] - 1.26).abs() < 1e-6 && (covariances[1] - 0.36).abs() < 1e-6);
        // A component without points in a batch stays what it is.
        let points = Tensor::<2>::ones([4, 4], &device) * 50.0;
        let memberships = Tensor::<2>::from_data([[0.5, 0.5, 0.0]; 4], &device);
        model
            .running
            .update(&MixtureMoments::of(points, memberships));
        let means = values(model.running.moments().means);
        assert!(means[0] > 5.0 && (means[8] - 0.2).abs() < 1e-3, "{means:?}");
        // A model for use keeps its own statistics.
        let used = model.valid();
        used.running.update(&MixtureMoments {
            weights: Tensor::ones([3], &device.clone().without_autodiff()),
            means: Tensor::ones([3, 4], &device.clone().without_autodiff()),
            covariances: Tensor::ones([3, 4, 4], &device.clone().without_autodiff()),
        });
        assert_eq!(values(model.running.moments().means), means);
    }

    #[test]
    fn prior_codes_follow_the_mixture() {
        let device = Device::flex();
        let model = model(&device);
        let batch = MixtureMoments {
            weights: Tensor::from_data([0.8, 0.1, 0.1], &device),
            means: Tensor::full([3, 4], 3.0, &device),
            covariances: Tensor::<2>::eye(4, &device)
                .unsqueeze_dim::<3>(0)
                .repeat_dim(0, 3),
        };
        for _ in 0..200 {
            model.running.update(&batch);
        }
        let codes = values(model.sample_prior(2000, &mut SeededGenerator::new(2, 0)));
        let mean = codes.iter().sum::<f64>() / codes.len() as f64;
        let variance = codes.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / codes.len() as f64;
        assert!((mean - 3.0).abs() < 0.1, "{mean}");
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
    }

    #[test]
    fn every_point_of_the_unit_interval_belongs_to_a_component() {
        let weights = [0.25, 0.5, 0.25];
        for (u, chosen) in [
            (0.0, 0),
            (0.24, 0),
            (0.25, 1),
            (0.74, 1),
            (0.76, 2),
            (1.0, 2),
        ] {
            let mut expected = vec![0.0; 3];
            expected[chosen] = 1.0;
            assert_eq!(one_hot(&weights, u), expected, "{u}");
        }
    }

    #[test]
    fn fields_out_of_range_are_named() {
        let message = |change: fn(&mut DagmmConfig)| {
            let mut config = DagmmConfig::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(message(|c| c.components = 1).starts_with("model.components = 1"));
        assert!(message(|c| c.dropout = 1.0).starts_with("model.dropout = 1"));
        assert!(message(|c| c.energy_weight = -1.0).starts_with("model.energy_weight = -1"));
        assert!(message(|c| c.backbone.latent_dim = 512).contains("at most 256"));
        assert_eq!(DagmmConfig::default().validate(), Ok(()));
    }
}
