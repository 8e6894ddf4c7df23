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
}
