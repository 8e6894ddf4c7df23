//! The critic's side of the merged sufficient condition.

use burn::tensor::Tensor;

use crate::linear_algebra::square_root::safe_sqrt;

/// Weight of the squared potentials, a term that keeps the critic near zero.
const MAGNITUDE_WEIGHT: f64 = 1e-4;

/// The one-centred gradient penalty `GP = mean_b (‖(g_x, g_z)_b‖₂ − 1)²` (Gulrajani et al. 2017)
/// of the critic's input gradients at interpolated pairs; the norm is over the concatenated
/// gradient.
///
/// # Shapes
/// - `image_gradient`: `[batch, channels, height, width]`
/// - `code_gradient`: `[batch, latent]`
/// - output: `[1]`
pub fn gradient_penalty(image_gradient: Tensor<4>, code_gradient: Tensor<2>) -> Tensor<1> {
    let image_norm: Tensor<2> = image_gradient.flatten::<2>(1, 3).square().sum_dim(1);
    let code_norm = code_gradient.square().sum_dim(1);
    (safe_sqrt(image_norm + code_norm) - 1.0).square().mean()
}

/// Interpolates each sample: `t_b·a_b + (1 − t_b)·b_b`.
///
/// # Shapes
/// - `a`, `b`: `[batch, ...]`, `t`: `[batch]`
pub fn interpolate<const D: usize>(a: Tensor<D>, b: Tensor<D>, t: Tensor<1>) -> Tensor<D> {
    let mut shape = [1; D];
    shape[0] = t.dims()[0];
    let t = t.reshape(shape);
    b.clone() + (a - b) * t
}

/// Terms of the critic's objective.
#[derive(Clone, Debug)]
pub struct CriticLoss {
    /// `−mean(D(xs, zs) − D(x, z))`, `[1]`.
    pub potential: Tensor<1>,
    /// Gradient penalty with the magnitude terms, unweighted, `[1]`.
    pub penalty: Tensor<1>,
    /// `potential + λ_GP·penalty`, `[1]`.
    pub total: Tensor<1>,
}

/// The critic's objective
/// `−mean(D(xs, zs) − D(x, z)) + λ_GP·(GP + 1e-4·mean D(x, z)² + 1e-4·mean D(xs, zs)²)`.
///
/// # Shapes
/// - `potential_prior`, `potential_encoded`: `[batch, 1]`
/// - `gradient_penalty`: `[1]`
pub fn critic_loss(
    potential_prior: Tensor<2>,
    potential_encoded: Tensor<2>,
    gradient_penalty: Tensor<1>,
    gradient_penalty_weight: f64,
) -> CriticLoss {
    let magnitude =
        potential_encoded.clone().square().mean() + potential_prior.clone().square().mean();
    let penalty = gradient_penalty + magnitude * MAGNITUDE_WEIGHT;
    let potential = (potential_encoded - potential_prior).mean();
    let total = potential.clone() + penalty.clone() * gradient_penalty_weight;
    CriticLoss {
        potential,
        penalty,
        total,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn penalty_has_a_closed_form() {
        // Norms √(3² + 4²) = 5 and √(0 + 1) = 1: mean of 16 and 0.
        let device = Device::flex();
        let image = f64_tensor(&[3.0, 0.0, 0.0, 0.0], [2, 1, 1, 2], &device);
        let code = f64_tensor(&[4.0, 1.0], [2, 1], &device);
        assert_close(&values(gradient_penalty(image, code)), &[8.0], 1e-12);
    }

    #[test]
    fn a_vanishing_gradient_costs_one_and_stays_finite() {
        let device = Device::flex().autodiff();
        let image = Tensor::<4>::zeros([2, 1, 2, 2], &device).require_grad();
        let loss = gradient_penalty(image.clone(), Tensor::zeros([2, 3], &device));
        assert_eq!(values(loss.clone()), [1.0]);
        let gradient = image.grad(&loss.backward()).unwrap();
        assert!(values(gradient).iter().all(|&g| g == 0.0));
    }

    const IMAGES: [f64; 8] = [0.3, -0.8, 0.5, 1.2, -0.1, 0.4, 0.9, -1.3];
    const CODES: [f64; 4] = [0.2, 0.7, -0.6, 0.1];

    #[test]
    fn penalty_equals_the_naive_sum() {
        let device = Device::flex();
        let samples = IMAGES.chunks(4).zip(CODES.chunks(2));
        let terms = samples.map(|(image, code)| {
            let squares = image.iter().chain(code).map(|g| g * g);
            (squares.sum::<f64>().sqrt() - 1.0).powi(2)
        });
        let expected = terms.sum::<f64>() / 2.0;
        let image = f64_tensor(&IMAGES, [2, 1, 2, 2], &device);
        let penalty = gradient_penalty(image, f64_tensor(&CODES, [2, 2], &device));
        assert_close(&values(penalty), &[expected], 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        finite_difference(&IMAGES, [2, 1, 2, 2], 1e-6, |image| {
            let code = f64_tensor(&CODES, [2, 2], &image.device());
            gradient_penalty(image, code)
        });
        finite_difference(&CODES, [2, 2], 1e-6, |code| {
            let image = f64_tensor(&IMAGES, [2, 1, 2, 2], &code.device());
            gradient_penalty(image, code)
        });
        // A loss of all inputs: both potentials, the penalty and the ends of an interpolation.
        finite_difference(&[0.4, -1.1], [2, 1], 1e-6, |x| {
            let t = f64_tensor(&[0.3, 0.9], [2], &x.device());
            let between = interpolate(x.clone(), x.clone().square(), t);
            critic_loss(x.clone() * 2.0, between, x.square().mean(), 1e3).total
        });
        finite_difference(&[0.3, 0.9], [2], 1e-6, |t| {
            let a = f64_tensor(&CODES, [2, 2], &t.device());
            interpolate(a.clone(), a * -2.0, t).square().sum()
        });
    }

    #[test]
    fn critic_objective_adds_up() {
        let device = Device::flex();
        let prior = f64_tensor(&[1.0, 3.0], [2, 1], &device);
        let encoded = f64_tensor(&[2.0, 4.0], [2, 1], &device);
        let loss = critic_loss(prior, encoded, f64_tensor(&[0.5], [1], &device), 10.0);
        // Mean squares 5 and 10.
        assert_close(&values(loss.potential), &[1.0], 1e-12);
        assert_close(&values(loss.penalty), &[0.5015], 1e-12);
        assert_close(&values(loss.total), &[6.015], 1e-12);
    }

    #[test]
    fn interpolation_takes_each_sample_apart() {
        let device = Device::flex();
        let a = f64_tensor(&[1.0, 1.0, 1.0, 1.0], [2, 2], &device);
        let b = f64_tensor(&[3.0, 3.0, 5.0, 5.0], [2, 2], &device);
        let t = f64_tensor(&[1.0, 0.25], [2], &device);
        assert_eq!(values(interpolate(a, b, t)), [1.0, 1.0, 4.0, 4.0]);
    }
}
