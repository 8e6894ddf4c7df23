//! Maximum mean discrepancy between two batches of codes.

use burn::tensor::Tensor;

use crate::objective::distance::squared_distances;

/// The batch MMD with the kernel `k(a, b) = exp(−‖a − b‖² / L²)`, biased V-statistic:
/// `mean k(a, a) + mean k(b, b) − 2 mean k(a, b)`.
///
/// # Shapes
/// - `a`: `[m, latent]`, `b`: `[n, latent]`
/// - output: `[1]`
pub fn maximum_mean_discrepancy(a: Tensor<2>, b: Tensor<2>) -> Tensor<1> {
    let latent = a.dims()[1] as f64;
    let mean_kernel = |a: &Tensor<2>, b: &Tensor<2>| {
        let squared = squared_distances(a.clone(), b.clone());
        // Row by row first, because the mean of all values of a large batch at once depends on the
        // number of threads.
        let kernel = (squared * (-1.0 / (latent * latent))).exp();
        kernel.mean_dim(1).mean()
    };
    mean_kernel(&a, &a) + mean_kernel(&b, &b) - mean_kernel(&a, &b) * 2.0
}

/// The unbiased estimate of the squared MMD with the inverse multiquadratic kernel
/// `k(a, b) = C / (C + ‖a − b‖²)`, `C = 2 L σ²` (Tolstikhin et al., ICLR 2018, algorithm 2):
/// `Σ_{i≠j} k(a_i, a_j) / n(n−1) + Σ_{i≠j} k(b_i, b_j) / n(n−1) − 2 Σ_ij k(a_i, b_j) / n²`.
///
/// It can be negative. `deviation` is the standard deviation σ of an entry of the prior.
///
/// # Shapes
/// - `a`, `b`: `[n, latent]` with n ≥ 2
/// - output: `[1]`
pub fn inverse_multiquadratic_discrepancy(a: Tensor<2>, b: Tensor<2>, deviation: f64) -> Tensor<1> {
    let [count, latent] = a.dims();
    let scale = 2.0 * latent as f64 * deviation * deviation;
    let mean_kernel = |a: &Tensor<2>, b: &Tensor<2>| {
        let squared = squared_distances(a.clone(), b.clone());
        let kernel = (squared + scale).recip() * scale;
        // Row by row first, as above.
        kernel.mean_dim(1).mean()
    };
    // A sum over i ≠ j lacks the n values k(a, a) = 1 of the diagonal.
    let n = count as f64;
    let without_diagonal = |mean: Tensor<1>| (mean * n - 1.0) / (n - 1.0);
    without_diagonal(mean_kernel(&a, &a)) + without_diagonal(mean_kernel(&b, &b))
        - mean_kernel(&a, &b) * 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{RandomSource, SeededGenerator};
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    fn draw(seed: u64, count: usize) -> Vec<f64> {
        SeededGenerator::new(seed, 0)
            .standard_normal(count)
            .into_iter()
            .map(f64::from)
            .collect()
    }

    #[test]
    fn single_points_have_a_closed_form() {
        // k(a,a) = k(b,b) = 1 and ‖a − b‖² = 25 with L = 2: 2 − 2·exp(−25/4).
        let device = Device::flex();
        let a = f64_tensor(&[0.0, 0.0], [1, 2], &device);
        let b = f64_tensor(&[3.0, 4.0], [1, 2], &device);
        let expected = 2.0 - 2.0 * (-6.25f64).exp();
        assert_close(&values(maximum_mean_discrepancy(a, b)), &[expected], 1e-12);
    }

    #[test]
    fn equals_the_naive_double_sum() {
        let (a, b) = (draw(1, 4 * 3), draw(2, 5 * 3));
        let mean = |p: &[f64], q: &[f64]| -> f64 {
            let mut sum = 0.0;
            for x in p.chunks(3) {
                for y in q.chunks(3) {
                    let square: f64 = x.iter().zip(y).map(|(u, v)| (u - v).powi(2)).sum();
                    sum += (-square / 9.0).exp();
                }
            }
            sum / (p.len() / 3 * (q.len() / 3)) as f64
        };
        let expected = mean(&a, &a) + mean(&b, &b) - 2.0 * mean(&a, &b);
        let device = Device::flex();
        let ours = maximum_mean_discrepancy(
            f64_tensor(&a, [4, 3], &device),
            f64_tensor(&b, [5, 3], &device),
        );
        assert_close(&values(ours), &[expected], 1e-10);
    }

    #[test]
    fn a_batch_is_at_distance_zero_from_itself() {
        let a = f64_tensor(&draw(3, 12), [4, 3], &Device::flex());
        assert!(values(maximum_mean_discrepancy(a.clone(), a))[0].abs() < 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let (a, b) = (draw(4, 4 * 3), draw(5, 5 * 3));
        finite_difference(&a, [4, 3], 1e-6, |a| {
            let b = f64_tensor(&b, [5, 3], &a.device());
            maximum_mean_discrepancy(a, b)
        });
        finite_difference(&b, [5, 3], 1e-6, |b| {
            let a = f64_tensor(&a, [4, 3], &b.device());
            maximum_mean_discrepancy(a, b)
        });
    }

    #[test]
    fn the_unbiased_estimate_equals_the_naive_sum() {
        let (a, b, deviation) = (draw(6, 4 * 3), draw(7, 4 * 3), 0.8);
        let scale = 2.0 * 3.0 * deviation * deviation;
        let sum = |p: &[f64], q: &[f64], with_diagonal: bool| -> f64 {
            let mut sum = 0.0;
            for (i, x) in p.chunks(3).enumerate() {
                for (j, y) in q.chunks(3).enumerate() {
                    let square: f64 = x.iter().zip(y).map(|(u, v)| (u - v).powi(2)).sum();
                    if with_diagonal || i != j {
                        sum += scale / (scale + square);
                    }
                }
            }
            sum
        };
        let expected = (sum(&a, &a, false) + sum(&b, &b, false)) / 12.0 - sum(&a, &b, true) / 8.0;
        let device = Device::flex();
        let tensor = |values: &[f64]| f64_tensor(values, [4, 3], &device);
        let ours = inverse_multiquadratic_discrepancy(tensor(&a), tensor(&b), deviation);
        assert_close(&values(ours), &[expected], 1e-10);
    }

    #[test]
    fn the_gradient_of_the_unbiased_estimate_matches_finite_differences() {
        let (a, b) = (draw(8, 4 * 3), draw(9, 4 * 3));
        finite_difference(&a, [4, 3], 1e-6, |a| {
            let b = f64_tensor(&b, [4, 3], &a.device());
            inverse_multiquadratic_discrepancy(a, b, 1.3)
        });
    }
}
