//! Diagonal Gaussians against the standard normal distribution.

use burn::tensor::Tensor;

/// The Kullback-Leibler divergence of diagonal Gaussians from N(0, I),
/// `mean_b ½ Σ_l (μ² + σ² − 1 − log σ²)` (Kingma, Welling, ICLR 2014, appendix B).
///
/// # Shapes
/// - `mean`, `logvar`: `[batch, latent]`
/// - output: `[1]`, in nats
pub fn standard_normal_divergence(mean: Tensor<2>, logvar: Tensor<2>) -> Tensor<1> {
    let batch = mean.dims()[0] as f64;
    let terms = mean.square() + logvar.clone().exp() - 1.0 - logvar;
    terms.sum() * (0.5 / batch)
}

/// `−log N(z; 0, I) = ½ (‖z‖² + L·log 2π)` of each code.
///
/// # Shapes
/// - `codes`: `[batch, latent]`
/// - output: `[batch]`, in nats
pub fn standard_normal_negative_log_density(codes: Tensor<2>) -> Tensor<1> {
    let constant = codes.dims()[1] as f64 * std::f64::consts::TAU.ln();
    let squares: Tensor<1> = codes.square().sum_dim(1).squeeze_dim(1);
    (squares + constant) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn the_divergence_is_its_integral() {
        // ∫ q log(q/p) of one Gaussian, by the trapezoidal rule.
        let (mean, logvar) = (0.7, -0.9f64);
        let deviation = (0.5 * logvar).exp();
        let log_normal = |x: f64, m: f64, s: f64| {
            -0.5 * ((x - m) / s).powi(2) - s.ln() - 0.5 * std::f64::consts::TAU.ln()
        };
        let step = 1e-3;
        let integral: f64 = (-10_000..10_000)
            .map(|k| {
                let x = mean + f64::from(k) * step;
                let q = log_normal(x, mean, deviation);
                q.exp() * (q - log_normal(x, 0.0, 1.0)) * step
            })
            .sum();
        let device = Device::flex();
        // The other row is N(0, 1) itself, so the mean over the batch is half of the first.
        let mean = f64_tensor(&[mean, 0.0], [2, 1], &device);
        let logvar = f64_tensor(&[logvar, 0.0], [2, 1], &device);
        let found = values(standard_normal_divergence(mean, logvar));
        assert_close(&found, &[integral / 2.0], 1e-9);
    }

    #[test]
    fn the_divergence_equals_the_naive_sum() {
        let (mean, logvar) = ([0.3, -0.7, 1.1, 0.2], [0.1, -2.0, 0.8, 0.0]);
        let pairs = mean.iter().zip(&logvar);
        let terms = pairs.map(|(m, v): (&f64, &f64)| 0.5 * (m * m + v.exp() - 1.0 - v));
        let expected = terms.sum::<f64>() / 2.0;
        let device = Device::flex();
        let mean = f64_tensor(&mean, [2, 2], &device);
        let logvar = f64_tensor(&logvar, [2, 2], &device);
        let found = values(standard_normal_divergence(mean, logvar));
        assert_close(&found, &[expected], 1e-12);
    }

    #[test]
    fn the_negative_log_density_has_its_closed_form() {
        let codes = f64_tensor(&[0.0, 0.0, 3.0, -4.0], [2, 2], &Device::flex());
        let at_zero = std::f64::consts::TAU.ln();
        let found = values(standard_normal_negative_log_density(codes));
        assert_close(&found, &[at_zero, at_zero + 12.5], 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        finite_difference(&[0.3, -0.7, 1.1, 0.2], [2, 2], 1e-7, |point| {
            standard_normal_divergence(point.clone(), point * -0.5 + 0.2)
        });
        finite_difference(&[0.3, -0.7, 1.1, 0.2], [2, 2], 1e-7, |codes| {
            let weights = f64_tensor(&[0.3, 2.0], [2], &codes.device());
            (standard_normal_negative_log_density(codes) * weights).sum()
        });
    }
}
