//! Discrete choices inside a differentiable sampler: Gumbel noise and straight-through gradients.

use burn::tensor::{Device, Int, Tensor, TensorData};
use gwae_core::random::RandomSource;

/// Standard Gumbel draws `−log(−log u)`, row-major, each from one uniform draw.
///
/// Computed in double precision on the host. Near u = 1 the inner logarithm is about −10⁻⁷. The
/// fast logarithm of a graphics card rounds that to zero, and the draw becomes infinite.
pub fn gumbel_tensor<const D: usize>(
    noise: &mut dyn RandomSource,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values: Vec<f32> = noise
        .uniform(shape.iter().product())
        .into_iter()
        .map(|u| -(-f64::from(u).ln()).ln() as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// One-hot rows `[rows, columns]` with the 1 at the largest entry of each row. No gradient.
pub fn one_hot_of_largest(scores: Tensor<2>) -> Tensor<2> {
    let [_, columns] = scores.dims();
    let device = scores.device();
    let scores = scores.detach();
    let positions = Tensor::<1, Int>::arange(0..columns as i64, &device).unsqueeze_dim::<2>(0);
    // A comparison, because Burn's own one-hot rejects a single class.
    scores.argmax(1).equal(positions).float()
}

/// The values of `hard` with the gradient of `soft`.
pub fn straight_through<const D: usize>(hard: Tensor<D>, soft: Tensor<D>) -> Tensor<D> {
    // The difference is exactly zero, so the values are exactly the hard ones.
    hard.detach() + (soft.clone() - soft.detach())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Replay, assert_close, values};

    #[test]
    fn gumbels_are_finite_at_both_ends_of_the_uniform_interval() {
        let u = vec![1e-7f32, 0.5, 1.0 - 1e-7];
        let mut noise = Replay::new([u.clone()]);
        let gumbels = values(gumbel_tensor(&mut noise, [3], &Device::flex()));
        // −log 10⁻⁷ = 7 log 10, −log ½ = log 2, and near 1 −log u ≈ 1 − u.
        let last = -f64::from(1.0 - u[2]).ln();
        let first = -(7.0 * 10f64.ln()).ln();
        assert_close(&gumbels, &[first, -(2f64.ln().ln()), last], 1e-5);
    }

    #[test]
    fn straight_through_takes_values_and_gradient_from_different_places() {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data([[0.3, 0.2], [-1.0, 4.0]], &device).require_grad();
        let hard = one_hot_of_largest(x.clone());
        let output = straight_through(hard, x.clone().square());
        assert_eq!(values(output.clone()), [1.0, 0.0, 0.0, 1.0]);
        let gradient = x.grad(&output.sum().backward()).unwrap();
        assert_close(&values(gradient), &[0.6, 0.4, -2.0, 8.0], 1e-6);
    }
}
