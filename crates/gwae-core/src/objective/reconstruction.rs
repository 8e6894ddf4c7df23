//! Measures of the difference between images and their reconstructions.

use burn::tensor::Tensor;

use crate::linear_algebra::square_root::safe_sqrt;

/// Norms are raised to at least this value before a division, so that a black image gives a finite
/// number.
const LEAST_NORM: f64 = 1e-4;

/// The reconstruction loss `L_W = mean_b Σ ½ (a − b)²` over everything but the batch axis.
///
/// For images this is the WAE-style pixel loss; for critic features, the learned similarity.
///
/// # Shapes
/// - `a`, `b`: `[batch, ...]` of equal shape
/// - output: `[1]`
pub fn reconstruction_loss<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<1> {
    let batch = a.dims()[0];
    // Image by image first, because the sum of all values of a large batch at once depends on the
    // number of threads.
    let squares: Tensor<2> = (a - b).square().reshape([batch as i64, -1]);
    squares.sum_dim(1).sum() * (0.5 / batch as f64)
}

/// `½ Σ (a − b)²` of each image.
///
/// # Shapes
/// - `a`, `b`: `[batch, ...]` of equal shape, output: `[batch]`
pub fn reconstruction_error<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<1> {
    squares(a - b) * 0.5
}

/// The relative Euclidean distance `‖a − b‖ / ‖a‖` of each image (Zong et al., ICLR 2018).
///
/// # Shapes
/// - `a`: images `[batch, ...]`, `b`: reconstructions of the same shape, output: `[batch]`
pub fn relative_reconstruction_error<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<1> {
    let norm = safe_sqrt(squares(a.clone())).clamp_min(LEAST_NORM);
    safe_sqrt(squares(a - b)) / norm
}

/// The cosine `a·b / (‖a‖ ‖b‖)` of each image and its reconstruction.
///
/// # Shapes
/// - `a`, `b`: `[batch, ...]` of equal shape, output: `[batch]`
pub fn cosine_similarity<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<1> {
    let norm = |x: Tensor<D>| safe_sqrt(squares(x)).clamp_min(LEAST_NORM);
    let norms = norm(a.clone()) * norm(b.clone());
    summed(a * b) / norms
}

fn squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    summed(x.square())
}

/// Sums over everything but the batch axis.
fn summed<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let batch = x.dims()[0];
    x.reshape([batch as i64, -1]).sum_dim(1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{SeededGenerator, uniform_tensor};
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn the_loss_of_a_large_batch_does_not_depend_on_threads() {
        let device = Device::flex();
        let mut noise = SeededGenerator::new(1, 0);
        // Enough values that Burn sums them on several threads.
        let images: Tensor<2> = uniform_tensor(&mut noise, [16, 300_000], &device);
        let loss = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let loss = || reconstruction_loss(images.clone(), images.zeros_like());
            values(pool.unwrap().install(loss))
        };
        let one = loss(1);
        for threads in [2, 3, 5] {
            assert_eq!(one, loss(threads));
        }
    }

    #[test]
    fn closed_forms() {
        let device = Device::flex();
        // Two images of two pixels: ½(1 + 4) and ½(0 + 9), mean 3.5.
        let a = f64_tensor(&[1.0, 2.0, 3.0, 4.0], [2, 2], &device);
        let b = f64_tensor(&[0.0, 0.0, 3.0, 1.0], [2, 2], &device);
        assert_close(&values(reconstruction_loss(a, b)), &[3.5], 1e-12);
        let image = |values: &[f64]| f64_tensor(values, [1, 1, 1, 2], &device);
        // (3, 4) against (3, 0): ½·16, 4/5, 9/(5·3).
        let (a, b) = (image(&[3.0, 4.0]), image(&[3.0, 0.0]));
        let error = reconstruction_error(a.clone(), b.clone());
        assert_close(&values(error), &[8.0], 1e-12);
        let relative = relative_reconstruction_error(a.clone(), b.clone());
        assert_close(&values(relative), &[0.8], 1e-12);
        let cosine = cosine_similarity(a.clone(), b.clone());
        assert_close(&values(cosine), &[0.6], 1e-12);
        // The relative distance and the cosine do not change with the contrast.
        let relative = relative_reconstruction_error(a.clone() * 0.1, b.clone() * 0.1);
        assert_close(&values(relative), &[0.8], 1e-12);
        let cosine = cosine_similarity(a * 0.1, b);
        assert_close(&values(cosine), &[0.6], 1e-12);
    }

    #[test]
    fn a_black_image_gives_finite_numbers() {
        let device = Device::flex();
        let black = f64_tensor(&[0.0; 4], [1, 4], &device);
        let white = f64_tensor(&[1.0; 4], [1, 4], &device);
        for (a, b) in [(black.clone(), white.clone()), (white, black)] {
            let numbers = [
                values(relative_reconstruction_error(a.clone(), b.clone()))[0],
                values(cosine_similarity(a, b))[0],
            ];
            assert!(numbers.iter().all(|x| x.is_finite()), "{numbers:?}");
        }
    }

    #[test]
    fn gradients_match_finite_differences() {
        let point = [0.3, -0.7, 1.1, 0.2, 0.9, -0.4];
        finite_difference(&point, [2, 3], 1e-6, |b| {
            let a = f64_tensor(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [2, 3], &b.device());
            let errors = relative_reconstruction_error(a.clone(), b.clone());
            let errors = errors + cosine_similarity(a.clone(), b.clone());
            let errors = errors + reconstruction_error(a.clone(), b.clone()) * 0.3;
            errors.sum() + reconstruction_loss(a, b)
        });
        // An image that equals its reconstruction has a finite gradient.
        let device = Device::flex().autodiff();
        let leaf = f64_tensor(&point, [2, 3], &device).require_grad();
        let a = f64_tensor(&point, [2, 3], &device);
        let loss = relative_reconstruction_error(a, leaf.clone()).sum();
        let gradient = values(leaf.grad(&loss.backward()).expect("a gradient"));
        assert_eq!(gradient, [0.0; 6]);
    }
}
