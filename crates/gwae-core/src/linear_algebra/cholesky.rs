//! Cholesky factors of stacks of small matrices, differentiable on every backend.
//!
//! Burn has no Cholesky factorisation. This one uses ordinary tensor operations, column by column, on
//! all matrices of a stack at once. It is meant for a few dozen rows, not for hundreds.

use burn::tensor::{Tensor, s};

/// Pivots are raised to at least this value, and a column with a smaller pivot is zero below it. So a
/// matrix that rounding has made indefinite gives large finite results instead of NaN.
const LEAST_PIVOT: f64 = 1e-10;

/// Lower triangular L with `L Lᵀ = A` for every matrix of a stack.
///
/// # Shapes
/// - `matrices`: `[stack, n, n]`, symmetric and positive definite
/// - output: `[stack, n, n]`
pub fn cholesky(matrices: Tensor<3>) -> Tensor<3> {
    let [_, n, _] = matrices.dims();
    let mut rest = matrices;
    let columns = (0..n)
        .map(|j| {
            // The part of the column from the diagonal down; `rest` shrinks by one row and column each
            // time.
            let column = rest.clone().slice(s![.., .., 0..1]);
            let pivot = column.clone().slice(s![.., 0..1, ..]);
            let root = pivot.clone().clamp_min(LEAST_PIVOT).sqrt();
            if j + 1 == n {
                return padded_above(root, j);
            }
            let sound = pivot.clone().detach().greater_elem(LEAST_PIVOT);
            let sound = sound.float().cast(pivot.dtype());
            let below = column.slice(s![.., 1.., ..]) * sound / root.clone();
            let outer = below.clone().matmul(below.clone().transpose());
            rest = rest.clone().slice(s![.., 1.., 1..]) - outer;
            padded_above(Tensor::cat(vec![root, below], 1), j)
        })
        .collect();
    Tensor::cat(columns, 2)
}

/// `Y = L⁻¹ B` for every pair of a stack, by forward substitution.
///
/// # Shapes
/// - `lower`: `[stack, n, n]`, lower triangular with a positive diagonal
/// - `right`: `[stack, n, columns]`, output: the same
pub fn solve_lower(lower: Tensor<3>, right: Tensor<3>) -> Tensor<3> {
    let [_, n, _] = lower.dims();
    let mut rest = right;
    let rows = (0..n)
        .map(|j| {
            let column = lower.clone().slice(s![.., j.., j..j + 1]);
            let pivot = column.clone().slice(s![.., 0..1, ..]);
            let row = rest.clone().slice(s![.., 0..1, ..]) / pivot;
            if j + 1 < n {
                let below = column.slice(s![.., 1.., ..]);
                rest = rest.clone().slice(s![.., 1.., ..]) - below.matmul(row.clone());
            }
            row
        })
        .collect();
    Tensor::cat(rows, 1)
}

/// `log det A` from the Cholesky factor of A.
///
/// # Shapes
/// - `lower`: `[stack, n, n]`, output: `[stack]`
pub fn log_determinant(lower: Tensor<3>) -> Tensor<1> {
    diagonals(lower).log().sum_dim(1).squeeze_dim::<1>(1) * 2.0
}

/// The diagonal of every matrix of a stack.
///
/// # Shapes
/// - `matrices`: `[stack, n, n]`, output: `[stack, n]`
pub fn diagonals(matrices: Tensor<3>) -> Tensor<2> {
    let identity = identity_like(&matrices);
    (matrices * identity).sum_dim(2).squeeze_dim(2)
}

/// The identity for matrices of a stack, of their type and on their device.
///
/// # Shapes
/// - `matrices`: `[stack, n, n]`, output: `[1, n, n]`
pub fn identity_like(matrices: &Tensor<3>) -> Tensor<3> {
    let [_, n, _] = matrices.dims();
    let identity = Tensor::<2>::eye(n, &matrices.device()).cast(matrices.dtype());
    identity.unsqueeze_dim(0)
}

/// A column with `zeros` rows of zeros above it.
fn padded_above(column: Tensor<3>, zeros: usize) -> Tensor<3> {
    if zeros == 0 {
        return column;
    }
    let [stack, _, width] = column.dims();
    let above = Tensor::<3>::zeros([stack, zeros, width], &column.device()).cast(column.dtype());
    Tensor::cat(vec![above, column], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::Device;

    /// Two positive definite matrices with known factors.
    const FACTORS: [f64; 18] = [
        2.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.3, 4.0, 1.5, //
        1.0, 0.0, 0.0, 0.2, 3.0, 0.0, -2.0, 0.1, 0.7,
    ];

    fn factors(device: &Device) -> Tensor<3> {
        f64_tensor(&FACTORS, [2, 3, 3], device)
    }

    #[test]
    fn the_factor_of_a_product_is_found_again() {
        let lower = factors(&Device::flex());
        let product = lower.clone().matmul(lower.clone().transpose());
        assert_close(&values(cholesky(product)), &FACTORS, 1e-10);
        let expected = [2.0f64 * 0.5 * 1.5, 1.0 * 3.0 * 0.7].map(|root| 2.0 * root.ln());
        assert_close(&values(log_determinant(lower)), &expected, 1e-12);
    }

    #[test]
    fn a_solution_solves() {
        let device = Device::flex();
        let right: Vec<f64> = (0..12).map(|k| (f64::from(k) * 0.7).sin()).collect();
        let right = f64_tensor(&right, [2, 3, 2], &device);
        let solution = solve_lower(factors(&device), right.clone());
        let product = factors(&device).matmul(solution);
        assert_close(&values(product), &values(right), 1e-12);
    }

    #[test]
    fn an_indefinite_matrix_gives_finite_numbers_in_single_precision() {
        let n = 18;
        let device = Device::flex();
        // Symmetric, with eigenvalues of both signs.
        let entry = |i: usize, j: usize| ((i * j) as f32 * 0.9).sin() * 30.0;
        let entries: Vec<f32> = (0..n * n).map(|k| entry(k / n, k % n)).collect();
        let data = burn::tensor::TensorData::new(entries, [1, n, n]);
        let matrix = Tensor::<3>::from_data(data, &device);
        let lower = cholesky(matrix);
        assert!(values(lower.clone()).iter().all(|x| x.is_finite()));
        assert!(values(log_determinant(lower))[0].is_finite());
    }

    #[test]
    fn gradients_match_finite_differences() {
        let point: Vec<f64> = (0..9).map(|k| (f64::from(k) * 1.3).cos()).collect();
        finite_difference(&point, [1, 3, 3], 1e-6, |root| {
            let identity = f64_tensor(
                &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                [1, 3, 3],
                &root.device(),
            );
            let lower = cholesky(root.clone().matmul(root.clone().transpose()) + identity);
            let solution = solve_lower(lower.clone(), root);
            solution.square().sum() + log_determinant(lower)
        });
    }
}
