//! Reconstruction, entropy and sufficient-condition terms of the objective.

use burn::tensor::Tensor;

/// The reconstruction loss `L_W = mean_b Σ ½ (a − b)²` over everything but the batch axis.
///
/// Of images it is the WAE-style pixel loss; of critic features the learned similarity.
///
/// # Shapes
/// - `a`, `b`: `[batch, ...]` of equal shape
/// - output: `[1]`
pub fn reconstruction_loss<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<1> {
    let batch = a.dims()[0];
    // By image first: the sum of all values of a large batch at once depends on threads.
    let squares: Tensor<2> = (a - b).square().reshape([batch as i64, -1]);
    squares.sum_dim(1).sum() * (0.5 / batch as f64)
}

/// The entropy regularisation `L_H = −mean_b Σ_l log σ²_l`, which keeps the posterior from
/// collapsing to a point.
///
/// # Shapes
/// - `logvar`: `[batch, latent]`, output: `[1]`
pub fn entropy_loss(logvar: Tensor<2>) -> Tensor<1> {
    let batch = logvar.dims()[0] as f64;
    logvar.sum() * (-1.0 / batch)
}

/// The merged sufficient condition `L_D = mean D(xs, zs) − mean D(x, z)`: how far the critic
/// tells pairs from the prior and its decodings apart from data and their codes.
///
/// # Shapes
/// - `potential_prior`: `[batch, 1]`, D on prior pairs (see [`mixed_potential`])
/// - `potential_encoded`: `[batch, 1]`, D on encoded pairs
/// - output: `[1]`
pub fn merged_condition_loss(
    potential_prior: Tensor<2>,
    potential_encoded: Tensor<2>,
) -> Tensor<1> {
    (potential_prior - potential_encoded).mean()
}

/// The mixed potential `½ (D(xs, zs) + D(f(z), z))`, used in place of `D(xs, zs)`.
///
/// # Shapes
/// - both arguments and the output: `[batch, 1]`
pub fn mixed_potential(potential_prior: Tensor<2>, potential_autoencoded: Tensor<2>) -> Tensor<2> {
    (potential_prior + potential_autoencoded) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{SeededGenerator, uniform_tensor};
    use crate::testing::{f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn the_loss_of_a_large_batch_does_not_depend_on_threads() {
        let device = Device::flex();
        let mut noise = SeededGenerator::new(1, 0);
        // More values than Burn sums up on one thread.
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
        assert!((values(reconstruction_loss(a.clone(), b.clone()))[0] - 3.5).abs() < 1e-12);
        // −mean(1 + 2, 3 + 4) = −5.
        assert!((values(entropy_loss(a.clone()))[0] + 5.0).abs() < 1e-12);
        let column = |values: &[f64]| f64_tensor(values, [2, 1], &device);
        let mixed = mixed_potential(column(&[1.0, 3.0]), column(&[3.0, 5.0]));
        assert_eq!(values(mixed.clone()), [2.0, 4.0]);
        assert_eq!(
            values(merged_condition_loss(mixed, column(&[0.0, 1.0]))),
            [2.5]
        );
    }

    #[test]
    fn gradients_match_finite_differences() {
        let point = [0.3, -0.7, 1.1, 0.2, 0.9, -0.4];
        finite_difference(&point, [3, 2], 1e-7, |a| {
            let b = f64_tensor(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [3, 2], &a.device());
            reconstruction_loss(a.clone(), b) + entropy_loss(a)
        });
    }
}
