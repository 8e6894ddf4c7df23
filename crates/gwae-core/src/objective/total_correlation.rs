//! How much the entries of a code depend on each other, estimated from a batch.

use burn::tensor::Tensor;

/// The divergence of the codes from the prior N(0, I), in three parts whose sum it is (Chen et al.,
/// NeurIPS 2018, equation 2). Each is in nats, with shape `[1]`.
pub struct DivergenceParts {
    /// `I(x; z)`, the mutual information of images and codes.
    pub mutual_information: Tensor<1>,
    /// `KL(q(z) ‖ Π_l q(z_l))`, the total correlation.
    pub total_correlation: Tensor<1>,
    /// `Σ_l KL(q(z_l) ‖ p(z_l))`.
    pub dimension_wise: Tensor<1>,
}

/// Estimates the parts by minibatch-weighted sampling (Chen et al., NeurIPS 2018, equation S3):
/// `log q(z_i) ≈ log Σ_j q(z_i|x_j) − log(N·M)` for a batch of M of the N training images.
///
/// The estimates are biased. On a small batch the total correlation can be negative.
///
/// # Shapes
/// - `codes`: `[batch, latent]`, a draw from each posterior
/// - `mean`, `logvar`: `[batch, latent]`, the posteriors
pub fn divergence_parts(
    codes: Tensor<2>,
    mean: Tensor<2>,
    logvar: Tensor<2>,
    training_images: usize,
) -> DivergenceParts {
    let batch = codes.dims()[0];
    let normaliser = (training_images as f64 * batch as f64).ln();
    // log q(z_il | x_j): [i, j, l].
    let at = codes.clone().unsqueeze_dim::<3>(1);
    let log_posteriors = log_normal(
        at - mean.clone().unsqueeze_dim::<3>(0),
        logvar.clone().unsqueeze_dim::<3>(0),
    );
    let joint: Tensor<2> = log_posteriors.clone().sum_dim(2).squeeze_dim(2);
    let log_joint: Tensor<1> = log_sum_exp(joint, 1).squeeze_dim::<1>(1) - normaliser;
    let log_marginals: Tensor<2> = log_sum_exp(log_posteriors, 1).squeeze_dim(1);
    let log_marginals = sum_of_rows(log_marginals - normaliser);
    let own = sum_of_rows(log_normal(codes.clone() - mean, logvar));
    let prior = sum_of_rows(log_normal(codes.clone(), codes.zeros_like()));
    DivergenceParts {
        mutual_information: (own - log_joint.clone()).mean(),
        total_correlation: (log_joint - log_marginals.clone()).mean(),
        dimension_wise: (log_marginals - prior).mean(),
    }
}

fn sum_of_rows(rows: Tensor<2>) -> Tensor<1> {
    rows.sum_dim(1).squeeze_dim(1)
}

/// `log N(offset; 0, exp(logvar))` of each element.
fn log_normal<const D: usize>(offset: Tensor<D>, logvar: Tensor<D>) -> Tensor<D> {
    let scaled = offset.square() * (-logvar.clone()).exp();
    (scaled + logvar + std::f64::consts::TAU.ln()) * -0.5
}

/// `log Σ exp` along a dimension, which stays with size 1.
fn log_sum_exp<const D: usize>(values: Tensor<D>, dim: usize) -> Tensor<D> {
    let largest = values.clone().detach().max_dim(dim);
    (values - largest.clone()).exp().sum_dim(dim).log() + largest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{RandomSource, SeededGenerator};
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    fn draw(seed: u64, count: usize) -> Vec<f64> {
        let values = SeededGenerator::new(seed, 0).standard_normal(count);
        values.into_iter().map(f64::from).collect()
    }

    fn log_density(x: f64, mean: f64, logvar: f64) -> f64 {
        -0.5 * ((x - mean).powi(2) / logvar.exp() + logvar + std::f64::consts::TAU.ln())
    }

    #[test]
    fn the_parts_equal_the_naive_sums() {
        let (batch, latent, images) = (5, 3, 40);
        let (codes, mean) = (draw(1, batch * latent), draw(2, batch * latent));
        let logvar = draw(3, batch * latent);
        let q = |i: usize, j: usize, l: usize| {
            let at = j * latent + l;
            log_density(codes[i * latent + l], mean[at], logvar[at])
        };
        let normaliser = ((batch * images) as f64).ln();
        let (mut information, mut correlation, mut dimension_wise) = (0.0, 0.0, 0.0);
        for i in 0..batch {
            let joint = |j| (0..latent).map(|l| q(i, j, l)).sum::<f64>();
            let log_joint = (0..batch).map(|j| joint(j).exp()).sum::<f64>().ln() - normaliser;
            let marginal = |l| (0..batch).map(|j| q(i, j, l).exp()).sum::<f64>().ln() - normaliser;
            let log_marginals: f64 = (0..latent).map(marginal).sum();
            let prior: f64 = (0..latent)
                .map(|l| log_density(codes[i * latent + l], 0.0, 0.0))
                .sum();
            information += joint(i) - log_joint;
            correlation += log_joint - log_marginals;
            dimension_wise += log_marginals - prior;
        }
        let device = Device::flex();
        let tensor = |values: &[f64]| f64_tensor(values, [batch, latent], &device);
        let parts = divergence_parts(tensor(&codes), tensor(&mean), tensor(&logvar), images);
        let scale = batch as f64;
        for (found, expected) in [
            (parts.mutual_information, information / scale),
            (parts.total_correlation, correlation / scale),
            (parts.dimension_wise, dimension_wise / scale),
        ] {
            assert_close(&values(found), &[expected], 1e-10);
        }
    }

    /// With the whole data as the batch, only the bias of the estimate is left. The codes are those
    /// of a Gaussian with correlation 0.9, whose total correlation is −½ log(1 − 0.9²) = 0.83.
    #[test]
    fn the_total_correlation_is_that_of_a_correlated_gaussian() {
        let (batch, correlation, noise) = (1500, 0.9f64, 0.15f64);
        let draws = draw(7, 4 * batch);
        // Means with covariance C − noise² I, so that the codes have the covariance C.
        let rest = 1.0 - noise * noise;
        let inner = correlation / rest;
        let (mut means, mut codes) = (Vec::new(), Vec::new());
        for row in draws.chunks(4) {
            let first = row[0] * rest.sqrt();
            let second = (inner * row[0] + (1.0 - inner * inner).sqrt() * row[1]) * rest.sqrt();
            means.extend([first, second]);
            codes.extend([first + noise * row[2], second + noise * row[3]]);
        }
        let device = Device::flex();
        let logvar = vec![2.0 * noise.ln(); 2 * batch];
        let tensor = |values: &[f64]| f64_tensor(values, [batch, 2], &device);
        let parts = divergence_parts(tensor(&codes), tensor(&means), tensor(&logvar), batch);
        // The estimate of each logarithm is too small by log N, that of the joint once and those of
        // the marginals once each. So the total correlation is too large by (L − 1)·log N.
        let bias = -(batch as f64).ln();
        let expected = -0.5 * (1.0 - correlation * correlation).ln();
        let found = values(parts.total_correlation)[0] + bias;
        assert!((found - expected).abs() < 0.1, "{found} {expected}");
    }

    #[test]
    fn gradients_match_finite_differences() {
        let (codes, mean, logvar) = (draw(4, 12), draw(5, 12), draw(6, 12));
        let total = |codes: Tensor<2>, mean: Tensor<2>, logvar: Tensor<2>| {
            let parts = divergence_parts(codes, mean, logvar, 30);
            parts.mutual_information + parts.total_correlation * 3.0 + parts.dimension_wise * 0.5
        };
        let tensor = |values: &[f64], like: &Tensor<2>| f64_tensor(values, [4, 3], &like.device());
        finite_difference(&codes, [4, 3], 1e-6, |codes| {
            let (mean, logvar) = (tensor(&mean, &codes), tensor(&logvar, &codes));
            total(codes, mean, logvar)
        });
        finite_difference(&mean, [4, 3], 1e-6, |mean| {
            let (codes, logvar) = (tensor(&codes, &mean), tensor(&logvar, &mean));
            total(codes, mean, logvar)
        });
        finite_difference(&logvar, [4, 3], 1e-6, |logvar| {
            let (codes, mean) = (tensor(&codes, &logvar), tensor(&mean, &logvar));
            total(codes, mean, logvar)
        });
    }
}
