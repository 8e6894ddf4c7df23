//! The Gaussian mixture prior (GMP), for clusters.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use gwae_core::initialise::normal_parameter;
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{
    BatchNorm, GaussianMixture, MixtureMoments, Mode, OFFICIAL_MOMENTUM, identity_like,
};
use serde::{Deserialize, Serialize};

use crate::family::{MOST, PriorConfigError, PriorFamily, check_range};
use crate::form::{FORM_EXPLANATION, Form};
use crate::gumbel::{gumbel_tensor, one_hot_of_largest, straight_through};
use crate::prior::{Prior, PriorComponents};

/// Standard deviation of the noise that is added to the identity in the initial matrices.
const INITIAL_SPREAD: f64 = 0.01;

/// Variances are enlarged by this share before covariances are factorised.
const JITTER: f64 = 1e-4;

/// A mixture of Gaussians (GMP), for clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianMixtureConfig {
    /// Number of components, 2 to 65536 (default 10).
    pub components: usize,
    /// Form of the sampler: [`Form::Official`] has diagonal covariances and frozen mixture weights.
    pub form: Form,
}

impl Default for GaussianMixtureConfig {
    fn default() -> Self {
        Self {
            components: 10,
            form: Form::default(),
        }
    }
}

impl PriorFamily for GaussianMixtureConfig {
    const NAME: &'static str = "gaussian_mixture";
    const DESCRIPTION: &'static str = "a mixture of Gaussians, for clusters";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[
        ("components", "Number of Gaussians, from 2 to 65536."),
        FORM_EXPLANATION,
    ];
    type Prior = GaussianMixturePrior;

    fn validate(&self) -> Result<(), PriorConfigError> {
        check_range("components", self.components, 2..=MOST)
    }

    /// Near-identity Gaussians: means and logits from N(0, 1), matrices I + 0.01·N(0, 1).
    fn build(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> GaussianMixturePrior {
        let components = self.components;
        let component_mean = normal_parameter([components, latent_dim], noise, device);
        let spread = normal_tensor(noise, [components, latent_dim, latent_dim], device);
        let identity = Tensor::<2>::eye(latent_dim, device).unsqueeze_dim::<3>(0);
        GaussianMixturePrior {
            component_mean,
            component_sqrtprecision: Param::from_tensor(spread * INITIAL_SPREAD + identity),
            logits_unnormalized: normal_parameter([components], noise, device),
            batch_norm: BatchNorm::new(latent_dim, OFFICIAL_MOMENTUM, false, device),
            form: self.form,
        }
    }

    fn parameters(&self, latent_dim: usize) -> usize {
        let square = latent_dim.saturating_mul(latent_dim);
        let component = square.saturating_add(latent_dim);
        self.components.saturating_mul(component)
    }

    fn form_mut(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }
}

/// A mixture of K Gaussians, then a batch normalisation without scale and shift.
///
/// The Gumbel-max trick chooses the component of a draw: k = argmax(log w + gumbel) with the mixture
/// weights w = softmax(logits). With ε ~ N(0, I):
///
/// - [`Form::Corrected`]: `z = m_k + S_kᵀ ε`, with the covariance S_kᵀ S_k. A straight-through
///   estimator makes the logits trainable: the forward pass uses one-hot weights, the backward pass
///   the softmax of the perturbed logits.
/// - [`Form::Official`]: `z_j = m_kj + ε_j·Σ_i S_k,ij`. The authors' program contracts the wrong
///   index, so the covariance is diagonal. The logits get no gradient.
///
/// A draw asks for: uniform `[batch, K]`, then standard normal `[batch, L]`.
#[derive(Module, Debug)]
pub struct GaussianMixturePrior {
    /// Means m `[K, L]` (official: `component_mean`).
    pub component_mean: Param<Tensor<2>>,
    /// Matrices S `[K, L, L]` (official: `component_sqrtprecision`, though Sᵀ S is the covariance).
    pub component_sqrtprecision: Param<Tensor<3>>,
    /// Logarithms of the mixture weights up to a constant `[K]` (official: `logits_unnormalized`).
    pub logits_unnormalized: Param<Tensor<1>>,
    /// Normalisation of the codes (official: `batchnorm`).
    pub batch_norm: BatchNorm,
    #[module(skip)]
    form: Form,
}

impl GaussianMixturePrior {
    /// Number of components K.
    pub fn component_count(&self) -> usize {
        self.component_mean.dims()[0]
    }

    /// Form of the sampler.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The distribution of the draws in [`Mode::Evaluate`], as a mixture with a density.
    pub fn mixture(&self) -> GaussianMixture {
        let matrices = self.component_sqrtprecision.val();
        let covariances = match self.form {
            Form::Corrected => matrices.clone().transpose().matmul(matrices),
            Form::Official => {
                // The diagonal matrix of the squared column sums.
                let identity = identity_like(&matrices);
                matrices.sum_dim(1).square() * identity
            }
        };
        // The normalisation shifts and scales each entry. It treats a mean like any code.
        let means = self
            .batch_norm
            .forward(self.component_mean.val(), Mode::Evaluate);
        let scale = self.batch_norm.evaluation_scale();
        let rows = scale.clone().unsqueeze_dim::<2>(1).unsqueeze_dim::<3>(0);
        let columns = scale.unsqueeze_dim::<2>(0).unsqueeze_dim::<3>(0);
        MixtureMoments {
            weights: self.weights(),
            means,
            covariances: covariances * rows * columns,
        }
        .mixture(JITTER)
    }

    /// `Σ_k weight_k (m_k + S_kᵀ ε)` with straight-through one-hot weights.
    ///
    /// Draws every component, [K, B, L], because the gradient of the weights needs all of them.
    /// Gathering one matrix per row would take [B, L, L].
    fn corrected(&self, scores: Tensor<2>, epsilon: Tensor<2>) -> Tensor<2> {
        let weights = straight_through(
            one_hot_of_largest(scores.clone()),
            activation::softmax(scores, 1),
        );
        let means = self.component_mean.val().unsqueeze_dim::<3>(1);
        let matrices = self.component_sqrtprecision.val();
        let draws = means + epsilon.unsqueeze_dim::<3>(0).matmul(matrices);
        let weights = weights.transpose().unsqueeze_dim::<3>(2);
        (draws * weights).sum_dim(0).squeeze_dim(0)
    }

    fn official(&self, scores: Tensor<2>, epsilon: Tensor<2>) -> Tensor<2> {
        let membership = one_hot_of_largest(scores);
        let scales = self.component_sqrtprecision.val().sum_dim(1);
        let scales = membership.clone().matmul(scales.squeeze_dim(1));
        membership.matmul(self.component_mean.val()) + epsilon * scales
    }
}

impl Prior for GaussianMixturePrior {
    fn latent_dim(&self) -> usize {
        self.component_mean.dims()[1]
    }

    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let gumbels = gumbel_tensor(noise, [batch, self.component_count()], device);
        let epsilon = normal_tensor(noise, [batch, self.latent_dim()], device);
        let logits = self.logits_unnormalized.val();
        let scores = activation::log_softmax(logits, 0).unsqueeze_dim::<2>(0) + gumbels;
        let codes = match self.form {
            Form::Corrected => self.corrected(scores, epsilon),
            Form::Official => self.official(scores, epsilon),
        };
        self.batch_norm.forward(codes, mode)
    }

    fn log_density(&self, codes: Tensor<2>) -> Option<Tensor<1>> {
        Some(-self.mixture().energy(codes))
    }

    fn components(&self) -> Option<&dyn PriorComponents> {
        Some(self)
    }
}

impl PriorComponents for GaussianMixturePrior {
    fn weights(&self) -> Tensor<1> {
        activation::softmax(self.logits_unnormalized.val(), 0)
    }

    fn log_densities(&self, codes: Tensor<2>) -> Tensor<2> {
        self.mixture().component_log_densities(codes)
    }

    /// Asks for: standard normal `[count, L]`.
    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let components = self.component_count();
        assert!(
            component < components,
            "component {component} does not exist: the mixture has components 0 to {}",
            components - 1
        );
        let mean = self.component_mean.val().slice_dim(0, component);
        let epsilon = normal_tensor(noise, [count, self.latent_dim()], &mean.device());
        let matrix = self.component_sqrtprecision.val().slice_dim(0, component);
        let deviation = match self.form {
            Form::Corrected => epsilon.matmul(matrix.squeeze_dim(0)),
            Form::Official => epsilon * matrix.sum_dim(1).squeeze_dim::<2>(1),
        };
        self.batch_norm.forward(mean + deviation, Mode::Evaluate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const L: usize = 3;
    const K: usize = 4;
    const BATCH: usize = 9;

    /// A mixture with matrices far from the identity.
    fn mixture(form: Form, seed: u64, device: &Device) -> GaussianMixturePrior {
        let mut tape = Tape::new(seed);
        let config = GaussianMixtureConfig {
            components: K,
            form,
        };
        let mut prior = config.init(L, &mut tape, device).unwrap();
        prior.component_sqrtprecision = normal_parameter([K, L, L], &mut tape, device);
        prior
    }

    fn parameters(prior: &GaussianMixturePrior) -> [Vec<f64>; 3] {
        [
            values(prior.component_mean.val()),
            values(prior.component_sqrtprecision.val()),
            values(prior.logits_unnormalized.val()),
        ]
    }

    /// Softmax of the perturbed logits of one row, and the index of its largest entry.
    fn memberships(logits: &[f64], uniforms: &[f64]) -> (Vec<f64>, usize) {
        let perturbed = |k: usize| (logits[k] - (-uniforms[k].ln()).ln()).exp();
        let total: f64 = (0..K).map(perturbed).sum();
        let soft: Vec<f64> = (0..K).map(|k| perturbed(k) / total).collect();
        let largest = (0..K).fold(0, |best, k| if soft[k] > soft[best] { k } else { best });
        (soft, largest)
    }

    /// The draws before the batch normalisation. With an `anchor`, the corrected form's weights are
    /// one-hot(anchor) + softmax(logits) − softmax(anchor). The derivative of this function at the
    /// anchor is the straight-through gradient.
    fn draws(
        form: Form,
        parameters: &[Vec<f64>],
        anchor: &[f64],
        uniforms: &[f64],
        epsilon: &[f64],
    ) -> Vec<f64> {
        let (mean, matrix) = (&parameters[0], &parameters[1]);
        let mut output = Vec::new();
        for (u, e) in uniforms.chunks(K).zip(epsilon.chunks(L)) {
            let (base, chosen) = memberships(anchor, u);
            let (soft, _) = memberships(&parameters[2], u);
            for j in 0..L {
                let mut z = 0.0;
                for k in 0..K {
                    let hard = f64::from(u8::from(k == chosen));
                    let entry = |i: usize| matrix[k * L * L + i * L + j];
                    let (weight, deviation) = match form {
                        Form::Corrected => (
                            hard + soft[k] - base[k],
                            (0..L).map(|i| entry(i) * e[i]).sum::<f64>(),
                        ),
                        Form::Official => (hard, e[j] * (0..L).map(entry).sum::<f64>()),
                    };
                    z += weight * (mean[k * L + j] + deviation);
                }
                output.push(z);
            }
        }
        output
    }

    #[test]
    fn both_forms_equal_their_formula_and_its_gradient() {
        let device = Device::flex().autodiff();
        for form in [Form::Corrected, Form::Official] {
            let prior = mixture(form, 12, &device);
            let mut tape = Tape::new(13);
            let codes = prior.sample(BATCH, Mode::Train, &mut tape, &device);
            let order = [(Kind::Uniform, BATCH * K), (Kind::Normal, BATCH * L)];
            assert_eq!(tape.shapes(), order);

            let (uniforms, epsilon) = (tape.read(0), tape.read(1));
            let parameters = parameters(&prior);
            let anchor = &parameters[2];
            let forward =
                |p: &[Vec<f64>]| naive_batch_norm(&draws(form, p, anchor, &uniforms, &epsilon), L);
            assert_close(&values(codes.clone()), &forward(&parameters), 1e-4);

            let gradients = weighted_sum(codes).backward();
            let logits = gradient(&prior.logits_unnormalized, &gradients);
            assert_eq!(logits.is_some(), form == Form::Corrected);
            let actual = [
                gradient(&prior.component_mean, &gradients).unwrap(),
                gradient(&prior.component_sqrtprecision, &gradients).unwrap(),
                logits.unwrap_or(vec![0.0; K]),
            ];
            if form == Form::Corrected {
                assert!(actual[2].iter().any(|x| x.abs() > 0.01));
            }
            check_gradients(&parameters, &actual, |p| naive_weighted_sum(&forward(p)));
        }
    }

    #[test]
    fn components_are_chosen_in_proportion_to_their_weights() {
        let device = Device::flex();
        let mut prior = mixture(Form::Corrected, 14, &device);
        // Component k is at 100·k and has a small spread.
        let places: Vec<f32> = (0..K * L).map(|i| 100.0 * (i / L) as f32).collect();
        let places = burn::tensor::TensorData::new(places, [K, L]);
        prior.component_mean = Param::from_tensor(Tensor::from_data(places, &device));
        let weights = [0.1, 0.2, 0.3, 0.4f64];
        prior.logits_unnormalized = Param::from_tensor(Tensor::from_data(
            weights.map(|w| w.ln() as f32 + 5.0),
            &device,
        ));
        let codes = values(prior.sample(10_000, Mode::Evaluate, &mut Tape::new(15), &device));
        let mut frequency = [0.0; K];
        for row in codes.chunks(L) {
            frequency[(row[0] / 100.0).round() as usize] += 1e-4;
        }
        assert_close(&frequency, &weights, 0.015);
    }

    #[test]
    fn a_component_of_the_corrected_form_has_full_covariance() {
        let device = Device::flex();
        let prior = mixture(Form::Corrected, 16, &device);
        let (count, component) = (40_000, 2);
        let codes = values(prior.draw(component, count, &mut Tape::new(17)));
        let [mean, matrix, _] = parameters(&prior);
        let (mean, matrix) = (&mean[component * L..], &matrix[component * L * L..]);
        let mut covariance = [[0.0; L]; L];
        for row in codes.chunks(L) {
            for (i, j) in (0..L * L).map(|index| (index / L, index % L)) {
                covariance[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / count as f64;
            }
        }
        let expected = |i: usize, j: usize| -> f64 {
            (0..L).map(|k| matrix[k * L + i] * matrix[k * L + j]).sum()
        };
        for (i, j) in (0..L * L).map(|index| (index / L, index % L)) {
            // Four standard errors of an empirical covariance of normal draws.
            let variance = expected(i, i) * expected(j, j) + expected(i, j).powi(2);
            let tolerance = 4.0 * (variance / count as f64).sqrt();
            let difference = covariance[i][j] - expected(i, j);
            assert!(difference.abs() < tolerance, "entry {i} {j}: {difference}");
        }
        assert!(expected(0, 1).abs() > 0.1, "correlated on purpose");
    }

    #[test]
    fn draws_of_a_component_equal_the_mixture_that_chose_it() {
        let device = Device::flex();
        for form in [Form::Corrected, Form::Official] {
            let prior = mixture(form, 18, &device);
            let epsilon = vec![0.3, -1.1, 0.8];
            for component in 0..K {
                let mut u = vec![1e-7; K];
                u[component] = 1.0 - 1e-7;
                let mut noise = Replay::new([u, epsilon.clone()]);
                let mixed = prior.sample(1, Mode::Evaluate, &mut noise, &device);
                let mut noise = Replay::new([epsilon.clone()]);
                let alone = prior.draw(component, 1, &mut noise);
                assert_close(&values(mixed), &values(alone), 1e-5);
            }
        }
    }

    #[test]
    #[should_panic(expected = "component 4 does not exist: the mixture has components 0 to 3")]
    fn a_component_that_does_not_exist_is_named() {
        let prior = mixture(Form::Corrected, 18, &Device::flex());
        prior.draw(K, 1, &mut Replay::new([]));
    }

    #[test]
    fn extreme_uniforms_give_finite_codes_and_gradients() {
        let device = Device::flex().autodiff();
        let prior = mixture(Form::Corrected, 19, &device);
        let (low, high) = (1e-7, 1.0 - 1e-7);
        let u = [[low; K], [high; K], [low, high, low, high]].concat();
        let mut noise = Replay::new([u, (0..3 * L).map(|i| i as f32 - 4.0).collect()]);
        let codes = prior.sample(3, Mode::Train, &mut noise, &device);
        assert!(values(codes.clone()).iter().all(|x| x.is_finite()));
        let gradients = weighted_sum(codes).backward();
        let logits = gradient(&prior.logits_unnormalized, &gradients).unwrap();
        assert!(logits.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn the_mixture_has_the_moments_of_the_draws() {
        for form in [Form::Corrected, Form::Official] {
            let device = Device::flex();
            let prior = mixture(form, 5, &device);
            // A batch normalisation other than the identity.
            let mut tape = Tape::new(6);
            prior.sample(64, Mode::Train, &mut tape, &device);
            let count = 20_000;
            for component in 0..K {
                let draws = values(prior.draw(component, count, &mut tape));
                let mean: Vec<f64> = (0..L)
                    .map(|i| draws.chunks(L).map(|z| z[i]).sum::<f64>() / count as f64)
                    .collect();
                let distribution = prior.mixture();
                let means = values(distribution.means);
                let factor = values(distribution.factors);
                let factor = &factor[component * L * L..(component + 1) * L * L];
                for i in 0..L {
                    let covariance = |j| covariance_of(factor, i, j);
                    let deviation = covariance(i).sqrt();
                    let expected = means[component * L + i];
                    assert!((mean[i] - expected).abs() < 0.05 * deviation);
                    for j in 0..L {
                        let products = draws.chunks(L).map(|z| (z[i] - mean[i]) * (z[j] - mean[j]));
                        let found = products.sum::<f64>() / count as f64;
                        let scale =
                            (covariance_of(factor, i, i) * covariance_of(factor, j, j)).sqrt();
                        assert!((found - covariance(j)).abs() < 0.05 * scale);
                    }
                }
            }
            let weights = values(prior.weights());
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        }
    }

    fn covariance_of(factor: &[f64], i: usize, j: usize) -> f64 {
        (0..L).map(|k| factor[i * L + k] * factor[j * L + k]).sum()
    }
}
