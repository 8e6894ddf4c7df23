//! The estimated Gromov-Wasserstein loss.

use burn::tensor::Tensor;

use crate::linear_algebra::spread::spread_over_rows;
use crate::linear_algebra::square_root::safe_sqrt;
use crate::objective::distance::pairwise_distances;

/// The scale of the codes is raised to at least this value.
const LEAST_SCALE: f64 = 1e-8;

/// Scale of a batch of codes: the unbiased standard deviation over the batch, averaged over
/// the latent dimensions. Carries a gradient.
///
/// # Shapes
/// - `codes`: `[batch, latent]`, `batch ≥ 2`
/// - output: `[1]`
pub fn latent_scale(codes: Tensor<2>) -> Tensor<1> {
    safe_sqrt(codes.var(0)).mean()
}

/// The estimated Gromov-Wasserstein loss between decoded images and their codes:
///
/// `L_GW = mean_ij | c·‖z_i − z_j‖₂ / s − ‖x_i − x_j‖₂ |`, with `c = exp(log_coefficient)` and `s` =
/// [`latent_scale`], at least 1e-8. This is equation 9 of Nakagawa et al. 2023, estimated on a batch
/// drawn from the prior. The coupling is the decoder's graph.
///
/// The mean is over all `batch²` pairs, the zero diagonal included. Gradients reach images,
/// codes (also through `s`) and the coefficient.
///
/// # Shapes
/// - `images`: `[batch, pixels]`
/// - `codes`: `[batch, latent]`, `batch ≥ 2`
/// - `log_coefficient`: `[1]`
/// - output: `[1]`
pub fn estimated_gw_loss(
    images: Tensor<2>,
    codes: Tensor<2>,
    log_coefficient: Tensor<1>,
) -> Tensor<1> {
    let scale = latent_scale(codes.clone()).clamp_min(LEAST_SCALE);
    let factor = spread_over_rows(log_coefficient.exp() / scale, codes.dims()[0]);
    let latent_distances = pairwise_distances(codes) * factor;
    let differences = (latent_distances - pairwise_distances(images)).abs();
    // Row by row first, because the mean of all values of a large batch at once depends on the number
    // of threads.
    differences.mean_dim(1).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{RandomSource, SeededGenerator};
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    fn naive(images: &[f64], codes: &[f64], batch: usize, coefficient: f64) -> f64 {
        let (pixels, latent) = (images.len() / batch, codes.len() / batch);
        let mut scale = 0.0;
        for l in 0..latent {
            let column: Vec<f64> = (0..batch).map(|b| codes[b * latent + l]).collect();
            let mean = column.iter().sum::<f64>() / batch as f64;
            let sum: f64 = column.iter().map(|v| (v - mean).powi(2)).sum();
            scale += (sum / (batch - 1) as f64).sqrt() / latent as f64;
        }
        let distance = |data: &[f64], width: usize, i: usize, j: usize| -> f64 {
            let square = |k: usize| (data[i * width + k] - data[j * width + k]).powi(2);
            (0..width).map(square).sum::<f64>().sqrt()
        };
        let mut total = 0.0;
        for i in 0..batch {
            for j in 0..batch {
                let dz = coefficient * distance(codes, latent, i, j) / scale;
                total += (dz - distance(images, pixels, i, j)).abs();
            }
        }
        total / (batch * batch) as f64
    }

    fn draw(seed: u64, count: usize) -> Vec<f64> {
        SeededGenerator::new(seed, 0)
            .standard_normal(count)
            .into_iter()
            .map(f64::from)
            .collect()
    }

    #[test]
    fn equals_the_naive_computation() {
        let (images, codes) = (draw(1, 6 * 20), draw(2, 6 * 3));
        let device = Device::flex();
        let loss = estimated_gw_loss(
            f64_tensor(&images, [6, 20], &device),
            f64_tensor(&codes, [6, 3], &device),
            f64_tensor(&[2.5f64.ln()], [1], &device),
        );
        assert_close(&values(loss), &[naive(&images, &codes, 6, 2.5)], 1e-10);
    }

    #[test]
    fn an_isometric_decoder_has_loss_zero() {
        // x = z times a matrix with orthonormal rows, scaled by c/s: all distances agree.
        let codes = draw(3, 5 * 2);
        let device = Device::flex();
        let codes = f64_tensor(&codes, [5, 2], &device);
        let scale = values(latent_scale(codes.clone()))[0];
        let (s, c) = (0.6, 0.8);
        let rotation = f64_tensor(&[s, 0.0, c, -c, 0.0, s], [2, 3], &device);
        let images = codes.clone().matmul(rotation) * (1.7 / scale);
        let loss = estimated_gw_loss(images, codes, f64_tensor(&[1.7f64.ln()], [1], &device));
        assert!(values(loss)[0] < 1e-7);
    }

    #[test]
    fn the_scale_is_the_mean_unbiased_deviation() {
        // Columns 1, 3 and 2, 8: variances 2 and 18 with one degree of freedom.
        let codes = f64_tensor(&[1.0, 2.0, 3.0, 8.0], [2, 2], &Device::flex());
        let expected = (2.0f64.sqrt() + 18.0f64.sqrt()) / 2.0;
        assert_close(&values(latent_scale(codes)), &[expected], 1e-12);
        finite_difference(&draw(6, 5 * 3), [5, 3], 1e-6, latent_scale);
    }

    #[test]
    fn two_samples_have_a_closed_form() {
        // Distances 5 and 2 off the diagonal, half of all pairs; scale √2/2: |2·√2·e − 5|/2 with c = e.
        let device = Device::flex();
        let images = f64_tensor(&[0.0, 0.0, 3.0, 4.0], [2, 2], &device);
        let codes = f64_tensor(&[0.0, 0.0, 2.0, 0.0], [2, 2], &device);
        let loss = estimated_gw_loss(images, codes, f64_tensor(&[1.0], [1], &device));
        let expected = (2.0 * 2.0f64.sqrt() * std::f64::consts::E - 5.0).abs() / 2.0;
        assert_close(&values(loss), &[expected], 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let (images, codes) = (draw(4, 5 * 6), draw(5, 5 * 3));
        let on = |tensor: &Tensor<2>| tensor.device();
        finite_difference(&images, [5, 6], 1e-6, |x| {
            let z = f64_tensor(&codes, [5, 3], &on(&x));
            let log = f64_tensor(&[0.3], [1], &on(&x));
            estimated_gw_loss(x, z, log)
        });
        finite_difference(&codes, [5, 3], 1e-6, |z| {
            let x = f64_tensor(&images, [5, 6], &on(&z));
            let log = f64_tensor(&[0.3], [1], &on(&z));
            estimated_gw_loss(x, z, log)
        });
        finite_difference(&[0.3], [1], 1e-6, |log| {
            let x = f64_tensor(&images, [5, 6], &log.device());
            let z = f64_tensor(&codes, [5, 3], &log.device());
            estimated_gw_loss(x, z, log)
        });
    }

    #[test]
    fn collapsed_codes_give_finite_gradients() {
        let device = Device::flex().autodiff();
        let codes = Tensor::<2>::ones([4, 3], &device).require_grad();
        let images = Tensor::<2>::ones([4, 8], &device).require_grad();
        let log = Tensor::<1>::zeros([1], &device).require_grad();
        let loss = estimated_gw_loss(images.clone(), codes.clone(), log.clone());
        let gradients = loss.backward();
        for gradient in [codes.grad(&gradients), images.grad(&gradients)] {
            assert!(values(gradient.unwrap()).iter().all(|g| g.is_finite()));
        }
        assert!(values(log.grad(&gradients).unwrap())[0].is_finite());
    }
}
