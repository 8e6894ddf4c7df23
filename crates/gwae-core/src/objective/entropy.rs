//! The entropy of the posterior.

use burn::tensor::Tensor;

/// The entropy regularisation `L_H = −mean_b Σ_l log σ²_l`, which keeps the posterior from
/// collapsing to a point.
///
/// # Shapes
/// - `logvar`: `[batch, latent]`, output: `[1]`
pub fn entropy_loss(logvar: Tensor<2>) -> Tensor<1> {
    let batch = logvar.dims()[0] as f64;
    logvar.sum() * (-1.0 / batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn it_is_the_negative_mean_of_the_summed_logarithms() {
        // −mean(1 + 2, 3 + 4) = −5.
        let logvar = f64_tensor(&[1.0, 2.0, 3.0, 4.0], [2, 2], &Device::flex());
        assert_close(&values(entropy_loss(logvar)), &[-5.0], 1e-12);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let point = [0.3, -0.7, 1.1, 0.2, 0.9, -0.4];
        finite_difference(&point, [3, 2], 1e-7, entropy_loss);
    }
}
