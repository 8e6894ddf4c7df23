//! The deep autoencoding Gaussian mixture model.

use burn::module::Module;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{
    GaussianMixture, MixtureMoments, Mode, cosine_similarity, relative_reconstruction_error,
};

use super::estimation::EstimationNetwork;
use super::moments::RunningMoments;
use crate::autoencoder::Autoencoder;
use crate::components::Components;
use crate::encoded::Encoded;
use crate::networks::{ConvDecoder, ConvEncoder, Decoder, Encoder};
use crate::score::{Score, ScoreDirection};

/// Variances are enlarged by this share before covariances are factorised.
const JITTER: f64 = 1e-3;

/// Number of features of a reconstruction beside the code: relative Euclidean distance and cosine
/// similarity.
pub(super) const RECONSTRUCTION_FEATURES: usize = 2;

/// A deep autoencoding Gaussian mixture model (Zong et al., ICLR 2018): a deterministic autoencoder and
/// an estimation network. The estimation network takes the code of an image and two features of its
/// reconstruction. It outputs soft memberships in the components of a Gaussian mixture.
///
/// The encoder is that of the other models; its log-variances are not used.
#[derive(Module, Debug)]
pub struct Dagmm<E = ConvEncoder, D = ConvDecoder>
where
    E: Module,
    D: Module,
{
    /// Image to code: the compression network.
    pub encoder: E,
    /// Code to image.
    pub decoder: D,
    /// Features to memberships.
    pub estimation: EstimationNetwork,
    /// The mixture of the training data.
    pub running: RunningMoments,
    latent_dim: usize,
}

impl<E: Encoder, D: Decoder> Dagmm<E, D> {
    /// Builds a model from parts on `device`. The codes have `latent_dim` entries; the estimation
    /// network takes these and two more features.
    pub fn new(
        encoder: E,
        decoder: D,
        estimation: EstimationNetwork,
        latent_dim: usize,
        device: &Device,
    ) -> Self {
        let size = latent_dim + RECONSTRUCTION_FEATURES;
        Self {
            running: RunningMoments::new(estimation.components(), size, device),
            encoder,
            decoder,
            estimation,
            latent_dim,
        }
    }

    /// Encodes and decodes images.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]` in `[0, 1]`
    pub fn autoencode(&self, images: Tensor<4>, mode: Mode) -> Encoded {
        let codes = self.encoder.encode(images.clone(), mode).mean;
        Encoded {
            reconstructed: self.decoder.decode(codes.clone(), mode),
            images,
            codes,
        }
    }

    /// The features that the mixture describes: the code, and the relative Euclidean distance and the
    /// cosine similarity of image and reconstruction (Zong et al., equations 1 and 2).
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

    /// The mixture of the training data, from the running statistics.
    pub fn mixture(&self) -> GaussianMixture {
        self.mixture_of(self.running.moments())
    }

    /// The mixture with these moments.
    pub fn mixture_of(&self, moments: MixtureMoments) -> GaussianMixture {
        moments.mixture(JITTER)
    }

    /// The distribution of the codes alone: the mixture without the features of the reconstruction.
    fn code_moments(&self) -> MixtureMoments {
        let moments = self.running.moments();
        let codes = self.latent_dim;
        MixtureMoments {
            weights: moments.weights,
            means: moments.means.narrow(1, 0, codes),
            covariances: moments.covariances.narrow(1, 0, codes).narrow(2, 0, codes),
        }
    }
}

impl<E: Encoder, D: Decoder> Autoencoder for Dagmm<E, D> {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.encoder.encode(images, Mode::Evaluate).mean
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.decoder.decode(codes, Mode::Evaluate)
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
        // [K, batch, latent]: a draw from every component, one of which is used.
        let draws = epsilon
            .unsqueeze_dim::<3>(0)
            .matmul(mixture.factors.transpose())
            + mixture.means.unsqueeze_dim::<3>(1);
        let chosen = chosen.transpose().unsqueeze_dim::<3>(2);
        (draws * chosen).sum_dim(0).squeeze_dim(0)
    }

    /// `energy`: the energy of the code and the reconstruction's features under the mixture.
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        let energy = self.mixture().energy(self.features(encoded));
        vec![Score::new(
            "energy",
            ScoreDirection::HigherIsOutside,
            energy,
        )]
    }

    fn components(&self) -> Option<Box<dyn Components + '_>> {
        Some(Box::new(self))
    }

    fn networks_in_precision(mut self, dtype: FloatDType) -> Self {
        self.encoder = self.encoder.in_precision(dtype);
        self.decoder = self.decoder.in_precision(dtype);
        self
    }
}

/// One-hot: 1 at the component whose share of the unit interval contains `u`.
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

/// The mixture over codes and two features of the reconstruction, from the running statistics. Draws
/// are codes only.
impl<E: Encoder, D: Decoder> Components for &Dagmm<E, D> {
    fn weights(&self) -> Tensor<1> {
        self.running.moments().weights
    }

    fn log_densities(&self, encoded: &Encoded) -> Tensor<2> {
        self.mixture()
            .component_log_densities(self.features(encoded))
    }

    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let mixture = self.mixture_of(self.code_moments());
        let mean = mixture.means.slice_dim(0, component);
        let factor = mixture.factors.slice_dim(0, component).squeeze_dim::<2>(0);
        let latent = mean.dims()[1];
        let epsilon = normal_tensor(noise, [count, latent], &mean.device());
        epsilon.matmul(factor.transpose()) + mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dagmm::DagmmConfig;
    use crate::networks::BackboneConfig;
    use crate::settings::ModelSettings;
    use crate::testing::values;
    use burn::tensor::activation::softmax;
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
        config
            .init(&mut SeededGenerator::new(4, 0), device)
            .unwrap()
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
        let expected = softmax(network.output.forward(hidden), 1);
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
        // Variance within the parts: 0.9·1 + 0.1·0; between them: 0.09·2².
        let covariances = values(moments.covariances);
        assert!((covariances[0] - 1.26).abs() < 1e-6 && (covariances[1] - 0.36).abs() < 1e-6);
        // A component without points in a batch does not change.
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
