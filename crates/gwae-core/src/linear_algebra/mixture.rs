//! Gaussian mixtures with full covariances: densities, and moments from memberships.

use burn::tensor::Tensor;

use crate::linear_algebra::cholesky::{cholesky, identity_like, log_determinant, solve_lower};

/// A mixture of K Gaussians over D dimensions, ready to evaluate.
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    /// Logarithms of the mixture weights, `[K]`.
    pub log_weights: Tensor<1>,
    /// Means, `[K, D]`.
    pub means: Tensor<2>,
    /// Lower Cholesky factors of the covariances, `[K, D, D]`.
    pub factors: Tensor<3>,
}

/// Weights, means and covariances of K Gaussians.
#[derive(Clone, Debug)]
pub struct MixtureMoments {
    /// Mixture weights φ, `[K]`, which sum to 1.
    pub weights: Tensor<1>,
    /// Means μ, `[K, D]`.
    pub means: Tensor<2>,
    /// Covariances Σ, `[K, D, D]`.
    pub covariances: Tensor<3>,
}

/// Weights are raised to at least this value before the logarithm.
const LEAST_WEIGHT: f64 = 1e-12;

/// The sum of a component's memberships is raised to at least this value. The moments of a component
/// without points then stay finite.
const LEAST_MEMBERSHIP: f64 = 1e-6;

impl MixtureMoments {
    /// The moments of points under soft memberships (Zong et al., ICLR 2018, equation 5):
    /// `φ_k = mean_b γ_bk`, `μ_k = Σ_b γ_bk z_b / Σ_b γ_bk` and the covariance likewise.
    ///
    /// # Shapes
    /// - `points`: `[batch, D]`
    /// - `memberships`: γ `[batch, K]`, whose rows sum to 1
    pub fn of(points: Tensor<2>, memberships: Tensor<2>) -> Self {
        let weights: Tensor<1> = memberships.clone().mean_dim(0).squeeze_dim(0);
        let total = memberships.clone().sum_dim(0).clamp_min(LEAST_MEMBERSHIP);
        // [K, batch]; rows sum to 1.
        let shares = (memberships / total).transpose();
        let means = shares.clone().matmul(points.clone());
        let differences = differences(points, means.clone());
        let weighted = differences.clone() * shares.unsqueeze_dim::<3>(2);
        Self {
            weights,
            means,
            covariances: weighted.transpose().matmul(differences),
        }
    }

    /// The mixture with every variance `v` of the covariances enlarged to `(1 + jitter)·v + jitter²`.
    ///
    /// The enlargement is in proportion to the variance because rounding errors are too. With fewer
    /// points than dimensions a covariance is singular. In single precision, its factorisation is
    /// then stable from a `jitter` of about 1e-3 on, whatever the scale of each dimension.
    pub fn mixture(self, jitter: f64) -> GaussianMixture {
        let covariances = self.covariances;
        let identity = identity_like(&covariances);
        let enlarged = covariances.clone() * identity.clone() * jitter + identity * jitter.powi(2);
        GaussianMixture {
            log_weights: self.weights.clamp_min(LEAST_WEIGHT).log(),
            means: self.means,
            factors: cholesky(covariances + enlarged),
        }
    }
}

impl GaussianMixture {
    /// `log w_k + log N(z_b; μ_k, Σ_k)` of every point and component, in nats.
    ///
    /// # Shapes
    /// - `points`: `[batch, D]`
    /// - output: `[batch, K]`
    pub fn component_log_densities(&self, points: Tensor<2>) -> Tensor<2> {
        let [components, size] = self.means.dims();
        let differences = differences(points, self.means.clone()).transpose();
        let whitened = solve_lower(self.factors.clone(), differences);
        let distances: Tensor<2> = whitened.square().sum_dim(1).squeeze_dim(1);
        let constant = size as f64 * std::f64::consts::TAU.ln();
        let normalisers = log_determinant(self.factors.clone()) + constant;
        let offsets = self.log_weights.clone() - normalisers * 0.5;
        (distances * -0.5 + offsets.reshape([components, 1])).transpose()
    }

    /// The energy `−log Σ_k w_k N(z_b; μ_k, Σ_k)` of every point, in nats (Zong et al., equation 6).
    ///
    /// # Shapes
    /// - `points`: `[batch, D]`
    /// - output: `[batch]`
    pub fn energy(&self, points: Tensor<2>) -> Tensor<1> {
        let densities = self.component_log_densities(points);
        let largest = densities.clone().detach().max_dim(1);
        let sum = (densities - largest.clone()).exp().sum_dim(1);
        -(sum.log() + largest).squeeze_dim::<1>(1)
    }
}

/// `z_b − μ_k`, `[K, batch, D]`.
fn differences(points: Tensor<2>, means: Tensor<2>) -> Tensor<3> {
    points.unsqueeze_dim::<3>(0) - means.unsqueeze_dim::<3>(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    const POINTS: [f64; 10] = [0.3, -0.7, 1.1, 0.2, 0.9, -0.4, -1.2, 0.8, 0.1, 0.5];
    const MEMBERSHIPS: [f64; 10] = [0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.3, 0.7, 0.6, 0.4];

    fn points(device: &Device) -> Tensor<2> {
        f64_tensor(&POINTS, [5, 2], device)
    }

    fn memberships(device: &Device) -> Tensor<2> {
        f64_tensor(&MEMBERSHIPS, [5, 2], device)
    }

    /// Weight, mean and covariance (upper triangle) of component `k`, term by term.
    fn naive_moments(k: usize) -> (f64, [f64; 2], [f64; 3]) {
        let rows = || POINTS.chunks(2).zip(MEMBERSHIPS.chunks(2).map(|g| g[k]));
        let total: f64 = rows().map(|(_, g)| g).sum();
        let mean = [0, 1].map(|i| rows().map(|(z, g)| g * z[i]).sum::<f64>() / total);
        let covariance = [(0, 0), (0, 1), (1, 1)].map(|(i, j)| {
            let terms = rows().map(|(z, g)| g * (z[i] - mean[i]) * (z[j] - mean[j]));
            terms.sum::<f64>() / total
        });
        (total / 5.0, mean, covariance)
    }

    fn naive_log_density(k: usize, z: &[f64]) -> f64 {
        let (weight, mean, [a, b, c]) = naive_moments(k);
        let determinant = a * c - b * b;
        let (x, y) = (z[0] - mean[0], z[1] - mean[1]);
        let distance = (c * x * x - 2.0 * b * x * y + a * y * y) / determinant;
        weight.ln() - 0.5 * (distance + determinant.ln()) - std::f64::consts::TAU.ln()
    }

    #[test]
    fn moments_and_densities_match_a_naive_computation() {
        let device = Device::flex();
        let moments = MixtureMoments::of(points(&device), memberships(&device));
        let naive: Vec<_> = (0..2).map(naive_moments).collect();
        assert_close(
            &values(moments.weights.clone()),
            &[naive[0].0, naive[1].0],
            1e-12,
        );
        assert_close(
            &values(moments.means.clone()),
            &[naive[0].1, naive[1].1].concat(),
            1e-12,
        );
        let full = |[a, b, c]: [f64; 3]| [a, b, b, c];
        assert_close(
            &values(moments.covariances.clone()),
            &[full(naive[0].2), full(naive[1].2)].concat(),
            1e-12,
        );
        let mixture = moments.mixture(0.0);
        let expected: Vec<f64> = POINTS
            .chunks(2)
            .flat_map(|z| [naive_log_density(0, z), naive_log_density(1, z)])
            .collect();
        let found = values(mixture.component_log_densities(points(&device)));
        assert_close(&found, &expected, 1e-10);
        let energies: Vec<f64> = expected
            .chunks(2)
            .map(|d| -(d[0].exp() + d[1].exp()).ln())
            .collect();
        assert_close(&values(mixture.energy(points(&device))), &energies, 1e-10);
    }

    #[test]
    fn far_points_have_a_finite_energy() {
        let device = Device::flex();
        let mixture = MixtureMoments::of(points(&device), memberships(&device)).mixture(1e-3);
        let far = f64_tensor(&[1e4, -1e4], [1, 2], &device);
        let energy = values(mixture.energy(far))[0];
        assert!(energy.is_finite() && energy > 1e6, "{energy}");
    }

    #[test]
    fn in_single_precision_a_singular_covariance_stays_finite() {
        // Three points in six dimensions of very different scales, in one component.
        let device = Device::flex().autodiff();
        let numbers: Vec<f32> = (0..18)
            .map(|k| (k as f32 * 1.7).sin() * 10f32.powi(k % 6 - 3))
            .collect();
        let data = burn::tensor::TensorData::new(numbers, [3, 6]);
        let points = Tensor::<2>::from_data(data, &device).require_grad();
        let memberships = Tensor::<2>::ones([3, 1], &device);
        let energy = MixtureMoments::of(points.clone(), memberships)
            .mixture(1e-3)
            .energy(points.clone());
        let gradient = points.grad(&energy.clone().sum().backward()).unwrap();
        assert!(values(energy).iter().all(|energy| energy.abs() < 1e3));
        assert!(values(gradient).iter().all(|slope| slope.is_finite()));
    }

    #[test]
    fn a_component_without_points_stays_finite() {
        let device = Device::flex();
        let one_sided: Vec<f64> = [1.0, 0.0].repeat(5);
        let memberships = f64_tensor(&one_sided, [5, 2], &device);
        let mixture = MixtureMoments::of(points(&device), memberships).mixture(1e-3);
        assert!(
            values(mixture.energy(points(&device)))
                .iter()
                .all(|energy| energy.is_finite())
        );
    }

    #[test]
    fn gradients_match_finite_differences() {
        finite_difference(&POINTS, [5, 2], 1e-6, |points| {
            let logits = points.clone() * 0.7 + 0.1;
            let memberships = burn::tensor::activation::softmax(logits, 1);
            let mixture = MixtureMoments::of(points.clone(), memberships).mixture(1e-3);
            mixture.energy(points).sum()
        });
    }
}
