//! Total correlation by the density-ratio trick: a critic tells codes from codes whose entries were
//! exchanged between images (Kim, Mnih, ICML 2018).

use burn::tensor::{Int, Tensor, TensorData, activation};

use crate::random::RandomSource;

/// The same codes with every column in an order of its own, so that its entries are independent and
/// keep their marginals (Kim, Mnih, ICML 2018, algorithm 1). Asks `random` for uniform
/// `[latent, batch]`.
///
/// # Shapes
/// - `codes` and output: `[batch, latent]`
pub fn permuted_columns(codes: Tensor<2>, random: &mut dyn RandomSource) -> Tensor<2> {
    let [batch, latent] = codes.dims();
    let draws = random.uniform(batch * latent);
    let mut rows = vec![0i64; batch * latent];
    for (column, keys) in draws.chunks(batch.max(1)).enumerate() {
        let mut order: Vec<usize> = (0..batch).collect();
        // A stable sort, so that equal draws do not depend on the sorting algorithm.
        order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
        for (row, from) in order.into_iter().enumerate() {
            rows[row * latent + column] = from as i64;
        }
    }
    let rows = TensorData::new(rows, [batch, latent]);
    let rows = Tensor::<2, Int>::from_data(rows, &codes.device());
    codes.gather(0, rows)
}

/// The total correlation that a critic estimates: the mean of its logits,
/// `mean_b D(z_b) ≈ mean_b log q(z_b) / Π_l q(z_bl)` (Kim, Mnih, ICML 2018, equation 3).
///
/// # Shapes
/// - `logits`: `[batch, 1]`, positive where the critic takes a code for one of an image
/// - output: `[1]`, in nats
pub fn density_ratio_total_correlation(logits: Tensor<2>) -> Tensor<1> {
    logits.mean()
}

/// The loss of the critic: half the cross-entropy of codes (`logits` positive) and half that of
/// permuted codes (negative). It is `log 2` for a critic that cannot tell them apart.
///
/// # Shapes
/// - `of_codes`, `of_permuted`: `[batch, 1]`
/// - output: `[1]`, in nats
pub fn density_ratio_loss(of_codes: Tensor<2>, of_permuted: Tensor<2>) -> Tensor<1> {
    let of_codes = activation::softplus(-of_codes, 1.0).mean();
    let of_permuted = activation::softplus(of_permuted, 1.0).mean();
    (of_codes + of_permuted) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededGenerator;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    #[test]
    fn a_permutation_keeps_the_marginals_and_breaks_the_dependence() {
        let batch = 2000;
        let draws = SeededGenerator::new(3, 0).standard_normal(batch);
        // Both columns are equal.
        let codes: Vec<f64> = draws.iter().flat_map(|&z| [f64::from(z); 2]).collect();
        let device = Device::flex();
        let permuted = permuted_columns(
            f64_tensor(&codes, [batch, 2], &device),
            &mut SeededGenerator::new(4, 0),
        );
        let permuted = values(permuted);
        let column = |values: &[f64], l: usize| -> Vec<f64> {
            let mut column: Vec<f64> = values.iter().skip(l).step_by(2).copied().collect();
            column.sort_by(f64::total_cmp);
            column
        };
        for l in 0..2 {
            assert_eq!(column(&permuted, l), column(&codes, l));
        }
        let product: f64 = permuted.chunks(2).map(|row| row[0] * row[1]).sum();
        // The mean of 2000 products of independent normals has the standard error 0.022.
        assert!((product / batch as f64).abs() < 0.1, "{product}");
    }

    #[test]
    fn an_optimal_critic_gives_the_total_correlation_of_a_gaussian() {
        // The log ratio of N(0, [[1, ρ], [ρ, 1]]) and N(0, I) at draws of the first.
        let (batch, rho) = (20_000, 0.8f64);
        let draws = SeededGenerator::new(5, 0).standard_normal(2 * batch);
        let determinant = 1.0 - rho * rho;
        let logits: Vec<f64> = draws
            .chunks(2)
            .map(|row| {
                let a = f64::from(row[0]);
                let b = rho * a + determinant.sqrt() * f64::from(row[1]);
                let joint = (a * a - 2.0 * rho * a * b + b * b) / determinant;
                -0.5 * determinant.ln() - 0.5 * joint + 0.5 * (a * a + b * b)
            })
            .collect();
        let logits = f64_tensor(&logits, [batch, 1], &Device::flex());
        let found = values(density_ratio_total_correlation(logits))[0];
        assert!((found + 0.5 * determinant.ln()).abs() < 0.03, "{found}");
    }

    #[test]
    fn the_loss_has_its_closed_form() {
        let device = Device::flex();
        let logits = |values: [f64; 2]| f64_tensor(&values, [2, 1], &device);
        let undecided = density_ratio_loss(logits([0.0; 2]), logits([0.0; 2]));
        assert_close(&values(undecided), &[2f64.ln()], 1e-12);
        let softplus = |x: f64| x.exp().ln_1p();
        let expected = 0.25 * (softplus(-1.0) + softplus(2.0) + softplus(0.5) + softplus(-3.0));
        let found = density_ratio_loss(logits([1.0, -2.0]), logits([0.5, -3.0]));
        assert_close(&values(found), &[expected], 1e-9);
    }

    #[test]
    fn gradients_match_finite_differences() {
        finite_difference(&[0.3, -0.7, 1.1], [3, 1], 1e-6, |logits| {
            density_ratio_loss(logits.clone(), logits * 0.4 + 0.1)
        });
        finite_difference(&[0.3, -0.7, 1.1, 0.2], [2, 2], 1e-6, |codes| {
            permuted_columns(codes, &mut SeededGenerator::new(6, 0))
                .square()
                .sum()
        });
    }
}
