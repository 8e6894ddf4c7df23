//! A penalty on the difference of a covariance matrix from the identity.

use burn::tensor::Tensor;

use crate::linear_algebra::cholesky::diagonals;

/// The covariance of the rows of a batch, with the divisor `batch`.
///
/// # Shapes
/// - `rows`: `[batch, latent]`
/// - output: `[latent, latent]`
pub fn batch_covariance(rows: Tensor<2>) -> Tensor<2> {
    let batch = rows.dims()[0] as f64;
    let centred = rows.clone() - rows.mean_dim(0);
    centred.clone().transpose().matmul(centred) / batch
}

/// `λ_od·Σ_{i≠j} C_ij² + λ_d·Σ_i (C_ii − 1)²` (Kumar et al., ICLR 2018, equations 6 and 7).
///
/// # Shapes
/// - `covariance`: `[latent, latent]`
/// - output: `[1]`
pub fn covariance_penalty(
    covariance: Tensor<2>,
    off_diagonal_weight: f64,
    diagonal_weight: f64,
) -> Tensor<1> {
    let diagonal = diagonals(covariance.clone().unsqueeze_dim::<3>(0));
    let of_diagonal = diagonal.clone().square().sum();
    let off_diagonal = covariance.square().sum() - of_diagonal;
    off_diagonal * off_diagonal_weight + (diagonal - 1.0).square().sum() * diagonal_weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn the_penalty_has_its_closed_form() {
        let covariance = f64_tensor(&[1.5, 0.2, 0.2, 0.4], [2, 2], &Device::flex());
        // Twice 0.2² off the diagonal, 0.5² and 0.6² on it.
        let expected = 3.0 * 0.08 + 7.0 * (0.25 + 0.36);
        let found = values(covariance_penalty(covariance, 3.0, 7.0));
        assert_close(&found, &[expected], 1e-12);
    }

    #[test]
    fn the_identity_has_no_penalty() {
        let identity = f64_tensor(&[1.0, 0.0, 0.0, 1.0], [2, 2], &Device::flex());
        assert_eq!(values(covariance_penalty(identity, 3.0, 7.0)), [0.0]);
    }

    #[test]
    fn the_covariance_is_that_of_the_rows() {
        // Rows (0, 0), (2, 2), (4, −2), (2, 0) with means 2 and 0.
        let rows = [0.0, 0.0, 2.0, 2.0, 4.0, -2.0, 2.0, 0.0];
        let rows = f64_tensor(&rows, [4, 2], &Device::flex());
        let found = values(batch_covariance(rows));
        assert_close(&found, &[2.0, -1.0, -1.0, 2.0], 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let rows = [0.3, -0.7, 1.1, 0.2, -0.4, 0.9, 0.5, -1.3];
        finite_difference(&rows, [4, 2], 1e-6, |rows| {
            covariance_penalty(batch_covariance(rows), 3.0, 7.0)
        });
    }
}
