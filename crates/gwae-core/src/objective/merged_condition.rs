//! The merged sufficient condition, as a critic estimates it.

use burn::tensor::Tensor;

/// The merged sufficient condition `L_D = mean D(xs, zs) − mean D(x, z)`. It says how well the
/// critic separates pairs from the prior (codes with their decoded images) from encoded pairs
/// (images with their codes).
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

/// The mixed potential `½ (D(xs, zs) + D(f(z), z))`. It replaces `D(xs, zs)`.
///
/// # Shapes
/// - both arguments and the output: `[batch, 1]`
pub fn mixed_potential(potential_prior: Tensor<2>, potential_autoencoded: Tensor<2>) -> Tensor<2> {
    (potential_prior + potential_autoencoded) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn closed_forms() {
        let device = Device::flex();
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
        finite_difference(&[0.3, -0.7, 1.1], [3, 1], 1e-7, |potential| {
            let encoded = potential.clone() * potential.clone();
            let mixed = mixed_potential(potential.clone() * 3.0, potential);
            merged_condition_loss(mixed, encoded)
        });
    }
}
