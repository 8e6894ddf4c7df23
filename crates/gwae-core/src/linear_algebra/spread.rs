//! A trained number that multiplies or divides a whole matrix.

use burn::tensor::Tensor;

/// A number as a column `[rows, 1]`. A matrix with `rows` rows can be multiplied or divided by it.
///
/// The gradient of the number is then summed along the rows of the matrix first. If the number were
/// broadcast to the matrix directly, its gradient would be one sum over all entries, and Burn's GPU
/// kernels (0.22.1) drop everything after the 262,140th term of a sum along one axis.
///
/// # Shapes
/// - `number`: `[1]`, output: `[rows, 1]`
pub fn spread_over_rows(number: Tensor<1>, rows: usize) -> Tensor<2> {
    number.unsqueeze::<2>().expand([rows, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{f64_tensor, finite_difference};

    #[test]
    fn gradient_matches_finite_differences() {
        finite_difference(&[0.7], [1], 1e-8, |number| {
            let matrix = f64_tensor(&[1.0, -2.0, 3.0, 0.5, 0.1, 4.0], [3, 2], &number.device());
            (matrix.clone() / spread_over_rows(number.clone(), 3)
                + matrix * spread_over_rows(number, 3))
            .square()
            .sum()
        });
    }
}
